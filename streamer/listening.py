"""Listening for HTTP, and what Prometheus reads: of a worker, and of who tells webhooks."""

import errno
from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from streamer.errors import StreamerError
from streamer.settings import Settings


async def listen(application: web.Application, settings: Settings) -> web.AppRunner:
    """Serve ``application`` until its runner is cleaned up; bodies stay compressed.

    Raises:
        StreamerError: the port is taken, or the address is not this machine's.
    """
    runner = web.AppRunner(application, access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        await runner.cleanup()
        raise StreamerError(_refusal(settings, error)) from None
    return runner


def _refusal(settings: Settings, error: OSError) -> str:
    host, port = settings.http_host, settings.http_port
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} on {host} is taken (STREAMER_HTTP_PORT): end what listens there, "
            "or choose another port."
        )
    return (
        f"cannot listen on {host}:{port} ({error.strerror}): set STREAMER_HTTP_HOST to an address "
        "of this machine, and STREAMER_HTTP_PORT to a port that is allowed."
    )


def metrics_page(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the page of ``registry`` for Prometheus: all metrics, or those of ``name[]``."""

    async def page(request: web.Request) -> web.Response:
        names = request.query.getall("name[]", [])
        told = registry.restricted_registry(names) if names else registry
        return web.Response(
            body=generate_latest(told), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return page
