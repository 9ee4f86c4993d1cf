"""One partition at work: one unit of work in flight, the next takes all that waits.

So units are small when idle, for latency, and large under load, for throughput. The states:

    recover → (offer … process → write → commit)* → stop

A failure of Kafka, being fenced included, drops the rows and recovers in place, if the group says
that the partition is still this worker's; else the coming rebalance says so here too. A bug ends
the worker: the checkpoint has not moved, so nothing is lost.
"""

import asyncio
import logging
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaError,
    MessageSizeTooLargeError,
    OffsetOutOfRangeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)

from streamer import metrics
from streamer.engine import changelog, clients, transaction
from streamer.engine.counting import COUNT_TICK_SECONDS, CountingSchedule
from streamer.engine.inbox import Inbox
from streamer.engine.shell import Shell
from streamer.engine.standby import Copy
from streamer.engine.store.errors import StoreError
from streamer.engine.transport import Fetch
from streamer.pipeline import Partition, UnitOfWork
from streamer.records.instants import NEVER, from_datetime
from streamer.records.kafka import CHANGELOG, PROGRAMME_PARTIALS, Record
from streamer.serdes.rows import UnreadableRowError

if TYPE_CHECKING:
    from aiokafka import AIOKafkaProducer

    from streamer.engine.store.store import Store

logger = logging.getLogger(__name__)

TIMERS_MAX = 5_000
"""Band crossings told of in one unit of work, so that a long silence does not hold up events."""

EVERY_EVENT_RECORDS_MAX = 500
"""Records in one unit of work where each is scored: it must not hold up the others for long."""

SMALL_RECORDS_MAX = 250
"""What a unit of work may take and still wait for others' commits: beyond, throughput counts."""

TICK_SECONDS = 1.0
"""How often silence is looked at when nothing else happens."""

RESCORE_TICK_SECONDS = 0.1
"""The same while customers are scored anew after a new model."""

