"""Fitting the model to the whole shop as Kafka has it, and doing so on a schedule."""

import asyncio
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from mode import Service

from streamer import metrics
from streamer.engine.models import newest_model
from streamer.engine.rows import read_rows
from streamer.records.models import NO_MODEL, ModelName, ModelParams
from streamer.scoring.ideal.fitting import with_profile
from streamer.scoring.training import Aim, train
from streamer.settings import Settings

logger = logging.getLogger(__name__)

FIRST_FIT_SECONDS = 60.0
"""After the start, so that a worker that restarts again and again does not fit as often."""


async def fit_shop(settings: Settings, model: ModelName) -> ModelParams:
    """Return the model of the rows of all partitions, with the next generation.

    Raises:
        KafkaError: Kafka is out of reach.
    """
    rows, stream_time = await read_rows(settings)
    newest = await newest_model(settings)
    aim = Aim(
        model=model,
        currency=settings.reporting_currency,
        horizon_days=settings.horizon_days,
        interval_level=settings.interval_level,
        generation=1 + (NO_MODEL if newest is None else newest.generation),
    )
    params = await asyncio.to_thread(train, rows, stream_time, datetime.now(UTC), aim)
    return await asyncio.to_thread(with_profile, params, rows, stream_time, settings.scoring())


class FitSchedule(Service):
    """Has a process of its own fit and publish, every so often, where ``leads`` says so."""

    def __init__(self, settings: Settings, leads: Callable[[], bool], **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings
        self._leads = leads

    @Service.task
    async def _fit(self) -> None:
        interval = self._settings.fit_interval_hours * 3600
        if not interval:
            return
        await self.sleep(min(FIRST_FIT_SECONDS, interval))
        while not self.should_stop:
            if self._leads():
                await self._run()
            await self.sleep(interval)

    async def _run(self) -> None:
        # Its own process: the numbers must hold up neither the event loop nor the GIL.
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "streamer", "fit", "--from-kafka", "--json",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            _, said = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
        metrics.FITS.labels("failed" if process.returncode else "done").inc()
        if process.returncode:
            logger.error("the scheduled fit failed: %s", said.decode(errors="replace").strip())
