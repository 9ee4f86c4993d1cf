"""Publishing events as a backend would: each to the topic of its type, keyed by customer."""

import asyncio
from collections.abc import Callable, Iterable

from streamer.engine.clients import durable_producer
from streamer.serdes.addresses import address
from streamer.settings import Settings

WINDOW = 5_000
"""Sends in flight at most."""


async def send(settings: Settings, values: Iterable[bytes], progress: Callable[[int], None]) -> int:
    """Publish ``values`` and return how many; ``progress`` is called with the count so far."""
    producer = durable_producer(settings)
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
