"""``streamer dlq``: the dead letters, looked at, explained and sent once more."""

import typer

from streamer.cli.dlq.listing import list_
from streamer.cli.dlq.replaying import replay
from streamer.cli.dlq.showing import show

dlq = typer.Typer(
    help="Look at the dead letters: events that were refused, with the reason; replay them.",
    no_args_is_help=True,
)
dlq.command("list")(list_)
dlq.command("show")(show)
dlq.command("replay")(replay)
