"""Publishing events as a backend would: each to the topic of its type, keyed by customer."""

import asyncio
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer

from streamer.engine.clients import DEAD_LETTER_BYTES_MAX, connection
from streamer.serdes.addresses import address
from streamer.settings import Settings

WINDOW = 5_000
"""Sends in flight at most."""


async def send(settings: Settings, values: Iterable[bytes], progress: Callable[[int], None]) -> int:
    """Publish ``values`` and return how many; ``progress`` is called with the count so far."""
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=DEAD_LETTER_BYTES_MAX,
    )
    sent = 0
    try:
        await producer.start()
        waiting: list[asyncio.Future[object]] = []
        for value in values:
            topic, partition, key = address(value, settings.partitions)
            waiting.append(await producer.send(settings.topics[topic], value, key, partition))
            sent += 1
            if len(waiting) >= WINDOW:
                await asyncio.gather(*waiting)
                waiting.clear()
                progress(sent)
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
    progress(sent)
    return sent
