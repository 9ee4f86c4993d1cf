"""Faust's aiokafka transport, but a message is a whole fetch of one topic partition.

Faust's own path costs several tasks, a lock and sensors a record: a hundred times the work itself.
A fetch carries the span of offsets it covers, and the number of the seek it follows. Spans after
one seek join without a gap: so a fetch of before a seek is told from one behind a lost one.
"""

from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple, cast

import aiokafka
from aiokafka.consumer.subscription_state import TopicPartitionState
from faust.transport.drivers.aiokafka import (
    AIOKafkaConsumerThread,
    Consumer,
    Producer,
    Transport,
)
from faust.types import TP, ConsumerMessage

from streamer.engine.clients import connection
from streamer.errors import StreamerError
from streamer.records.kafka import Record


class DataLostError(StreamerError):
    """Records that were never applied are gone from their topic."""


class Fetch(NamedTuple):
    """Records of one topic partition: all there were from offset ``start`` to before ``end``."""

    seek: int
    topic: str
    partition: int
    start: int
    end: int
    records: list[Record]

    def split(self, number: int) -> tuple["Fetch", "Fetch | None"]:
        """Return the first ``number`` records as a fetch, and the rest if there is any."""
        if len(self.records) <= number:
            return self, None
        middle = self.records[number].offset
        return (
            self._replace(end=middle, records=self.records[:number]),
            self._replace(start=middle, records=self.records[number:]),
        )


class Reading(NamedTuple):
    """Where the consumer stands on a topic partition; all are offsets of what comes next."""

    sought: int
    """Where reading began, after the last seek."""
    read: int
    """Behind the last record."""
    position: int


