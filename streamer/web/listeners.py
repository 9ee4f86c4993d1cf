"""Who listens to changes: what each wants to hear, what waits for it, and where it is."""

import asyncio
import logging
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streamer.engine.following import RETRY_SECONDS, Positions
from streamer.records.kafka import KINDS, Kind
from streamer.records.partitioning import partition_of
from streamer.settings import Settings
from streamer.web.cursors import cursor_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from streamer.web.changes import Changes

logger = logging.getLogger(__name__)

WAITING_MAX = 200
"""Events that a listener may be behind; what is more is left out and counted."""

NOTHING_NEW = b": nothing new\n\n"


class Filter:
    """What a listener wants to hear."""

    def __init__(self, settings: Settings, kind: Kind | None, customer_id: str | None) -> None:
        self.key = None if customer_id is None else customer_id.encode(errors="replace")
        self.kinds: Mapping[str, Kind] = {
            settings.topics[topic]: one for topic, one in KINDS.items() if kind in {None, one}
        }
        numbers = range(settings.partitions)
        if self.key is not None:
            number = partition_of(self.key, settings.partitions)
            numbers = range(number, number + 1)
        self.tps = [TopicPartition(topic, number) for topic in self.kinds for number in numbers]

    def takes(self, record: ConsumerRecord) -> bool:
        """Return whether ``record`` is wanted. An erasure is not: there is nothing to show."""
        is_wanted = record.topic in self.kinds and self.key in {None, record.key}
        return is_wanted and record.value is not None


class Listener(Protocol):
    """Whoever listens: what there is to send."""

    async def next(self, seconds: float) -> bytes | None:
        """Return the next event, or after so long that there is none; None at the end."""

    def end(self) -> None:
        """Have it go: there is nothing more to send."""

    async def close(self) -> None:
        """Let go of what it holds."""


class _Events:
    """Makes events, each with the place behind it as its id."""

    def __init__(self, wanted: Filter) -> None:
        self._wanted = wanted
        self.positions: Positions = {}

    def event(self, record: ConsumerRecord) -> bytes:
        self.positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
        kind = self._wanted.kinds[record.topic].encode()
        return b"event: %b\n%bdata: %b\n\n" % (kind, self._id(), record.value)

    def place(self) -> bytes:
        """Return an event of nothing but the id: browsers take note of it."""
        id_ = self._id()
        return id_ + b"\n" if id_ else NOTHING_NEW

    def _id(self) -> bytes:
        cursor = cursor_of(self._wanted.tps, self.positions)
        return b"" if cursor is None else b"id: %b\n" % cursor.encode()


