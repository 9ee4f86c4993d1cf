"""``streamer webhooks run`` and ``test``."""

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import msgspec
import typer
from rich.console import Console

from streamer.cli.logs import quieten
from streamer.cli.showing import UsageError
from streamer.endpoints import Endpoint
from streamer.engine.access import check_access
from streamer.engine.topics import create_topics
from streamer.errors import StreamerError
from streamer.settings import Settings, load_settings
from streamer.webhooks.answers import Answer
from streamer.webhooks.messages import Message
from streamer.webhooks.posting import client, post
from streamer.webhooks.service import Service


class NotTakenError(StreamerError):
    """An endpoint does not take what it is told."""


def run() -> None:
    """Tell the endpoints of STREAMER_WEBHOOK_URLS what is published, until stopped.

    Example: STREAMER_HTTP_PORT=6070 streamer webhooks run
    """
    settings = load_settings()
    check_endpoints(settings)
    logging.basicConfig(
        level=settings.log_level, format="[%(asctime)s] [%(levelname)s] %(message)s"
    )
    quieten()
    asyncio.run(_run(settings))


async def _run(settings: Settings) -> None:
    if settings.create_topics:
        await create_topics(settings)
    await check_access(settings, "webhooks")
    for endpoint in settings.endpoints:
        Console(stderr=True).print(
            f"telling {endpoint.name} at {endpoint.origin}: {', '.join(endpoint.outputs)}",
            highlight=False,
        )
    running = asyncio.ensure_future(Service(settings).run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
    with suppress(asyncio.CancelledError):
        await running


def test(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Of STREAMER_WEBHOOK_URLS.")],
) -> None:
    """Tell one endpoint that this is a test, signed as everything else, and say what it answers.

    Example: streamer webhooks test crm
    """
    settings = load_settings()
    endpoint = endpoint_of(settings, name)
    answer = asyncio.run(_try(settings, endpoint))
    if not answer.is_accepted:
        raise NotTakenError(
            f"{endpoint.origin} answered: {answer}. See its log; the body has the type `test`."
        )
    typer.echo(f"{endpoint.origin} answered {answer}")


async def _try(settings: Settings, endpoint: Endpoint) -> Answer:
    at = datetime.now(UTC).isoformat()
    body = msgspec.json.encode({"type": "test", "timestamp": at, "data": {}})
    async with client(settings.webhook_timeout_seconds) as http:
        return await post(http, endpoint, Message(f"test-{uuid4()}", body))


def check_endpoints(settings: Settings) -> None:
    """Return if there is an endpoint.

    Raises:
        UsageError: there is none.
    """
    if not settings.endpoints:
        raise UsageError(
            "there is nobody to tell: set STREAMER_WEBHOOK_URLS; see docs/webhooks.md."
        )


def endpoint_of(settings: Settings, name: str) -> Endpoint:
    """Return the endpoint ``name``.

    Raises:
        UsageError: there is none of this name.
    """
    check_endpoints(settings)
    for endpoint in settings.endpoints:
        if endpoint.name == name:
            return endpoint
    raise UsageError(f"there is no endpoint {name!r} in STREAMER_WEBHOOK_URLS.")
