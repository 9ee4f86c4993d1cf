"""What may happen to workers, at times and in ways that follow from a seed."""

import asyncio
import time
from collections.abc import Sequence
from random import Random
from statistics import median

from tests.support.audit import Audit
from tests.support.worker import Worker

SESSION_SECONDS = 6
"""After which a frozen worker loses its partitions."""

PROGRESS_SECONDS_MAX = 60
TAKEN_OVER_SECONDS_MAX = 60
BACK_SECONDS_MAX = 60


class Killer:
    """Kills workers again and again, at times half-way into their recovery, and takes the time."""

    def __init__(self, audit: Audit, seed: int) -> None:
        self.kills = 0
        self.ready_seconds: list[float] = []
        self.back_seconds: list[float] = []
        """From a kill to the first commit after it that consumed something."""
        self._audit = audit
        self._random = Random(seed)

    async def once(self, worker: Worker) -> None:
        await asyncio.sleep(self._random.uniform(0.3, 3))
        self._strike(worker)
        if self._random.random() < 0.3:
            await asyncio.sleep(self._random.uniform(0.3, 3))
            self._strike(worker)
        killed_at = worker.started_at
        self.ready_seconds.append(await worker.ready())
        await self._audit.wait_for(
            lambda: self._audit.commits_since(killed_at),
            BACK_SECONDS_MAX,
            "nothing is committed after a kill",
        )
        self.back_seconds.append(self._audit.commits_since(killed_at)[0][0] - killed_at)

    def _strike(self, worker: Worker) -> None:
        worker.kill()
        self.kills += 1
        worker.start()

    def figures(self) -> dict[str, object]:
        return {
            "kills": self.kills,
            "seconds_to_ready_median": round(median(self.ready_seconds), 1),
            "seconds_to_ready_max": round(max(self.ready_seconds), 1),
            "seconds_to_first_commit_median": round(median(self.back_seconds), 1),
            "seconds_to_first_commit_max": round(max(self.back_seconds), 1),
        }


class Coming:
    """Starts workers until all run, then ends them until one is left, and so on."""

    def __init__(self, workers: Sequence[Worker], audit: Audit, seed: int) -> None:
        self.changes = 0
        self.progress_seconds: list[float] = []
        """From a change to the moment when every partition has committed since."""
        self._workers, self._audit = workers, audit
        self._rising = True
        self._random = Random(seed)

    async def once(self) -> None:
        """Start an absent worker, or end one; wait until all partitions move."""
        changed_at = time.time()
        running = [worker for worker in self._workers if worker.is_running]
        absent = [worker for worker in self._workers if not worker.is_running]
        if not absent or len(running) == 1:
            self._rising = bool(absent)
        if self._rising:
            absent[0].start()
        else:
            await self._end(self._random.choice(running))
        self.changes += 1
        moved_at = await self._audit.moved(changed_at, PROGRESS_SECONDS_MAX)
        if self._rising:
            await absent[0].ready()
        self.progress_seconds.append(moved_at - changed_at)
        await asyncio.sleep(self._random.uniform(0, 2))

    async def _end(self, worker: Worker) -> None:
        if self._random.random() < 0.5:
            worker.kill()
        else:
            assert await worker.stop() == 0, worker.told("did not end well")


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
