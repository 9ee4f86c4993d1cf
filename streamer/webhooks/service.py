"""All endpoints of one process, and what SREs ask it: ``/metrics``, ``/livez``, ``/readyz``."""

import asyncio
import logging
import time
from importlib.metadata import version

from aiohttp import ClientSession, web
from aiokafka.errors import KafkaError

from streamer.endpoints import Endpoint
from streamer.engine.following import RETRY_SECONDS
from streamer.listening import listen, metrics_page
from streamer.settings import Settings
from streamer.webhooks import metrics
from streamer.webhooks.courier import Courier
from streamer.webhooks.delivery import Delivery
from streamer.webhooks.letters import Letters
from streamer.webhooks.posting import client

logger = logging.getLogger(__name__)

STILL_SECONDS_MAX = 60.0
"""A courier that has not asked Kafka for so long hangs."""


class Service:
    """One process that delivers webhooks."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._couriers: dict[str, Courier] = {}

    async def run(self) -> None:
        """Tell all endpoints, until cancelled.

        Raises:
            StreamerError: the port is taken.
            KafkaError: Kafka cannot be reached at the start.
        """
        metrics.BUILD.labels(version("streamer")).set(1)
        http = client(self._settings.webhook_timeout_seconds)
        async with http, Letters(self._settings) as letters:
            runner = await self._listen()
            tellings = [
                asyncio.create_task(self._tell(endpoint, http, letters))
                for endpoint in self._settings.endpoints
            ]
            try:
                await asyncio.gather(*tellings)
            finally:
                for telling in tellings:
                    telling.cancel()
                await asyncio.gather(*tellings, return_exceptions=True)
                await runner.cleanup()

    async def _tell(self, endpoint: Endpoint, http: ClientSession, letters: Letters) -> None:
        """Tell one endpoint over whatever befalls Kafka."""
        metrics.begin(endpoint.name)
        delivery = Delivery(http, endpoint, self._settings.webhook_attempts_max)
        while True:
            courier = Courier(self._settings, endpoint, delivery, letters)
            self._couriers[endpoint.name] = courier
            try:
                await courier.run()
            except (KafkaError, OSError) as error:
                logger.warning("webhook %s: %r; trying again", endpoint.name, error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> web.AppRunner:
        application = web.Application()
        application.add_routes(
            [
                web.get("/metrics", metrics_page(metrics.REGISTRY)),
                web.get("/livez", self._livez),
                web.get("/readyz", self._livez),
            ]
        )
        return await listen(application, self._settings)

    async def _livez(self, _: web.Request) -> web.Response:
        moved_at = min((one.moved_at for one in self._couriers.values()), default=time.monotonic())
        still = time.monotonic() - moved_at
        if still > STILL_SECONDS_MAX:
            return web.json_response({"status": "stuck", "seconds": round(still)}, status=503)
        return web.json_response({"status": "alive"})