class Subscription:
    """One who shares the reader: the records that wait for it."""

    def __init__(self, changes: "Changes", wanted: Filter) -> None:
        self._changes = changes
        self._wanted = wanted
        self._events = _Events(wanted)
        self._waiting: deque[ConsumerRecord] = deque()
        self._skipped = 0
        self._news = asyncio.Event()
        self._over = False

    def begin(self, positions: Positions | None = None) -> None:
        """Note where it begins, else where the reader is: it hears all that is behind that."""
        start = self._changes.place(self._wanted) if positions is None else positions
        known = self._events.positions
        self._events.positions = known | {tp: max(at, known.get(tp, 0)) for tp, at in start.items()}
        self._waiting = deque(filter(self._is_behind, self._waiting))
        self._news.set()

    def _is_behind(self, record: ConsumerRecord) -> bool:
        tp = TopicPartition(record.topic, record.partition)
        return bool(record.offset >= self._events.positions.get(tp, 0))

    @property
    def has_missed(self) -> bool:
        """Whether it was too slow."""
        return self._skipped > 0

    def offer(self, record: ConsumerRecord) -> None:
        """Take a record if it is asked for and there is room."""
        if not self._wanted.takes(record) or not self._is_behind(record):
            return
        if len(self._waiting) >= WAITING_MAX:
            self._skipped += 1
            return
        self._waiting.append(record)
        self._news.set()

    def end(self) -> None:
        """Have the listener go."""
        self._over = True
        self._news.set()

    async def next(self, seconds: float) -> bytes | None:
        """Return the next event, or after so long that there is none; None at the end."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        if self._over:
            return None
        if self._skipped and len(self._waiting) < WAITING_MAX:
            skipped, self._skipped = self._skipped, 0
            return b'event: skipped\ndata: {"skipped": %d}\n\n' % skipped
        if self._waiting:
            return self._events.event(self._waiting.popleft())
        self._news.clear()
        if not self._events.positions:
            return NOTHING_NEW
        self.begin()  # all is told up to where the reader is
        self._news.clear()
        return self._events.place()

    async def close(self) -> None:
        """Take no more records."""
        self._changes.unsubscribe(self)


class Resumed:
    """One with a reader of its own, from a place that it knew, until it can share the other."""

    def __init__(self, changes: "Changes", wanted: Filter, positions: Positions) -> None:
        self._changes = changes
        self._wanted = wanted
        self._events = _Events(wanted)
        self._events.positions = positions
        self._read_to = dict(positions)
        self._waiting: deque[ConsumerRecord] = deque()
        self._batches: AsyncGenerator[list[ConsumerRecord], None] | None = None
        self._has_turn = False
        self._is_placed = False
        self._heir: Subscription | None = None
        self._heir_from: Positions = {}
        self._is_handed_over = False
        self._over = False

    def end(self) -> None:
        """Have the listener go."""
        self._over = True
        if self._heir is not None:
            self._heir.end()

    async def next(self, seconds: float) -> bytes | None:
        """Return the next event, or after so long that there is none; None at the end."""
        deadline = time.monotonic() + seconds
        while not self._over:
            if self._is_handed_over and self._heir is not None:
                return await self._heir.next(max(0.0, deadline - time.monotonic()))
            if self._waiting:
                return self._events.event(self._waiting.popleft())
            if time.monotonic() >= deadline:
                self._events.positions.update(self._read_to)
                return self._events.place()
            if not await self._hand_over():
                await self._read(deadline)
        return None

    async def _hand_over(self) -> bool:
        """Share the other reader if this one has come to where that was; return whether it has.

        What passes there meanwhile waits already; had it been too much, it is tried once more.
        """
        if not self._is_placed:
            return False  # what was given may lie outside of the log
        if self._heir is not None and self._heir.has_missed:
            self._changes.unsubscribe(self._heir)
            self._heir = None
        if self._heir is None:
            self._heir, self._heir_from = self._changes.join(self._wanted)
        if self._heir is None or any(self._read_to[tp] < at for tp, at in self._heir_from.items()):
            return False
        self._heir.begin(self._read_to)
        self._is_handed_over = True
        await self._drop()
        return True

    async def _read(self, deadline: float) -> None:
        if not self._has_turn:
            left = max(0.0, deadline - time.monotonic())
            with suppress(TimeoutError):
                self._has_turn = await asyncio.wait_for(self._changes.turns.acquire(), left)
            return
        if self._batches is None:
            self._batches = self._changes.reader(self._wanted, self._read_to)
        try:
            records = await anext(self._batches)
        except (KafkaError, OSError) as error:
            logger.warning("changes cannot be read (%r); trying again", error)
            batches, self._batches = self._batches, None
            await batches.aclose()
            await asyncio.sleep(RETRY_SECONDS)
            return
        self._is_placed = True
        for record in records:
            self._read_to[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._waiting.extend(filter(self._wanted.takes, records))

    async def _drop(self) -> None:
        batches, self._batches = self._batches, None
        if batches is not None:
            await batches.aclose()
        if self._has_turn:
            self._has_turn = False
            self._changes.turns.release()

    async def close(self) -> None:
        """Drop the reader."""
        await self._drop()
        if self._heir is not None:
            self._changes.unsubscribe(self._heir)
