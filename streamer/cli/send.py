"""``streamer send FILE``."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streamer.cli.layout import Columns, DateFormat, DecimalComma, layout_of
from streamer.engine.sending import send as send_events
from streamer.files import read_lines
from streamer.settings import load_settings


def send(
    file: Annotated[
        str,
        typer.Argument(
            help="events as JSONL, or transactions as CSV, Parquet or CDNOW; - is stdin"
        ),
    ],
    *,
    columns: Columns = "",
    date_format: DateFormat = "",
    decimal_comma: DecimalComma = False,
) -> None:
    """Publish events, as they stand, to the topics of their types, keyed by customer.

    Example: streamer simulate --customers 100 | streamer send -
    """
    settings = load_settings()
    layout = layout_of(columns, date_format, decimal_comma=decimal_comma)
    values = read_lines(file, settings.reporting_currency, layout)
    console = Console(stderr=True)
    shown = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(
        *shown, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("sending")
        count = asyncio.run(
            send_events(settings, values, lambda n: progress.update(task, description=f"{n} sent"))
        )
    typer.echo(f"{count} events sent to {settings.brokers}")
