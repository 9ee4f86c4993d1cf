"""``streamer doctor``: what is wrong, and what to do about it."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated

import typer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from rich.console import Console
from rich.table import Table

from streamer.cli.doctor import cluster
from streamer.cli.doctor.model import model
from streamer.cli.doctor.verdicts import (
    Verdict,
    access,
    advertised_brokers,
    codecs,
    configured_brokers,
    disk,
)
from streamer.cli.doctor.webhooks import webhooks
from streamer.cli.reading import ANSWER_SECONDS_MAX, reading
from streamer.cli.showing import counted, print_json, shown_text
from streamer.engine.access import refusal
from streamer.engine.clients import connection
from streamer.settings import Settings, load_settings


def doctor(
    *, json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False
) -> None:
    """Check brokers, access, topics, workers, clocks, disk, model, producers, webhooks.

    The exit code is 1 if anything is wrong.

    Example: streamer doctor --json
    """
    settings = load_settings()
    with Console(stderr=True).status("looking"):
        verdicts = asyncio.run(examine(settings))
    wrong = sum(not verdict.ok for verdict in verdicts)
    if json:
        print_json({"ok": not wrong, "findings": verdicts})
    else:
        _show(verdicts, wrong)
    if wrong:
        raise typer.Exit(1)


def _show(verdicts: list[Verdict], wrong: int) -> None:
    table = Table.grid(padding=(0, 2, 0, 0))
    for verdict in verdicts:
        mark = "[green]ok[/]" if verdict.ok else "[red]wrong[/]"
        remedy = f"\n[bold]→ {shown_text(verdict.remedy)}[/]" if verdict.remedy else ""
        table.add_row(mark, verdict.check, shown_text(verdict.text) + remedy)
    console = Console()
    console.print(table, highlight=False)
    console.print(f"{counted(wrong, 'thing')} to put right" if wrong else "all is well")


async def examine(settings: Settings) -> list[Verdict]:
    """Return all findings; those that need Kafka only if it can be reached."""
    verdicts = [disk(settings), codecs(), *await configured_brokers(settings)]
    if not any(verdict.ok and verdict.check == "brokers" for verdict in verdicts):
        return verdicts
    let_in = await access(settings)
    verdicts += let_in
    if not all(verdict.ok for verdict in let_in):
        return verdicts
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await asyncio.wait_for(admin.start(), ANSWER_SECONDS_MAX)
        verdicts += await _of_cluster(settings, admin)
    except (KafkaError, TimeoutError) as error:
        verdicts.append(await _refused(settings) or _unanswered("brokers", error))
    finally:
        await admin.close()
    return verdicts


async def _of_cluster(settings: Settings, admin: AIOKafkaAdminClient) -> list[Verdict]:
    description = await admin.describe_cluster()
    addresses = [f"{node['host']}:{node['port']}" for node in description["brokers"]]
    verdicts = await advertised_brokers(addresses)
    verdicts += await _looked("clock", _one(cluster.clock(admin)))
    found = await _looked("topics", cluster.topics(settings))
    verdicts += found
    if all("is missing" not in verdict.text for verdict in found):
        replicas = cluster.replication(settings, admin, len(addresses))
        verdicts += await _looked("replication", _one(replicas))
        verdicts += await _looked("model", _one(model(settings)))
    if all(verdict.ok for verdict in found):
        verdicts += await _of_topics(settings, admin)
    return verdicts


async def _of_topics(settings: Settings, admin: AIOKafkaAdminClient) -> list[Verdict]:
    async with reading(settings) as consumer:
        return [
            *await _looked("group", _one(cluster.group(settings, admin, consumer))),
            *await _looked("producers", cluster.producers(settings, consumer)),
            *await _looked("webhooks", webhooks(settings, admin, consumer)),
        ]


async def _one(check: Awaitable[Verdict]) -> list[Verdict]:
    return [await check]


async def _looked(name: str, check: Awaitable[list[Verdict]]) -> list[Verdict]:
    """Return what ``check`` finds; that it could not look is a finding too."""
    try:
        return await asyncio.wait_for(check, 2 * ANSWER_SECONDS_MAX)
    except (KafkaError, TimeoutError) as error:
        return [_unanswered(name, error)]


async def _refused(settings: Settings) -> Verdict | None:
    """Return why Kafka is of no use though it is there; None if that is not known."""
    refused = await refusal(settings)
    if refused is None:
        return None
    text, _, remedy = refused.partition(": ")
    return Verdict("brokers", False, text, remedy.removesuffix("."))


def _unanswered(name: str, error: Exception) -> Verdict:
    remedy = "see the brokers' logs; then ask again"
    return Verdict(name, False, f"Kafka does not say ({type(error).__name__}: {error})", remedy)
