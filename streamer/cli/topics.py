"""``streamer topics create|check``."""

import asyncio

import typer
from rich.console import Console

from streamer.engine.topics import TOPICS, check_topics, create_topics
from streamer.settings import load_settings

topics = typer.Typer(help="Make or check the topics.", no_args_is_help=True)


@topics.command()
def create() -> None:
    """Make every missing topic with the configured partitions and replication; idempotent."""
    settings = load_settings()
    made = asyncio.run(create_topics(settings))
    for name in made:
        typer.echo(f"created {name}")
    typer.echo(f"{len(TOPICS)} topics, {len(made)} of them new")


@topics.command()
def check() -> None:
    """Say what is wrong with the topics, and the remedy; exit code 1 if anything is."""
    findings = asyncio.run(check_topics(load_settings()))
    console = Console()
    for finding in findings:
        console.print(f"[red]{finding.topic}[/] {finding.fault}: {finding.remedy}", soft_wrap=True)
    if findings:
        raise typer.Exit(1)
    console.print(f"all {len(TOPICS)} topics are as needed")
