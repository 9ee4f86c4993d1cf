"""F1, F3 and F4 together for as long as one likes: `make chaos MINUTES=30 SEED=7`."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from streamer.broker import EmbeddedKafka
from tests.support.chaos import SESSION_SECONDS, Coming, Freezer, Killer
from tests.support.scenario import Scenario, scenario
from tests.support.worker import Worker

SEED = int(os.environ.get("STREAMER_CHAOS_SEED", "1"))
EVENTS_PER_SECOND = 300
NAMES = ("one", "two", "three")


class Chaos:
    """Three workers, killed, frozen, started and ended, one trouble after the other."""

    def __init__(self, plot: Scenario, seed: int) -> None:
        self._workers = [plot.corner.worker(name) for name in NAMES]
        self._audit, self._random = plot.audit, Random(seed)
        self._killer = Killer(plot.audit, seed)
        self._coming = Coming(self._workers, plot.audit, seed)
        self._freezer = Freezer(plot.audit, seed)

    @property
    def _running(self) -> list[Worker]:
        return [worker for worker in self._workers if worker.is_running]

    async def begin(self) -> None:
        self._workers[0].start()
        await self._workers[0].ready()

    async def once(self) -> None:
        worker = self._random.choice(self._running)
        trouble = self._random.choices(("kill", "come", "freeze"), weights=(3, 3, 1))[0]
        if trouble == "kill":
            await self._killer.once(worker)
        elif trouble == "come":
            await self._coming.once()
        else:
            await self._freezer.once(worker, alone=len(self._running) == 1)

    async def end(self) -> None:
        for worker in self._running:
            assert await worker.stop() == 0, worker.told("did not end well")
        await self._audit.read()

    def figures(self) -> dict[str, object]:
        assignments = sum(worker.log.count("[INFO] partitions [") for worker in self._workers)
        return {
            "kills": self._killer.kills,
            "workers_come_or_gone": self._coming.changes,
            "workers_frozen": self._freezer.freezes,
            "zombies_that_left": len(self._freezer.exit_codes),
            "assignments": assignments,
            "partition_still_seconds_max": round(max(self._audit.still_max.values()), 1),
        }


async def test_nothing_is_lost_in_chaos(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    if not soak_seconds:
        pytest.skip("F1, F3 and F4 have their own short forms; this is `make chaos`")
    async with scenario(
        kafka.bootstrap,
        tmp_path,
        SEED,
        soak_seconds,
        EVENTS_PER_SECOND,
        session_timeout_seconds=SESSION_SECONDS,
    ) as plot:
        chaos = Chaos(plot, SEED)
        await chaos.begin()
        async with plot.load():
            began = time.monotonic()
            while time.monotonic() - began < soak_seconds:
                await chaos.once()
        await chaos.end()
    differences = plot.differences()
    summary(
        "chaos",
        seed=SEED,
        seconds=round(soak_seconds),
        **chaos.figures(),
        **plot.figures(),
        differences=len(differences),
    )
    plot.check()
