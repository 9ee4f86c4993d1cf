"""What is published, passed on to whoever listens over HTTP.

It is read from the output topics, committed, as any subscriber reads them: so one worker tells of
all partitions, whoever holds them, and units of work know nothing of it. Nothing is read while
nobody listens.

All who listen to what comes share one reader; whoever is too slow for it misses events, and is
told so. Who comes back with the id of the last event it has had is given a reader of its own, that
begins there and waits for it, until it has caught up with the shared one: it misses nothing.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, suppress

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streamer.engine.following import RETRY_SECONDS, Positions, follow_on
from streamer.records.kafka import Kind
from streamer.settings import Settings
from streamer.web.listeners import Filter, Listener, Resumed, Subscription

logger = logging.getLogger(__name__)

LISTENERS_MAX = 100

CATCHING_UP_MAX = 10
"""Listeners with a reader of their own; others wait for their turn."""


class Changes:
    """All listeners of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._tps = Filter(settings, None, None).tps
        self._place: Positions = {}
        """Of the shared reader; empty until it has found the ends."""
        self._listeners: set[Listener] = set()
        self._subscriptions: set[Subscription] = set()
        """To the shared reader: of listeners, and of those who are about to share it."""
        self._reading: asyncio.Task[None] | None = None
        self.turns = asyncio.Semaphore(CATCHING_UP_MAX)

    def filter(self, kind: Kind | None, customer_id: str | None) -> Filter:
        """Return what is wanted; None is all."""
        return Filter(self._settings, kind, customer_id)

    def listen(self, wanted: Filter, positions: Positions | None) -> Listener | None:
        """Return who hears what comes, or came after ``positions``; None if too many listen."""
        if len(self._listeners) >= LISTENERS_MAX:
            return None
        listener: Listener
        if positions is None:
            listener = self._subscribed(wanted)
            if self._place:
                listener.begin()
        else:
            listener = Resumed(self, wanted, positions)
        self._listeners.add(listener)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="changes")
        return listener

    def join(self, wanted: Filter) -> tuple[Subscription | None, Positions]:
        """Return a subscription that has not begun, and from where on it hears all, if known."""
        if not self._place:
            return None, {}
        return self._subscribed(wanted), {tp: self._place[tp] for tp in wanted.tps}

    def reader(
        self, wanted: Filter, positions: Positions
    ) -> AsyncGenerator[list[ConsumerRecord], None]:
        """Return a reader of one listener's own."""
        return follow_on(self._settings, wanted.tps, positions)

    def _subscribed(self, wanted: Filter) -> Subscription:
        subscription = Subscription(self, wanted)
        self._subscriptions.add(subscription)
        return subscription

    def place(self, wanted: Filter) -> Positions:
        """Return where the shared reader is; empty while it does not know."""
        return {tp: self._place[tp] for tp in wanted.tps if tp in self._place}

    def unsubscribe(self, subscription: Subscription) -> None:
        """Offer nothing more to ``subscription``."""
        self._subscriptions.discard(subscription)

    async def leave(self, listener: Listener) -> None:
        """End ``listener``; with the last the shared reader ends, too."""
        self._listeners.discard(listener)
        await listener.close()
        if not self._listeners:
            await self._stop()

    async def close(self) -> None:
        """End all."""
        for listener in self._listeners:
            listener.end()
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
        place = self._place
        is_new = not place
        async with aclosing(follow_on(self._settings, self._tps, place)) as batches:
            async for batch in batches:
                if is_new:
                    is_new = False
                    for subscription in self._subscriptions:
                        subscription.begin()
                self._offer(batch, place)
                await asyncio.sleep(0)

    def _offer(self, records: Sequence[ConsumerRecord], place: Positions) -> None:
        for record in records:
            for subscription in self._subscriptions:
                subscription.offer(record)
            place[TopicPartition(record.topic, record.partition)] = record.offset + 1
