"""F2: the worker dies at each step of a unit of work. Whole units only are ever seen."""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import NamedTuple

from streamer.broker import EmbeddedKafka
from streamer.records.kafka import CHANGELOG, LTV_UPDATES
from tests.support import fail_points
from tests.support.audit import Audit
from tests.support.fail_points import EXIT_CODE, LAST_WORDS, STEPS
from tests.support.scenario import scenario
from tests.support.topics import uncommitted
from tests.support.worker import STREAMER, Worker

SEED = 2
UNITS_MAX = 40
"""So many units of work at most come before the one that fails."""

DEATH_SECONDS_MAX = 60
COMMITTED_SECONDS_MAX = 30


class Left(NamedTuple):
    """What a death leaves behind: records of an open transaction, and whether the unit counts."""

    rows: bool
    scores: bool
    committed: bool


LEFT = {
    "after_fold": Left(rows=False, scores=False, committed=False),
    "after_changelog": Left(rows=True, scores=False, committed=False),
    "after_scores": Left(rows=True, scores=True, committed=False),
    "before_commit": Left(rows=True, scores=True, committed=False),
    "after_commit": Left(rows=False, scores=False, committed=True),
    "after_memory": Left(rows=False, scores=False, committed=True),
}


class Dying:
    """Lets a worker die at one step after the other, and looks at what it has left."""

    def __init__(self, worker: Worker, audit: Audit, prefix: str, seed: int) -> None:
        self.deaths = 0
        self._worker, self._audit, self._prefix = worker, audit, prefix
        self._random = Random(seed)

    async def at(self, step: str) -> None:
        unit = str(self._random.randint(1, UNITS_MAX))
        self._worker.command = [sys.executable, "-P", fail_points.__file__, step, unit]
        self._worker.start()
        self._worker.may_leave = True
        assert await self._worker.ended(DEATH_SECONDS_MAX) == EXIT_CODE, self._worker.told("ended")
        words = self._worker.log.splitlines()[-1]
        assert words.startswith(LAST_WORDS), self._worker.told(f"did not die {step}")
        told = json.loads(words.removeprefix(LAST_WORDS))
        assert told["step"] == step
        self.deaths += 1
        await self._check(step, told["partition"], told["next"])

    async def _check(self, step: str, partition: int, offsets: dict[str, int]) -> None:
        left = LEFT[step]
        if left.committed:
            await self._audit.wait_for(
                lambda: self._audit.checkpoints[partition].next_offsets == offsets,
                COMMITTED_SECONDS_MAX,
                f"the unit of a worker that died {step} is not there",
            )
        else:
            await self._audit.read()
            checkpoint = self._audit.checkpoints.get(partition)
            committed = checkpoint.next_offsets if checkpoint else {}
            assert committed != offsets, f"half a unit of work counts {step}"
        deadline = time.monotonic() + COMMITTED_SECONDS_MAX
        while await self._open(partition) != (left.rows, left.scores):  # markers take their time
            assert time.monotonic() < deadline, f"died elsewhere than {step}"

    async def _open(self, partition: int) -> tuple[bool, ...]:
        bootstrap, prefix = self._audit.bootstrap, self._prefix
        topics = prefix + CHANGELOG, prefix + LTV_UPDATES
        return tuple([await uncommitted(bootstrap, topic, partition) for topic in topics])


async def test_dying_at_any_step_loses_nothing_and_counts_nothing_twice(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    assert set(LEFT) == set(STEPS)
    async with scenario(kafka.bootstrap, tmp_path, SEED, soak_seconds or 30) as plot:
        worker = plot.corner.worker("worker")
        dying = Dying(worker, plot.audit, plot.corner.prefix, SEED)
        async with plot.load():
            began = time.monotonic()
            while dying.deaths < len(STEPS) or time.monotonic() - began < soak_seconds:
                await dying.at(STEPS[dying.deaths % len(STEPS)])
            worker.command = [STREAMER, "worker"]
            worker.may_leave = False
            worker.start()
            await worker.ready()
            await asyncio.sleep(1)
        assert await worker.stop() == 0, worker.told("did not end well")
        await plot.audit.read()
    summary("F2 fail points", deaths=dying.deaths, **plot.figures())
    plot.check()