FATAL = (
    ClusterAuthorizationFailedError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""Trying again would fail again."""


class PartitionTask:
    """Runs one partition. Call ``recover``, then ``start``; ``offer`` it fetches; ``stop`` it."""

    failure = ""
    """What Kafka failed with last, until a unit of work is committed."""
    _store: "Store | None" = None
    """Where the rows are, if not in memory; from ``recover`` to ``stop``."""
    _compaction: asyncio.Task[None] | None = None
    applied_time = 0.0
    """Unix time of the newest record applied."""
    remaining: int | None = None
    """Records of the changelog still to be read in a recovery; None where that is not known."""

    def __init__(self, number: int, shell: Shell) -> None:
        self.number = number
        self._shell = shell
        self._settings = shell.settings
        self._configuration = shell.configuration
        self._changelog = shell.settings.topics[CHANGELOG]
        self.partition = Partition(number, self._configuration)
        self._counting = CountingSchedule(self._settings.programme_interval_seconds, shell.pace)
        self._records_max = (
            EVERY_EVENT_RECORDS_MAX
            if self._configuration.every_event
            else self._settings.batch_records_max
        )
        self._producer: AIOKafkaProducer | None = None
        self.inbox = Inbox(lambda: shell.pause(number), lambda: shell.resume(number))
        self._idle = asyncio.Event()
        self._idle.set()
        self._held = True
        self._started = asyncio.Event()
        self._rescored_at = 0.0
        self.lost = False
        """The rows here may be behind: ``recover`` before the next ``start``."""
        self._loop: asyncio.Task[None] | None = None

    # -- life ---------------------------------------------------------------------------------

    async def recover(self, standby: Copy | None = None) -> None:
        """Fence every earlier owner and load the rows: what ``standby`` has not got of them."""
        started = time.monotonic()
        await self._close_producer()
        self._producer = clients.transactional_producer(self._settings, self.number)
        await self._producer.start()
        self._store = self._store or await self._shell.open_store(self.number)
        try:
            await self._load(standby)
        except (OffsetOutOfRangeError, StoreError, UnreadableRowError) as error:
            if self._store is None and standby is None:
                raise
            logger.warning("partition %d: %s; rebuilding from its changelog", self.number, error)
            if self._store is not None:
                self._store.wipe()
            await self._load(None)
        self.lost = False
        metrics.RECOVERY.observe(time.monotonic() - started)
        logger.info(
            "partition %d: %d rows recovered in %.1f s",
            self.number, len(self.partition.rows), time.monotonic() - started,
        )  # fmt: skip

    async def _load(self, standby: Copy | None) -> None:
        store = self._store
        tables = None if store is None else store.tables
        copy = standby or Copy(Partition(self.number, self._configuration, tables), 0)
        self.partition, self.remaining = copy.partition, None
        await changelog.restore(
            copy.partition,
            self._changelog,
            self._settings,
            self._progress,
            since=copy.position,
            store=store,
        )
        if store is not None:
            store.flush()

    def start(self) -> None:
        """Take up work: the consumer stands on ``partition.next_offsets``."""
        self._held = False
        self._started.set()
        self.inbox.wake()
        if self._loop is None:
            self._loop = asyncio.create_task(self._run(), name=f"partition-{self.number}")

    def offer(self, fetch: Fetch) -> None:
        """Queue ``fetch``, unless what waits will be read again anyway."""
        if not self._held:
            self.inbox.offer(fetch)

    async def hold(self) -> None:
        """Finish the unit of work in flight and start no other until ``start``."""
        self._held = True
        with suppress(TimeoutError):
            await asyncio.wait_for(
                self._idle.wait(), timeout=self._settings.session_timeout_seconds
            )

    async def stop(self) -> None:
        """End for good; what is not committed will be done by the next owner."""
        if self._loop is not None:
            self._loop.cancel()
            with suppress(asyncio.CancelledError):
                await self._loop
        await self._close_producer()
        self._close_store()
        metrics.forget_partition(self.number)

    def _tend(self, store: "Store") -> None:
        """Do what the store needs now and then."""
        store.flush_if_due()
        if store.is_to_be_compacted():
            self._compaction = asyncio.create_task(self._compact(store))

    async def _compact(self, store: "Store") -> None:
        try:
            await asyncio.to_thread(store.compact)
        except StoreError as error:
            # It was closed meanwhile, or will fail for good where that matters.
            logger.info("partition %d: not compacted: %s", self.number, error)

    def _close_store(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            try:
                store.close()
            except StoreError as error:
                logger.warning("partition %d: %s", self.number, error)

    async def _close_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await clients.stop(producer)

    # -- work ---------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            try:
                await self._work()
            except FATAL as error:
                await self._crash(error)
            except (KafkaError, OSError) as error:
                await self._recover_in_place(error)
            except Exception as error:  # noqa: BLE001 - a bug: crash, with the checkpoint unmoved
                await self._crash(error)

    async def _crash(self, error: BaseException) -> None:
        logger.critical("partition %d: %s", self.number, error, exc_info=error)
        await self._shell.crash(error)
        await asyncio.Event().wait()  # until cancelled

    async def _await_rebalance(self, error: BaseException) -> None:
        """Wait until a rebalance gives the partition back, or takes it away."""
        logger.warning("partition %d: another worker's by now (%r)", self.number, error)
        self.lost, self._held = True, True
        self._started.clear()
        try:
            limit = 30 + 2 * self._settings.session_timeout_seconds
            await asyncio.wait_for(self._started.wait(), timeout=limit)
        except TimeoutError:
            await self._crash(error)

    async def _recover_in_place(self, error: BaseException) -> None:
        """Drop the rows and load them again; but never fence a worker that has taken over."""
        metrics.RESTARTS.inc()
        self.failure = repr(error)
        while not self._held:
            logger.warning("partition %d: %r; recovering", self.number, error)
            try:
                if not await self._shell.still_assigned(self.number):
                    break
                await self.recover()
                await self._shell.seek(self.number)
            except (KafkaError, OSError) as again:
                error = again
                await asyncio.sleep(1)
            else:
                return
        await self._await_rebalance(error)

    async def _work(self) -> None:
        """Do one unit of work after the other."""
        while True:
            await self._sleep()
            if self._held:
                continue
            if self.inbox.broken:
                logger.info("partition %d: a fetch was lost on the way; reading again", self.number)
                await self._shell.seek(self.number)
            records, ends = self.inbox.take(self._records_max)
            silence_until = self._silence_until() if not self.inbox else NEVER
            rescore_max = self._rescore_max()
            behind = bool(self.inbox) or len(records) > SMALL_RECORDS_MAX
            self._counting.count(self.partition, behind=behind)
            asked = (
                records
                or ends
                or rescore_max
                or self._new_model()
                or self._counting.to_be_told(self.partition)
            )
            if not asked and not self.partition.due(silence_until):
                self._gauge()
                if self._store is not None:
                    self._tend(self._store)
                continue
            self._idle.clear()
            try:
                await self._unit(records, ends, silence_until, rescore_max)
            finally:
                self._idle.set()

    async def _sleep(self) -> None:
        """Wait until there is something to do, or may be, and for one's turn."""
        if self.inbox and not self._held:
            await asyncio.sleep(0)
        else:
            await self._awake()
        if self.inbox.buffered <= SMALL_RECORDS_MAX:
            await self._shell.rounds.turn()

    async def _awake(self) -> None:
        tick = RESCORE_TICK_SECONDS if self.partition.rescoring else TICK_SECONDS
        if self._counting.counting:
            tick = COUNT_TICK_SECONDS
        await self.inbox.wait(tick)

    def _new_model(self) -> bool:
        model = self._shell.model
        return model is not None and model.generation > self.partition.scoring.generation

    def _rescore_max(self) -> int:
        """Return how many customers the configured rate allows to score anew by now."""
        if not self.partition.rescoring:
            return 0
        elapsed = min(time.monotonic() - self._rescored_at, TICK_SECONDS)
        return int(elapsed * self._settings.rescore_per_second)

    def _silence_until(self) -> int:
        """Return how far real time lets silence run; NEVER while there is more to read."""
        if self._settings.clock == "stream" or not self._shell.caught_up(self.number):
            return NEVER
        grace = round(self._settings.silence_grace_seconds * 1_000_000)
        return from_datetime(datetime.now(UTC)) - grace

    async def _unit(
        self, records: list[Record], ends: dict[str, int], silence_until: int, rescore_max: int
    ) -> None:
        started = time.monotonic()
        if rescore_max:
            self._rescored_at = started
        work = self.partition.begin(
            records,
            datetime.now(UTC),
            next_offsets=ends,
            silence_until=silence_until,
            timers_max=TIMERS_MAX,
            model=self._shell.model,
            rescore_max=rescore_max,
        )
        unit = work.finish(await self._shell.scoring.updates(work.asked(), self.partition.scoring))
        if self._counting.to_be_told(self.partition):
            partials = self._settings.topics[PROGRAMME_PARTIALS], self.number
            unit.messages[partials] = self.partition.partials()
            self._counting.told()
        processed = time.monotonic()
        assert self._producer is not None  # noqa: S101 - set by recover
        with self._shell.rounds.committing():
            begins = await transaction.write(self._producer, unit)
        self.partition.commit(unit)
        if self._store is not None:
            changelog_messages = unit.messages[self._changelog, self.number]
            self._store.commit(changelog_messages, begins[self._changelog])
            self._tend(self._store)
        self.failure = ""
        metrics.PROCESSING.observe(processed - started)
        metrics.COMMIT.observe(time.monotonic() - processed)
        self._observe(records, unit)

    # -- told to metrics ----------------------------------------------------------------------

    def _observe(self, records: list[Record], unit: UnitOfWork) -> None:
        metrics.count(unit)
        now = time.time()
        label = str(self.number)
        metrics.LAST_COMMIT.labels(label).set(now)
        if records:
            # The first and the last stand for their unit: one sample a record would cost as much
            # as the record.
            for record in (records[0], records[-1]):
                metrics.END_TO_END.observe(max(0.0, now - record.timestamp / 1000))
            self.applied_time = records[-1].timestamp / 1000
        self._gauge()

    def _gauge(self) -> None:
        label = str(self.number)
        metrics.ROWS.labels(label).set(len(self.partition.rows))
        metrics.STATE_BYTES.labels(label).set(self.partition.state_bytes)
        metrics.TIMERS.labels(label).set(len(self.partition.timers))
        metrics.UNCOUNTED.labels(label).set(self.partition.counting.pending)

    def _progress(self, read: int, remaining: int) -> None:
        self.remaining = remaining
        metrics.RECOVERED.inc(read)
        metrics.RECOVERY_REMAINING.labels(str(self.number)).set(remaining)
