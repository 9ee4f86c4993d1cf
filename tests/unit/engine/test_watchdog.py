"""A real partition task whose writes are never answered, watched."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Literal, cast

import pytest
from aiokafka import AIOKafkaProducer
from faust.types import TP
from prometheus_client import generate_latest

from streamer import metrics
from streamer.engine.counting import Pace
from streamer.engine.rounds import Rounds
from streamer.engine.scoring import SharedScoring
from streamer.engine.task import PartitionTask
from streamer.engine.transport import Fetch, Reading
from streamer.engine.watchdog import Watchdog
from streamer.records.instants import DAY
from streamer.records.kafka import FileRecord
from streamer.settings import Settings

NUMBER = 3


class SilentProducer(AIOKafkaProducer):  # type: ignore[misc]
    """A broker that takes requests and answers none."""

    async def begin_transaction(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """There is nothing to stop."""


class OnePartition:
    """Stands in for the app: one partition, read to the end of what was offered."""

    model = None
    rebalancing = False
    ready = True

    def __init__(self, clock: Literal["wall", "stream"] = "stream") -> None:
        self.settings = Settings(_env_file=None, partitions=4, stall_seconds=30, clock=clock)
        self.pace = Pace()
        self.configuration = self.settings.configuration("test")
        self.scoring = SharedScoring(self.configuration)
        self.rounds = Rounds()
        self.tasks = {NUMBER: PartitionTask(NUMBER, cast("Any", self))}
        self.end = 0

    def caught_up(self, number: int) -> bool:
        return False

    def partitions_of(self, number: int) -> list[TP]:
        return [TP("purchases", number)]

    def reading(self, tp: TP) -> Reading | None:
        return Reading(0, self.end, self.end)


@asynccontextmanager
async def working(shell: OnePartition, producer: object) -> AsyncIterator[PartitionTask]:
    task = shell.tasks[NUMBER]
    task._producer = cast("Any", producer)
    task.inbox.expect({"purchases": 0}, 1)
    task.start()
    yield task
    await task.stop()


async def test_a_partition_whose_writes_are_never_answered_is_told_of() -> None:
    shell = OnePartition()
    watchdog, clock = Watchdog(cast("Any", shell), shell.settings), count(0, 10)

    def looked_at(times: int) -> str:
        for _ in range(times):
            watchdog.check({TP("purchases", NUMBER): shell.end}, next(clock))
        return watchdog.cause

    async with working(shell, SilentProducer(transactional_id="silent")) as task:
        assert looked_at(60) == ""
        records = [FileRecord("purchases", NUMBER, 0, 0, b"c", b"{}", ())]
        shell.end = 1
        task.offer(Fetch(1, "purchases", NUMBER, 0, 1, cast("Any", records)))
        await asyncio.sleep(0.01)
        assert task.inbox.buffered == 0, "it is not in flight"
        assert looked_at(2) == ""
        task.failure = "NoAnswer()"
        assert looked_at(1) == (
            "partition 3: purchases stands at offset 0 with 1 to come, read but not committed, "
            "for 30 s now (NoAnswer())"
        )
        assert 'streamer_consumer_lag_records{partition="3"} 1.0' in exposed()
        assert 'streamer_partition_stalled_seconds{partition="3"} 30.0' in exposed()
    assert 'partition="3"' not in exposed()
    shell.tasks.clear()
    assert looked_at(1) == ""


@pytest.mark.parametrize(("clock", "due"), [("wall", 2), ("stream", 0)])
async def test_silence_that_is_due_and_not_told_is_counted(
    clock: Literal["wall", "stream"], due: int
) -> None:
    shell = OnePartition(clock)
    grace = round(shell.settings.silence_grace_seconds * 1_000_000)
    now = time.time_ns() // 1_000
    instants = {"long ago": now - DAY, "just now": now - grace - 1, "in grace": now - grace // 2}
    shell.tasks[NUMBER].partition.timers.load({**instants, "tomorrow": now + DAY})
    Watchdog(cast("Any", shell), shell.settings).check({TP("purchases", NUMBER): 0}, 0)
    assert f'streamer_silence_timers_due{{partition="3"}} {due}.0' in exposed()


def exposed() -> str:
    return generate_latest(metrics.REGISTRY).decode()
