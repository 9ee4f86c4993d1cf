"""Following the outputs for one endpoint: in order for each customer, side by side for many.

Records under way are bounded: beyond that nothing is read, and they wait in Kafka. What is
committed is settled, so after a crash what was under way is told once more, under the same id.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError

from streamer.endpoints import Endpoint
from streamer.engine.clients import connection
from streamer.records.kafka import KINDS
from streamer.settings import Settings
from streamer.webhooks import metrics
from streamer.webhooks.delivery import Delivery, GivenUpError
from streamer.webhooks.letters import Letters
from streamer.webhooks.messages import message_of
from streamer.webhooks.progress import Progress, oldest_of

logger = logging.getLogger(__name__)

UNDER_WAY_MAX = 1_000
POLL_MS = 200
COMMIT_SECONDS = 1.0
DRAIN_SECONDS = 5.0
"""How long requests under way may take to end, when the partitions go elsewhere."""


class Courier(ConsumerRebalanceListener):  # type: ignore[misc] # aiokafka ships no types
    """Tells one endpoint, until Kafka fails.

    Args:
        settings: where Kafka is, and which topics.
        endpoint: the receiver.
        delivery: gets an update there.
        letters: keeps what was given up.
    """

    def __init__(
        self, settings: Settings, endpoint: Endpoint, delivery: Delivery, letters: Letters
    ) -> None:
        self._is_whole = settings.webhook_from_beginning
        self._endpoint = endpoint
        self._delivery = delivery
        self._letters = letters
        self._kinds = {settings.topics[output]: KINDS[output] for output in endpoint.outputs}
        self._consumer = _consumer(settings, endpoint)
        self._progress: dict[TopicPartition, Progress] = {}
        self._committed: dict[TopicPartition, int] = {}
        self._waiting: dict[bytes | None, deque[ConsumerRecord]] = {}
        """By customer: the updates under way, in their order."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._fault: BaseException | None = None
        self._leaving = False
        self.moved_at = time.monotonic()
        """When Kafka was asked last for more."""

    async def run(self) -> None:
        """Go on until cancelled.

        Raises:
            KafkaError: Kafka is out of reach, or a dead letter cannot be written.
        """
        self._consumer.subscribe(list(self._kinds), listener=self)
        try:
            await self._consumer.start()
            while True:
                commit_at = time.monotonic() + COMMIT_SECONDS
                while time.monotonic() < commit_at:
                    self._take(await self._more())
                await self._pass_markers()
                await self._commit()
        finally:
            try:
                await self._leave()
            finally:
                await self._consumer.stop()

    async def _more(self) -> list[ConsumerRecord]:
        """Return what is new, if there is room; ask in any case, or the group thinks us dead.

        Raises:
            BaseException: what a delivery failed of.
        """
        if self._fault is not None:
            raise self._fault
        self.moved_at = time.monotonic()
        room = UNDER_WAY_MAX - sum(map(len, self._waiting.values()))
        partitions = self._consumer.assignment()
        if room > 0:
            self._consumer.resume(*partitions)
        else:
            self._consumer.pause(*partitions)
        batches = await self._consumer.getmany(timeout_ms=POLL_MS, max_records=max(room, 1))
        return [record for batch in batches.values() for record in batch]

    # -- one customer after the other -----------------------------------------------------------

    def _take(self, records: Iterable[ConsumerRecord]) -> None:
        for record in records:
            progress = self._progress.get(TopicPartition(record.topic, record.partition))
            if progress is None or not progress.is_new(record.offset):
                continue  # its partition is just going, or coming
            progress.begin(record.offset, record.timestamp)
            queue = self._waiting.setdefault(record.key, deque())
            queue.append(record)
            if len(queue) == 1:
                task = asyncio.create_task(self._carry(queue))
                self._tasks.add(task)
                task.add_done_callback(self._ended)

    async def _carry(self, queue: deque[ConsumerRecord]) -> None:
        """Tell one customer's updates, the next when the last is settled."""
        key = queue[0].key
        while queue and not self._leaving:
            await self._settle(queue[0])
            queue.popleft()
        if not queue:
            del self._waiting[key]

    async def _settle(self, record: ConsumerRecord) -> None:
        try:
            await self._delivery.deliver(message_of(record, self._kinds[record.topic]))
        except GivenUpError as error:
            await self._letters.keep(record, self._endpoint.name, str(error))
            metrics.DEAD_LETTERS.labels(self._endpoint.name).inc()
            logger.warning(
                "webhook %s: %s-%d-%d is a dead letter: %s",
                self._endpoint.name, record.topic, record.partition, record.offset, error,
            )  # fmt: skip
        self._progress[TopicPartition(record.topic, record.partition)].settle(record.offset)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._fault = task.exception()

    # -- partitions come and go -----------------------------------------------------------------

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin where this endpoint's group has got to; a new one at the end, or the beginning."""
        try:
            for tp in assigned:
                position = await self._start_of(tp)
                self._consumer.seek(tp, position)
                self._progress[tp] = Progress(position)
        except KafkaError as error:  # aiokafka would log it and go on
            self._fault = error

    async def _start_of(self, tp: TopicPartition) -> int:
        committed: int | None = await self._consumer.committed(tp)
        if committed is not None:
            self._committed[tp] = committed
            return committed
        asked = self._consumer.beginning_offsets if self._is_whole else self._consumer.end_offsets
        offsets: dict[TopicPartition, int] = await asked([tp])
        return offsets[tp]

    async def on_partitions_revoked(self, _: Iterable[TopicPartition]) -> None:
        """Settle what can be in a moment, and forget the rest: its new owner begins with it."""
        try:
            await self._leave()
        except KafkaError as error:
            self._fault = error

    async def _leave(self) -> None:
        self._leaving = True
        try:
            for task in self._tasks - self._delivery.posting:
                task.cancel()
            if self._tasks:
                _, late = await asyncio.wait(self._tasks, timeout=DRAIN_SECONDS)
                for task in late:
                    task.cancel()
                await asyncio.gather(*late, return_exceptions=True)
            await self._commit()
        finally:
            self._progress.clear()
            self._committed.clear()
            self._waiting.clear()
            self._leaving = False

    async def _pass_markers(self) -> None:
        """Count what only ends transactions as read: else the last updates never seem settled."""
        for tp, progress in list(self._progress.items()):
            if progress.oldest is None:
                with suppress(IllegalStateError):  # the partition is just going
                    progress.reach(await self._consumer.position(tp))

    async def _commit(self) -> None:
        self._measure()
        settled = {tp: progress.position for tp, progress in self._progress.items()}
        changed = {tp: at for tp, at in settled.items() if self._committed.get(tp) != at}
        if not changed:
            return
        try:
            await self._consumer.commit(changed)
        except (CommitFailedError, IllegalStateError):
            return  # the partitions have gone: who has them now tells it again
        self._committed |= changed

    def _measure(self) -> None:
        name, behind = self._endpoint.name, 0
        for tp in self._consumer.assignment() & self._progress.keys():
            end = self._consumer.highwater(tp) or 0
            behind += max(0, end - self._progress[tp].position)
        oldest = oldest_of(self._progress.values())
        metrics.UNDER_WAY.labels(name).set(sum(map(len, self._waiting.values())))
        metrics.LAG.labels(name).set(behind)
        metrics.LAG_SECONDS.labels(name).set(0 if oldest is None else time.time() - oldest / 1000)


def _consumer(settings: Settings, endpoint: Endpoint) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **connection(settings),
        group_id=settings.webhook_group_id(endpoint.name),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=round(settings.session_timeout_seconds * 1000),
        # A customer's partition is of the same number in each topic: with one worker, then.
        partition_assignment_strategy=(RangePartitionAssignor,),
    )
