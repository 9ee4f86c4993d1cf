"""The command line: one command a module, registered here.

A module is imported only when its command is called: `streamer --help` needs neither Faust nor
numpy, and `streamer simulate` needs no Kafka client.
"""

import sys
from importlib import import_module
from typing import Any

import typer
from rich.console import Console
from typer.core import TyperCommand, TyperGroup

from streamer.errors import StreamerError

COMMANDS = {
    "broker": "Run the embedded Kafka until it is stopped.",
    "worker": "Score events until stopped.",
    "topics": "Make or check the topics.",
    "send": "Publish the events of a file.",
    "replay": "Score a file of events offline, without Kafka.",
    "simulate": "Write the events of a simulated shop.",
}
"""Name → what it does. Module and function, or Typer application, are of the same name."""


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
    found = getattr(import_module(f"streamer.cli.{name}"), name)
    group = typer.Typer(add_completion=False)
    group.callback()(_streamer)  # makes it a group even with one command
    if isinstance(found, typer.Typer):
        group.add_typer(found, name=name)
    else:
        group.command(name)(found)
    return typer.main.get_group(group).commands[name]


def _streamer() -> None:
    """Customer lifetime value and churn risk from events on Kafka, exactly once."""


app = typer.Typer(
    name="streamer", cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False
)

app.callback()(_streamer)


def main() -> None:
    """Run the command line: an expected error is one sentence and exit code 1."""
    try:
        app()
    except StreamerError as error:
        Console(stderr=True).print(f"streamer: {error}", style="red", markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:  # before or after the command itself, which gives 130 too
        sys.exit(130)
