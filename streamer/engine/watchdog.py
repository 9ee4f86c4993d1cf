"""Watching the partitions at work from beside: their lag, and whether one stands still.

The ends of the topics are asked of Kafka by a client of its own, so that the worker's consumer is
not believed when it says that there is nothing to read. While Kafka does not answer nothing is held
against a partition: to start the worker anew would not help.
"""

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from faust.types import TP
from mode import Service

from streamer import metrics
from streamer.engine.clients import plain_consumer
from streamer.engine.progress import Progress, Standing
from streamer.engine.task import PartitionTask
from streamer.settings import Settings

if TYPE_CHECKING:
    from streamer.engine.app import StreamerApp

logger = logging.getLogger(__name__)

CHECK_SECONDS = 2.0
ANSWER_SECONDS = 5.0
"""How long Kafka may take to tell the ends of the topics."""


class Watchdog(Service):
    """Sets the gauges of lag; ``cause`` says why the worker is better started anew."""

    def __init__(self, app: "StreamerApp", settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._app = app
        self._settings = settings
        self._progress: dict[int, Progress] = {}
        self._caught_up_at: dict[int, float] = {}
        self.cause = ""

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            consumer = plain_consumer(self._settings)
            try:
                await consumer.start()
                await self._check_on(consumer)
            except (KafkaError, OSError, TimeoutError) as error:
                logger.warning("the watchdog does not reach Kafka: %r", error)
                self._pause()
            finally:
                with suppress(KafkaError):
                    await consumer.stop()
            await self.sleep(CHECK_SECONDS)

    async def _check_on(self, consumer: AIOKafkaConsumer) -> None:
        while not self.should_stop:
            metrics.READY.set(self._app.ready)
            numbers = set() if self._app.rebalancing else set(self._app.tasks)
            wanted = [TopicPartition(*tp) for n in numbers for tp in self._app.partitions_of(n)]
            async with asyncio.timeout(ANSWER_SECONDS):
                ends = await consumer.end_offsets(wanted) if wanted else {}
            self.check({TP(*tp): end for tp, end in ends.items()}, time.monotonic())
            await self.sleep(CHECK_SECONDS)

    def _pause(self) -> None:
        metrics.READY.set(self._app.ready)
        for progress in self._progress.values():
            progress.pause(time.monotonic())

    def check(self, ends: dict[TP, int], now: float) -> None:
        """Look at the partitions whose topics end at ``ends``, at ``now`` of a steady clock."""
        tasks = {number: task for number, task in self._app.tasks.items() if not task.lost}
        for gone in self._progress.keys() - tasks:
            del self._progress[gone]
            self._caught_up_at.pop(gone, None)
        causes = [cause for task in tasks.values() if (cause := self._stuck(task, ends, now))]
        if causes and not self.cause:
            logger.critical("no progress: %s", "; ".join(causes))
        self.cause = "; ".join(causes)

    def _stuck(self, task: PartitionTask, ends: dict[TP, int], now: float) -> str:
        """Return why the partition stands still; empty if it does not, or not for long yet."""
        progress = self._progress.setdefault(task.number, Progress(now))
        standings = self._standings(task, ends)
        if standings is None:
            progress.pause(now)
            return ""
        progress.see(now, standings, task.partition.state_bytes)
        self._gauge(task, sum(standing.lag for standing in standings.values()), progress.seconds)
        if progress.seconds < self._settings.stall_seconds:
            return ""
        because = f" ({task.failure})" if task.failure else ""
        return (
            f"partition {task.number}: {progress.cause}, for {progress.seconds:.0f} s now{because}"
        )

    def _standings(self, task: PartitionTask, ends: dict[TP, int]) -> dict[str, Standing] | None:
        standings = {}
        for tp in self._app.partitions_of(task.number):
            at = self._app.reading(tp)
            if at is None or tp not in ends:
                return None  # not known while partitions change hands
            applied = task.partition.next_offsets.get(tp.topic, at.sought)
            standings[tp.topic] = Standing(applied, at.read, at.position, ends[tp])
        return standings

    def _gauge(self, task: PartitionTask, lag: int, stalled_seconds: float) -> None:
        label, now = str(task.number), time.time()
        if not lag:
            self._caught_up_at[task.number] = now
        since = max(task.applied_time, self._caught_up_at.get(task.number, 0.0))
        metrics.LAG.labels(label).set(lag)
        metrics.LAG_SECONDS.labels(label).set(now - since if lag and since else 0.0)
        metrics.STALLED.labels(label).set(stalled_seconds)
        due = task.partition.timers.due(round((now - self._settings.silence_grace_seconds) * 1e6))
        metrics.TIMERS_DUE.labels(label).set(due if self._settings.clock == "wall" else 0)
