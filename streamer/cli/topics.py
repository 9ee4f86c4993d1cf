"""``streamer topics create|check|acls``."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console

from streamer.cli.showing import print_json
from streamer.engine.acls import Role, acls
from streamer.engine.topics import check_topics, create_topics, topics_of
from streamer.settings import load_settings

topics = typer.Typer(
    help="Make or check the topics, or say who needs which rights on them.", no_args_is_help=True
)


@topics.command()
def create() -> None:
    """Make every missing topic with the configured partitions and replication; idempotent.

    Example: STREAMER_PARTITIONS=8 streamer topics create
    """
    settings = load_settings()
    made = asyncio.run(create_topics(settings))
    for name in made:
        typer.echo(f"created {name}")
    typer.echo(f"{len(topics_of(settings))} topics, {len(made)} of them new")


@topics.command()
def check() -> None:
    """Say what is wrong with the topics, and the remedy; exit code 1 if anything is.

    Example: streamer topics check
    """
    settings = load_settings()
    findings = asyncio.run(check_topics(settings))
    console = Console()
    for finding in findings:
        console.print(f"[red]{finding.topic}[/] {finding.fault}: {finding.remedy}", soft_wrap=True)
    if findings:
        raise typer.Exit(1)
    console.print(f"all {len(topics_of(settings))} topics are as needed")


@topics.command("acls")
def show_acls(
    role: Annotated[Role, typer.Option(help="Who is to be allowed.")] = "worker",
    principal: Annotated[str, typer.Option(help="Kafka's name for it.")] = "User:streamer",
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the rights as JSON.")] = False,
) -> None:
    """Print the rights that a part needs, and no others, as options of Kafka's `kafka-acls`.

    Example: streamer topics acls | xargs -L1 kafka-acls --bootstrap-server HOST:PORT
    """
    needed = acls(role, load_settings())
    if json:
        print_json([acl._asdict() for acl in needed])
        return
    for acl in needed:
        typer.echo(f"--add --allow-principal {principal} {acl}")
