"""For SREs: ``/metrics``, ``/livez`` and ``/readyz``, served from the first moment on."""

from typing import Any

from aiohttp import web
from mode import Service

from streamer.engine.app import StreamerApp
from streamer.listening import listen, metrics_page
from streamer.metrics import REGISTRY
from streamer.web.routing import problems
from streamer.web.site import Site


class OperationsServer(Service):
    """The HTTP server of one worker."""

    def __init__(self, app: StreamerApp, version: str, **kwargs: Any) -> None:
        self._app = app
        self._runner: web.AppRunner | None = None
        super().__init__(**kwargs)
        self._site = Site(app, version)
        self.add_dependency(self._site)

    async def on_start(self) -> None:
        """Listen."""
        routes = web.Application(middlewares=[problems])
        routes.add_routes(
            [
                web.get("/metrics", metrics_page(REGISTRY)),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
            ]
        )
        self._site.mount(routes)
        self._runner = await listen(routes, self._app.settings)

    async def on_stop(self) -> None:
        """Stop listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        """Answer at all: the event loop moves. And no partition with lag stands still."""
        if cause := self._app.watchdog.cause:
            return web.json_response({"status": "stuck", "cause": cause}, status=503)
        return web.json_response({"status": "alive"})

    async def _readyz(self, _: web.Request) -> web.Response:
        recovering = self._app.recovering
        partitions = sorted(self._app.tasks.keys() - recovering.keys())
        if self._app.ready:
            return web.json_response({"status": "ready", "partitions": partitions})
        told = {"status": "recovering", "partitions": partitions, "remaining_records": recovering}
        return web.json_response(told, status=503)
