"""Listening for HTTP, and what Prometheus reads: of a worker, and of who tells webhooks."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from streamer.errors import StreamerError
from streamer.settings import Settings


async def listen(application: web.Application, settings: Settings) -> web.AppRunner:
    """Serve ``application`` until its runner is cleaned up; bodies stay compressed.

    Raises:
        StreamerError: the port is taken.
    """
    runner = web.AppRunner(application, access_log=None, auto_decompress=False)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.http_host, settings.http_port).start()
    except OSError as error:
        await runner.cleanup()
        raise StreamerError(
            f"cannot listen on {settings.http_host}:{settings.http_port} ({error.strerror}): "
            "set STREAMER_HTTP_PORT to a free port."
        ) from None
    return runner


def metrics_page(registry: CollectorRegistry) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the page of ``registry`` for Prometheus: all metrics, or those of ``name[]``."""

    async def page(request: web.Request) -> web.Response:
        names = request.query.getall("name[]", [])
        told = registry.restricted_registry(names) if names else registry
        return web.Response(
            body=generate_latest(told), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    return page
