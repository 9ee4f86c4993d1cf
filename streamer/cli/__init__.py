"""The command line: one command a module, registered here.

A module is imported only when its command is called: `streamer --help` needs neither Faust nor
numpy, and `streamer simulate` needs no Kafka client.
"""

import logging
import sys
from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from streamer.errors import StreamerError

COMMANDS = {
    "demo": "Watch a real shop being scored, on this machine alone.",
    "broker": "Run the embedded Kafka until it is stopped.",
    "worker": "Score events until stopped.",
    "topics": "Make or check the topics.",
    "send": "Publish the events of a file.",
    "replay": "Score a file of events offline, without Kafka.",
    "backtest": "Forecast what is already known, and compare.",
    "simulate": "Write the events of a simulated shop.",
    "fit": "Find a model's parameters in a file of purchases.",
    "predict": "Say what a model of given parameters expects of a customer.",
    "what-if": "Say what a change of orders or retention would be worth.",
    "customer": "Show what is known of a customer.",
    "erase": "Forget a customer: row, scores and referral links.",
    "programme": "Show retention, order value and CLV of the base and its groups.",
    "experiments": "Show what the arms of experiments did, and how sure it is.",
    "ideal": "Show what the most valuable customers have in common.",
    "dlq": "Look at the dead letters.",
    "webhooks": "Tell marketing tools by signed HTTP requests.",
    "config": "Look at the settings.",
    "doctor": "Say what is wrong, and what to do about it.",
    "bench": "Measure throughput and latency on this machine.",
}
"""Name → what it does. Module and function, or Typer application, are of the same name, with an
underscore for a hyphen."""


class _Lazy(TyperCommand):
    """Stands in the list for a command whose module is not imported yet."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Hand over to the command itself."""
        return load(str(self.name)).make_context(*args, **extra)


class _Commands(TyperGroup):
    def __init__(self, **attributes: Any) -> None:
        lazy = {name: _Lazy(name, help=text) for name, text in COMMANDS.items()}
        super().__init__(**{**attributes, "commands": lazy})


def load(name: str) -> Any:
    """Return the command ``name``, imported."""
    module = name.replace("-", "_")
    found = getattr(import_module(f"streamer.cli.{module}"), module)
    group = typer.Typer(add_completion=False)
    group.callback()(_streamer)  # makes it a group even with one command
    if isinstance(found, typer.Typer):
        group.add_typer(found, name=name)
    else:
        group.command(name)(found)
    return typer.main.get_group(group).commands[name]


def _tell_version(value: bool) -> None:
    if value:
        typer.echo(f"streamer {version('streamer')}")
        raise typer.Exit


def _streamer(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_tell_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Customer lifetime value and churn risk from events on Kafka, exactly once.

    Example: streamer demo
    """


app = typer.Typer(
    name="streamer", cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False
)

app.callback()(_streamer)


def main() -> None:
    """Run the command line: an expected error is one sentence and exit code 1."""
    # Clients log what they also raise; the worker sets a level of its own.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app()
    except KeyboardInterrupt:  # before or after the command itself, which gives 130 too
        sys.exit(130)
    except Exception as error:
        sentence = str(error) if isinstance(error, StreamerError) else _of_kafka(error)
        if sentence is None:
            raise
        console = Console(stderr=True)
        console.print(f"streamer: {sentence}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)


def _of_kafka(error: Exception) -> str | None:
    """Return what to do about an error of Kafka's; None if it is something else."""
    errors: Any = sys.modules.get("aiokafka.errors")  # not there: it cannot be one
    if errors is None or not isinstance(error, errors.KafkaError):
        return None
    if isinstance(error, errors.KafkaConnectionError | errors.KafkaTimeoutError):
        return _refusal() or (
            "Kafka cannot be reached or does not answer: start it (`streamer broker` runs one "
            "here) or set STREAMER_BROKERS, and see `streamer doctor`."
        )
    return f"Kafka refused: {error!r}; see `streamer doctor`."


def _refusal() -> str | None:
    """Return why Kafka, though it is there, is of no use; None if that is not known."""
    import asyncio  # noqa: PLC0415 - most commands never need these

    from streamer.engine.access import refusal  # noqa: PLC0415
    from streamer.settings import load_settings  # noqa: PLC0415

    try:
        return asyncio.run(refusal(load_settings()))
    except StreamerError as error:
        return str(error)
