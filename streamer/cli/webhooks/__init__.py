"""``streamer webhooks``: telling those who cannot read Kafka."""

import typer

from streamer.cli.webhooks.refused import list_, resend
from streamer.cli.webhooks.running import run, test

webhooks = typer.Typer(
    help="Tell marketing tools by signed HTTP requests what is published; see docs/webhooks.md.",
    no_args_is_help=True,
)
webhooks.command("run")(run)
webhooks.command("test")(test)
webhooks.command("list")(list_)
webhooks.command("resend")(resend)
