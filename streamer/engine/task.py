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
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Protocol

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
from streamer.engine.counting import COUNT_TICK_SECONDS, CountingSchedule, Pace
from streamer.engine.rounds import Rounds
from streamer.engine.scoring import SharedScoring
from streamer.engine.standby import Copy
from streamer.engine.store.errors import StoreError
from streamer.engine.transport import Fetch
from streamer.pipeline import Configuration, Partition, UnitOfWork
from streamer.records.instants import NEVER, from_datetime
from streamer.records.kafka import CHANGELOG, PROGRAMME_PARTIALS, Record
from streamer.records.models import ModelParams
from streamer.serdes.rows import UnreadableRowError
from streamer.settings import Settings

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

BUFFERED_RECORDS_MAX = 20_000
"""Beyond this the partition's topics are not fetched."""

FATAL = (
    ClusterAuthorizationFailedError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
"""Trying again would fail again."""


class Shell(Protocol):
    """What a task asks of the worker around it."""

    settings: Settings
    pace: Pace
    configuration: Configuration
    scoring: SharedScoring
    rounds: Rounds

    @property
    def model(self) -> ModelParams | None:
        """The newest model."""

    def caught_up(self, number: int) -> bool:
        """Return whether the partition's topics have been read to their ends."""

    async def still_assigned(self, number: int) -> bool:
        """Ask the group's coordinator whether the partition is this worker's."""

    async def seek(self, number: int) -> None:
        """Put the consumer where the partition's checkpoint says."""

    async def open_store(self, number: int) -> "Store | None":
        """Return the partition's local store; None where rows are kept in memory."""

    def pause(self, number: int) -> None:
        """Fetch nothing for the partition for now."""

    def resume(self, number: int) -> None:
        """Fetch for the partition again."""

    async def crash(self, error: BaseException) -> None:
        """End the worker because of ``error``."""


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
        self._fetches: deque[Fetch] = deque()
        self.buffered = 0
        self._paused = False
        self._expected: dict[str, int] = {}
        self._seek = -1
        self._broken = False
        self._wake = asyncio.Event()
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
        self._wake.set()
        if self._loop is None:
            self._loop = asyncio.create_task(self._run(), name=f"partition-{self.number}")

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

    # -- input --------------------------------------------------------------------------------

    def expect(self, next_offsets: dict[str, int], seek: int) -> None:
        """Forget what waits; take only fetches after this seek that join its offsets, by topic."""
        self._expected = dict(next_offsets)
        self._seek = seek
        self._broken = False
        self._fetches.clear()
        self.buffered = 0
        if self._paused:
            self._paused = False
            self._shell.resume(self.number)

    def offer(self, fetch: Fetch) -> None:
        """Queue ``fetch`` for the next unit of work."""
        if self._held or self._broken or fetch.seek != self._seek:
            return  # it comes again
        if fetch.start != self._expected[fetch.topic]:
            # One before it was lost on the way: Faust drops what arrives while flow is suspended.
            self._broken = True
            self._wake.set()
            return
        self._expected[fetch.topic] = fetch.end
        self._fetches.append(fetch)
        self.buffered += len(fetch.records)
        self._wake.set()
        if self.buffered > BUFFERED_RECORDS_MAX and not self._paused:
            self._paused = True
            self._shell.pause(self.number)

    def _take(self) -> tuple[list[Record], dict[str, int]]:
        """Return what waits, up to the limit, and the offsets behind it."""
        taken: list[Fetch] = []
        records = 0
        while self._fetches and records < self._records_max:
            fetch, rest = self._fetches.popleft().split(self._records_max - records)
            if rest is not None:
                self._fetches.appendleft(rest)
            taken.append(fetch)
            records += len(fetch.records)
        self.buffered -= records
        if self._paused and self.buffered < BUFFERED_RECORDS_MAX // 2:
            self._paused = False
            self._shell.resume(self.number)
        for fetch in taken:
            metrics.RECORDS_CONSUMED.labels(fetch.topic).inc(len(fetch.records))
        flat = list(chain.from_iterable(fetch.records for fetch in taken))
        return flat, {fetch.topic: fetch.end for fetch in taken}

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
            if self._broken:
                logger.info("partition %d: a fetch was lost on the way; reading again", self.number)
                await self._shell.seek(self.number)
            records, ends = self._take()
            silence_until = self._silence_until() if not self._fetches else NEVER
            rescore_max = self._rescore_max()
            self._counting.count(self.partition, behind=bool(self._fetches))
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
        if self._fetches and not self._held:
            await asyncio.sleep(0)
        else:
            await self._awake()
        if self.buffered <= SMALL_RECORDS_MAX:
            await self._shell.rounds.turn()

    async def _awake(self) -> None:
        self._wake.clear()
        tick = RESCORE_TICK_SECONDS if self.partition.rescoring else TICK_SECONDS
        if self._counting.counting:
            tick = COUNT_TICK_SECONDS
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), timeout=tick)

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
