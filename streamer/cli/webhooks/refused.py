"""``streamer webhooks list`` and ``resend``: updates that a receiver refused."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from msgspec import Struct
from rich.console import Console

from streamer.cli.reading import partitions_of, ranges, read, reading
from streamer.cli.showing import counted, print_json, shown_text
from streamer.cli.webhooks.running import NotTakenError, endpoint_of
from streamer.records.kafka import KINDS, WEBHOOK_DEAD_LETTERS, FileRecord
from streamer.serdes.dead_letters import readable_dead_letter
from streamer.settings import Settings, load_settings
from streamer.webhooks.letters import ENDPOINT
from streamer.webhooks.messages import Message, message_of
from streamer.webhooks.posting import client, post

JSON = Annotated[bool, typer.Option("--json", help="Print them as JSON.")]


class Refused(Struct, frozen=True):
    """An update that an endpoint would not take."""

    endpoint: str
    id: str
    """As in its header ``webhook-id``."""
    message: str
    failed_at: str


def list_(*, json: JSON = False) -> None:
    """Show the updates that endpoints refused until they were given up, the oldest first.

    Example: streamer webhooks list --json
    """
    found = [refused for refused, _ in asyncio.run(_letters(load_settings()))]
    if json:
        print_json(found)
        return
    console = Console(highlight=False)
    for one in found:
        console.print(
            f"{one.failed_at} [bold]{one.endpoint}[/] {one.id}: {shown_text(one.message)}",
            soft_wrap=True,
        )
    console.print(f"{counted(len(found), 'update')} refused")


def resend(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of STREAMER_WEBHOOK_URLS.")],
) -> None:
    """Tell one endpoint once more what it refused, each under the id it had.

    What has been told of a customer since has a higher `revision`: the receiver keeps that.

    Example: streamer webhooks resend crm
    """
    settings = load_settings()
    endpoint_of(settings, name)
    taken, refused = asyncio.run(_resend(settings, name))
    if refused:
        raise NotTakenError(
            f"{name} took {counted(taken, 'update')} and refused {refused}: see `streamer "
            f"webhooks list`, and what `streamer webhooks test {name}` says."
        )
    typer.echo(f"{name} took {counted(taken, 'update')}")


async def _letters(settings: Settings) -> list[tuple[Refused, Message]]:
    async with reading(settings, WEBHOOK_DEAD_LETTERS) as consumer:
        found = [_told(settings, record) async for record in _records(settings, consumer)]
    return sorted(found, key=lambda pair: pair[0].failed_at)


async def _records(settings: Settings, consumer: AIOKafkaConsumer) -> AsyncIterator[ConsumerRecord]:
    firsts, ends = await ranges(consumer, partitions_of(settings, WEBHOOK_DEAD_LETTERS))
    async for records in read(consumer, firsts, ends):
        for record in records:
            yield record


def _told(settings: Settings, record: ConsumerRecord) -> tuple[Refused, Message]:
    """Return what a dead letter says, and the delivery as it was."""
    letter = readable_dead_letter(record.key, record.value, record.headers, record.timestamp)
    endpoint = dict(record.headers).get(ENDPOINT) or b""
    first = FileRecord(
        letter.topic, letter.partition, letter.offset, record.timestamp, record.key, record.value
    )
    message = message_of(first, KINDS[letter.topic.removeprefix(settings.topic_prefix)])
    return Refused(endpoint.decode(), message.id, letter.message, letter.failed_at), message


async def _resend(settings: Settings, name: str) -> tuple[int, int]:
    """Return how many were taken, and how many were not."""
    endpoint = endpoint_of(settings, name)
    messages = [
        message for refused, message in await _letters(settings) if refused.endpoint == name
    ]
    taken = 0
    async with client(settings.webhook_timeout_seconds) as http:
        for message in messages:
            taken += (await post(http, endpoint, message)).is_accepted
    return taken, len(messages) - taken