class FetchConsumerThread(AIOKafkaConsumerThread):
    """Owns the aiokafka consumer, in a thread of its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._fetched_to: dict[TP, int] = {}
        self._sought_to: dict[TP, int] = {}
        self._seek_of: dict[TP, int] = {}
        self._settings = cast("Any", self.app).settings
        topics = self._settings.topics
        self._event_topics = frozenset(topics[name] for name in self._settings.event_topics)

    def _stopped_set(self) -> None:
        """Tell the thread to end, unless it has: after a crash it may be the first to."""
        try:
            super()._stopped_set()
        except RuntimeError:
            if not self.thread_loop.is_closed():
                raise

    def _create_worker_consumer(
        self,
        transport: Any,  # noqa: ARG002 - Faust's signature
    ) -> aiokafka.AIOKafkaConsumer:
        conf, settings = self.app.conf, self._settings
        self._assignor = self.app.assignor
        return aiokafka.AIOKafkaConsumer(
            **connection(settings),
            group_id=conf.id,
            group_instance_id=settings.group_instance_id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            # Only until `seek_all`: positions come from the checkpoint. And should one fall out of
            # range later, `_check_nothing_lost` sees the jump.
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=1_048_576,
            # A partition read empty waits for the fetch under way for the others: keep it short.
            fetch_max_wait_ms=25,
            check_crcs=False,
            session_timeout_ms=round(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=round(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=round(conf.broker_heartbeat_interval * 1000),
            # Work happens in another thread: a slow unit of work is no reason to lose membership.
            max_poll_interval_ms=2**31 - 1,
            isolation_level="read_committed",
            retry_backoff_ms=20,
        )

    async def seek_all(self, offsets: Mapping[TP, int], seek: int) -> None:
        """Put the consumer on ``offsets``; fetches from there on carry the number ``seek``."""
        await self.call_thread(self._seek_all, offsets, seek)

    async def _seek_all(self, offsets: Mapping[TP, int], seek: int) -> None:
        consumer = self._ensure_consumer()
        for tp, offset in offsets.items():
            consumer.seek(aiokafka.TopicPartition(*tp), offset)
            self._fetched_to[tp] = self._sought_to[tp] = offset
            self._seek_of[tp] = seek

    async def ranges(self, *tps: TP) -> dict[TP, tuple[int, int]]:
        """Return the first offset held and the end of each topic partition."""
        return cast("dict[TP, tuple[int, int]]", await self.call_thread(self._ranges, tps))

    async def _ranges(self, tps: tuple[TP, ...]) -> dict[TP, tuple[int, int]]:
        consumer = self._ensure_consumer()
        partitions = [aiokafka.TopicPartition(*tp) for tp in tps]
        first = await consumer.beginning_offsets(partitions)
        end = await consumer.end_offsets(partitions)
        return {TP(*tp): (first[tp], end[tp]) for tp in partitions}

    async def commit_for_tools(self, offsets: Mapping[TP, int]) -> None:
        """Commit to the group, for lag tools only: the checkpoint is what counts."""
        await self.call_thread(
            self._ensure_consumer().commit,
            {aiokafka.TopicPartition(*tp): offset for tp, offset in offsets.items()},
        )

    def behind(self, tp: TP) -> int | None:
        """Return the records between the reading position and the end; None if not known."""
        state = self._state(tp)
        if state is None or state.lso is None or not state.has_valid_position:
            return None
        return max(0, int(state.lso) - int(state.position))

    def reading(self, tp: TP) -> Reading | None:
        """Return where ``tp`` is read; None if that is not known."""
        state = self._state(tp)
        if state is None or tp not in self._sought_to or not state.has_valid_position:
            return None
        return Reading(self._sought_to[tp], self._fetched_to[tp], int(state.position))

    def _state(self, tp: TP) -> TopicPartitionState | None:
        subscription = self._ensure_consumer()._subscription.subscription  # noqa: SLF001
        assignment = subscription and subscription.assignment
        if not assignment or aiokafka.TopicPartition(*tp) not in assignment.tps:
            return None
        return assignment.state_value(aiokafka.TopicPartition(*tp))

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,
        max_records: int | None = None,  # noqa: ARG002 - all that has been fetched
    ) -> dict[TP, list[Fetch]]:
        fetched = await super()._fetch_records(consumer, active_partitions, timeout, None)
        # All of them before anything else may happen here: a seek would change the spans.
        fetches = {}
        for partition, records in fetched.items():
            tp = TP(*partition)
            state = self._state(tp)
            if state is None or tp not in self._fetched_to:
                continue  # taken away meanwhile
            start, self._fetched_to[tp] = self._fetched_to[tp], state.position
            fetches[tp] = [Fetch(self._seek_of[tp], *tp, start, state.position, records)]
        for tp, (fetch,) in fetches.items():
            if fetch.records[0].offset > fetch.start and tp.topic in self._event_topics:
                await self._check_nothing_lost(tp, fetch.start)
        return fetches

    async def _check_nothing_lost(self, tp: TP, start: int) -> None:
        """Tell a gap that transactions left from one that deletion left."""
        partition = aiokafka.TopicPartition(*tp)
        first = (await self._ensure_consumer().beginning_offsets([partition]))[partition]
        if first > start:
            raise DataLostError(
                f"{tp.topic}-{tp.partition} was deleted up to offset {first} before {start} was "
                "read: give the topic a longer retention"
            )


class FetchConsumer(Consumer):
    """Hands fetches to Faust as if each were one message."""

    _thread: FetchConsumerThread

    def _new_consumer_thread(self) -> FetchConsumerThread:
        return FetchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    @property
    def thread(self) -> FetchConsumerThread:
        """The owner of the aiokafka consumer."""
        return self._thread

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        """Give what has been fetched."""
        records, _ = await self._wait_next_records(timeout)
        for tp, fetches in (records or {}).items():
            for fetch in fetches:
                if self.flow_active:
                    yield tp, self._to_message(tp, fetch)

    def _to_message(self, tp: TP, record: Fetch) -> ConsumerMessage:
        return ConsumerMessage(
            tp.topic,
            tp.partition,
            record.end,
            0.0,
            0,
            None,
            None,
            cast("Any", record),
            None,
            0,
            0,
            tp,
            generation_id=self.app.consumer_generation_id,
        )


class SilentProducer(Producer):
    """Faust's own producer: it sends nothing here, but connects, and so as every client does."""

    def _settings_auth(self) -> Mapping[str, Any]:
        return connection(cast("Any", self.app).settings)


class FetchTransport(Transport):
    """The transport for ``app.transport``."""

    Consumer = FetchConsumer
    Producer = SilentProducer
