"""What is published, passed on to whoever listens over HTTP.

It is read from the output topics, committed, as any subscriber reads them: so one worker tells of
all partitions, whoever holds them, and units of work know nothing of it. Nothing is read while
nobody listens.

All who listen to what comes share one reader; whoever is too slow for it misses events, and is
told so. Who comes back with the id of the last event it has had is given a reader of its own, that
begins there and waits for it: it misses nothing.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Protocol

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streamer.engine.following import RETRY_SECONDS, Positions, follow_on
from streamer.records.kafka import KINDS, Kind
from streamer.records.partitioning import partition_of
from streamer.settings import Settings
from streamer.web.cursors import cursor_of

logger = logging.getLogger(__name__)

WAITING_MAX = 200
"""Events that a listener may be behind; what is more is left out and counted."""

LISTENERS_MAX = 100
RESUMED_MAX = 20
"""Listeners with a reader of their own."""

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
        return (self._id() + b"\n") or NOTHING_NEW

    def _id(self) -> bytes:
        cursor = cursor_of(self._wanted.tps, self.positions)
        return b"" if cursor is None else b"id: %b\n" % cursor.encode()


class Subscription:
    """One who shares the reader: the records that wait for it."""

    def __init__(self, wanted: Filter, place: Positions) -> None:
        self._wanted = wanted
        self._place = place
        self._events = _Events(wanted)
        self._waiting: deque[ConsumerRecord] = deque()
        self._skipped = 0
        self._news = asyncio.Event()
        self._over = False

    def begin(self) -> None:
        """Note where it begins: it hears all that is behind that."""
        self._events.positions = {tp: self._place[tp] for tp in self._wanted.tps}
        self._news.set()

    def offer(self, record: ConsumerRecord) -> None:
        """Take a record if it is asked for and there is room."""
        if not self._wanted.takes(record):
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
        """Hold nothing."""


class Resumed:
    """One with a reader of its own, from a place that it knew."""

    def __init__(self, settings: Settings, wanted: Filter, positions: Positions) -> None:
        self._settings = settings
        self._wanted = wanted
        self._events = _Events(wanted)
        self._events.positions = positions
        self._read_to = dict(positions)
        self._waiting: deque[ConsumerRecord] = deque()
        self._batches: AsyncGenerator[list[ConsumerRecord], None] | None = None
        self._over = False

    def end(self) -> None:
        """Have the listener go."""
        self._over = True

    async def next(self, seconds: float) -> bytes | None:
        """Return the next event, or after so long that there is none; None at the end."""
        deadline = time.monotonic() + seconds
        while not self._waiting and not self._over:
            if time.monotonic() >= deadline:
                self._events.positions.update(self._read_to)
                return self._events.place()
            await self._read()
        return None if self._over else self._events.event(self._waiting.popleft())

    async def _read(self) -> None:
        if self._batches is None:
            self._batches = follow_on(self._settings, self._wanted.tps, self._read_to)
        try:
            records = await anext(self._batches)
        except (KafkaError, OSError) as error:
            logger.warning("changes cannot be read (%r); trying again", error)
            await self.close()
            await asyncio.sleep(RETRY_SECONDS)
            return
        for record in records:
            self._read_to[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._waiting.extend(filter(self._wanted.takes, records))

    async def close(self) -> None:
        """Drop the reader."""
        batches, self._batches = self._batches, None
        if batches is not None:
            await batches.aclose()


class Changes:
    """All listeners of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tps = Filter(settings, None, None).tps
        self._place: Positions = {}
        """Of the shared reader; empty until it has found the ends."""
        self._subscriptions: set[Subscription] = set()
        self._resumed: set[Resumed] = set()
        self._reading: asyncio.Task[None] | None = None

    def filter(self, kind: Kind | None, customer_id: str | None) -> Filter:
        """Return what is wanted; None is all."""
        return Filter(self._settings, kind, customer_id)

    def subscribe(self, wanted: Filter) -> Subscription | None:
        """Return a subscription to what is published from now on; None if there are too many."""
        if len(self._subscriptions) >= LISTENERS_MAX:
            return None
        subscription = Subscription(wanted, self._place)
        self._subscriptions.add(subscription)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="changes")
        elif self._place:
            subscription.begin()
        return subscription

    def resume(self, wanted: Filter, positions: Positions) -> Resumed | None:
        """Return a listener to all that came after ``positions``; None if there are too many."""
        if len(self._resumed) >= RESUMED_MAX:
            return None
        resumed = Resumed(self._settings, wanted, positions)
        self._resumed.add(resumed)
        return resumed

    async def leave(self, listener: Listener) -> None:
        """End ``listener``; with the last that shares it the reader ends, too."""
        self._resumed -= {listener}
        self._subscriptions -= {listener}
        await listener.close()
        if not self._subscriptions:
            await self._stop()

    async def close(self) -> None:
        """End all."""
        for subscription in self._subscriptions:
            subscription.end()
        for resumed in self._resumed:
            resumed.end()
        await self._stop()

    async def _stop(self) -> None:
        reading, self._reading = self._reading, None
        self._place = {}  # who comes next hears what comes then
        if reading is not None:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading

    async def _read(self) -> None:
        while True:
            try:
                await self._pass_on()
            except (KafkaError, OSError) as error:
                logger.warning("changes cannot be read (%r); trying again", error)
                await asyncio.sleep(RETRY_SECONDS)

    async def _pass_on(self) -> None:
        """Read on from where the last reader was, if there was one."""
        is_new = not self._place
        async with aclosing(follow_on(self._settings, self._tps, self._place)) as batches:
            async for batch in batches:
                if is_new:
                    is_new = False
                    for subscription in self._subscriptions:
                        subscription.begin()
                self._offer(batch)
                await asyncio.sleep(0)

    def _offer(self, records: Sequence[ConsumerRecord]) -> None:
        for record in records:
            for subscription in self._subscriptions:
                subscription.offer(record)
            self._place[TopicPartition(record.topic, record.partition)] = record.offset + 1
