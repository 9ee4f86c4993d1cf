"""The command line: one command a module, registered here."""

import sys

import typer
from rich.console import Console

from streamer.cli.broker import broker
from streamer.cli.send import send
from streamer.cli.simulate import simulate
from streamer.cli.topics import topics
from streamer.cli.worker import worker
from streamer.errors import StreamerError

app = typer.Typer(
    name="streamer",
    help="Customer lifetime value and churn risk from events on Kafka, exactly once.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command()(broker)
app.command()(worker)
app.add_typer(topics, name="topics")
app.command()(send)
app.command()(simulate)


def main() -> None:
    """Run the command line: an expected error is one sentence and exit code 1."""
    try:
        app()
    except StreamerError as error:
        Console(stderr=True).print(f"streamer: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
