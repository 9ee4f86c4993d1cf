"""What is published, passed on to whoever listens over HTTP.

It is read from the output topics, committed, as any subscriber reads them: so one worker tells of
all partitions, whoever holds them, and units of work know nothing of it. Nothing is read while
nobody listens.
"""

import asyncio
import logging
from collections import deque
from contextlib import aclosing, suppress

from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from streamer.engine.following import RETRY_SECONDS, follow
from streamer.records.kafka import KINDS, Kind
from streamer.settings import Settings

logger = logging.getLogger(__name__)

WAITING_MAX = 200
"""Events that a listener may be behind; what is more is left out and counted."""

LISTENERS_MAX = 100


class Subscription:
    """One listener: the events that wait for it."""

    def __init__(self, kind: Kind | None, customer_id: str | None) -> None:
        self._kind = kind
        self._key = None if customer_id is None else customer_id.encode(errors="replace")
        self._waiting: deque[bytes] = deque()
        self._skipped = 0
        self._news = asyncio.Event()
        self._over = False

    def offer(self, kind: Kind, record: ConsumerRecord) -> None:
        """Take a record if it is asked for and there is room."""
        if self._kind not in {None, kind} or self._key not in {None, record.key}:
            return
        if record.value is None:
            return
        if len(self._waiting) >= WAITING_MAX:
            self._skipped += 1
            return
        place = f"{record.topic}-{record.partition}-{record.offset}".encode()
        self._waiting.append(
            b"event: %b\nid: %b\ndata: %b\n\n" % (kind.encode(), place, record.value)
        )
        self._news.set()

    def end(self) -> None:
        """Have the listener go."""
        self._over = True
        self._news.set()

    async def next(self) -> bytes | None:
        """Return the next event, when there is one; None at the end."""
        await self._news.wait()
        if self._over:
            return None
        if self._skipped:
            skipped, self._skipped = self._skipped, 0
            return b'event: skipped\ndata: {"skipped": %d}\n\n' % skipped
        event = self._waiting.popleft()
        if not self._waiting:
            self._news.clear()
        return event


class Changes:
    """All listeners of one worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kinds = {settings.topics[topic]: kind for topic, kind in KINDS.items()}
        self._subscriptions: set[Subscription] = set()
        self._reading: asyncio.Task[None] | None = None

    def subscribe(self, kind: Kind | None, customer_id: str | None) -> Subscription | None:
        """Return a subscription to what is published from now on; None if there are too many."""
        if len(self._subscriptions) >= LISTENERS_MAX:
            return None
        subscription = Subscription(kind, customer_id)
        self._subscriptions.add(subscription)
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="changes")
        return subscription

    async def unsubscribe(self, subscription: Subscription) -> None:
        """End ``subscription``; with the last one reading ends, too."""
        self._subscriptions.discard(subscription)
        if not self._subscriptions:
            await self._stop()

    async def close(self) -> None:
        """End all."""
        for subscription in self._subscriptions:
            subscription.end()
        await self._stop()

    async def _stop(self) -> None:
        reading, self._reading = self._reading, None
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
        async with aclosing(follow(self._settings, KINDS, from_beginning=False)) as batches:
            async for batch in batches:
                for record in batch:
                    kind = self._kinds[record.topic]
                    for subscription in self._subscriptions:
                        subscription.offer(kind, record)
                await asyncio.sleep(0)
