"""F4: a worker frozen past its session wakes up when another has its partitions: a zombie."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from streamer.broker import EmbeddedKafka
from tests.support.audit import Audit
from tests.support.scenario import scenario
from tests.support.worker import Worker

SEED = 4
SHORT_SECONDS = 40
SESSION_SECONDS = 6
TAKEN_OVER_SECONDS_MAX = 40
BACK_SECONDS_MAX = 25


class Freezer:
    """Freezes a worker until its session is over, and others, if any, have its partitions."""

    def __init__(self, audit: Audit, seed: int) -> None:
        self.freezes = 0
        self.taken_over_seconds: list[float] = []
        self.exit_codes: list[int] = []
        """Of the zombies that left; the others joined again."""
        self._audit, self._random = audit, Random(seed)

    async def once(self, worker: Worker, *, alone: bool) -> None:
        await asyncio.sleep(self._random.uniform(0.5, 2))
        frozen_at = time.time()
        worker.freeze()
        worker.may_leave = True
        self.freezes += 1
        if alone:
            await asyncio.sleep(SESSION_SECONDS + 2)
        else:
            taken_over_at = await self._audit.moved(
                frozen_at + SESSION_SECONDS / 2, TAKEN_OVER_SECONDS_MAX
            )
            self.taken_over_seconds.append(taken_over_at - frozen_at)
        thawed_at = time.time()
        worker.thaw()
        await self._back(worker, thawed_at)

    async def _back(self, worker: Worker, thawed_at: float) -> None:
        """Wait until the zombie works again; if it chose to end, start it as a supervisor would."""
        moved = asyncio.create_task(self._audit.moved(thawed_at + 2, BACK_SECONDS_MAX))
        while not moved.done():
            if not worker.is_running:
                self.exit_codes.append(await worker.ended(0))
                worker.start()
            await asyncio.wait([moved], timeout=0.2)
        await moved
        await worker.ready()
        worker.may_leave = False


async def test_a_zombie_changes_nothing(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    seconds = soak_seconds or SHORT_SECONDS
    settings = {"session_timeout_seconds": SESSION_SECONDS}
    async with scenario(kafka.bootstrap, tmp_path, SEED, seconds, **settings) as plot:
        one, two = plot.corner.worker("one"), plot.corner.worker("two")
        one.start()
        await one.ready()
        freezer = Freezer(plot.audit, SEED)
        async with plot.load():
            began = time.monotonic()
            await freezer.once(one, alone=True)
            two.start()
            await two.ready()
            while freezer.freezes < 3 or time.monotonic() - began < soak_seconds:
                await freezer.once((one, two)[freezer.freezes % 2], alone=False)
        for worker in (one, two):
            assert await worker.stop() == 0, worker.told("did not end well")
        await plot.audit.read()
    summary(
        "F4 zombies",
        freezes=freezer.freezes,
        seconds_until_taken_over_max=round(max(freezer.taken_over_seconds), 1),
        partition_still_seconds_max=round(max(plot.audit.still_max.values()), 1),
        zombies_that_left=len(freezer.exit_codes),
        **plot.figures(),
    )
    plot.check()
