"""The API and the page of one worker: what they need, and all their routes."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from aiohttp import web
from mode import Service

from streamer.engine.app import StreamerApp
from streamer.engine.following import MeasureWatch
from streamer.pipeline import Partition
from streamer.pipeline.index import Totals
from streamer.records.instants import NEVER
from streamer.web import page
from streamer.web.api import changes, customers, description, events, model, shop, what_if
from streamer.web.changes import Changes
from streamer.web.intake import EventIntake
from streamer.web.peers import Peers
from streamer.web.routing import Route, mount
from streamer.web.tokens import Gate
from streamer.web.views.overview import Course, sample_of, sum_of

SAMPLE_SECONDS = 5.0
"""How often the risk bands are noted."""

RENEW_SECONDS = 0.5
"""Between looks at which customers of the index are of an earlier day."""

RENEWED_AT_ONCE = 250
"""Customers: some milliseconds."""

RENEWING_SHARE = 0.05
"""Of the time of the process. A million customers, each once a day, need a hundredth of that."""

ROUTES: Sequence[Route] = tuple(
    chain(
        customers.ROUTES,
        shop.ROUTES,
        model.ROUTES,
        what_if.ROUTES,
        changes.ROUTES,
        events.ROUTES,
        description.ROUTES,
    )
)


class Site(Service):
    """What handlers ask for."""

    def __init__(self, app: StreamerApp, version: str, **options: Any) -> None:
        super().__init__(**options)
        self.app = app
        self.settings = app.settings
        self.version = version
        self.routes = ROUTES
        self.gate = Gate(app.settings)
        self.peers = Peers(app)
        self.course = Course()
        self.measures = MeasureWatch(app.settings)
        self.add_dependency(self.measures)
        self.changes = Changes(app.settings)
        self.intake = EventIntake(app.settings)

    def mount(self, application: web.Application) -> None:
        """Answer for everything under ``/v1`` and the page."""
        for route in self.routes:
            mount(application.router, route, self)
        page.mount(application.router)
        application.on_shutdown.append(self._let_go)

    async def _let_go(self, _: web.Application) -> None:
        """End what would never end by itself, and hold up the server's end."""
        await self.changes.close()

    async def on_stop(self) -> None:
        """Drop the connections to other workers, and publish what is on its way."""
        await self.peers.close()
        await self.intake.close()

    # -- what there is here --------------------------------------------------------------------

    def now(self) -> datetime:
        """Return the clock's time."""
        return datetime.now(UTC)

    def partitions(self) -> list[Partition]:
        """Return the partitions at work here, those that are being recovered left out."""
        return list(self.peers.own().values())

    async def totals(self) -> Totals:
        """Return the sums over all customers here; events pass between slices of them."""
        found = []
        for partition in self.partitions():
            for totals in partition.index.totals() if partition.index is not None else ():
                found.append(totals)
                await asyncio.sleep(0)
        return sum_of(found)

    @Service.task
    async def _renew(self) -> None:
        """Renew what a day's silence has moved, within a share of the process's time."""
        while not self.should_stop:
            longest = 0.0
            for partition in self.partitions():
                began = time.monotonic()
                partition.renew(RENEWED_AT_ONCE)
                longest = max(longest, time.monotonic() - began)
                await self.sleep(longest * (1 / RENEWING_SHARE - 1))
            await self.sleep(RENEW_SECONDS)

    @Service.task
    async def _note_bands(self) -> None:
        while not self.should_stop:
            await self.sleep(SAMPLE_SECONDS)
            partitions = self.partitions()
            instant = max((one.time for one in partitions), default=NEVER)
            # While customers are still being gone through, a part would look like a fall.
            if instant != NEVER and all(one.counting.has_counted_all for one in partitions):
                self.course.offer(sample_of(await self.totals(), instant, self.now()))
