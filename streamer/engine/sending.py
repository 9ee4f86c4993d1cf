"""Publishing events as a backend would: each to the topic of its type, keyed by customer."""

import asyncio
from collections.abc import Callable, Iterable

import msgspec
from aiokafka import AIOKafkaProducer

from streamer.engine.clients import DEAD_LETTER_BYTES_MAX, connection
from streamer.records.kafka import TOPIC_OF_TYPE
from streamer.records.partitioning import partition_of
from streamer.settings import Settings


class _Address(msgspec.Struct):
    """What of an event says where it goes."""

    type: str = "purchase"
    customer_id: str = ""


_decode_address = msgspec.json.Decoder(_Address).decode
WINDOW = 5_000
"""Sends in flight at most."""


def address(settings: Settings, value: bytes) -> tuple[str, bytes | None]:
    """Return topic and key of the event ``value``.

    What is no event goes to the purchases without a key: it will be a dead letter, not lost here.
    """
    try:
        found = _decode_address(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = _Address()
    topic = TOPIC_OF_TYPE.get(found.type, "purchases")
    return settings.topics[topic], found.customer_id.encode() or None


async def send(
    settings: Settings, values: Iterable[bytes], progress: Callable[[int], None]
) -> int:
    """Publish ``values`` and return how many; ``progress`` is called with the count so far."""
    producer = AIOKafkaProducer(
        **connection(settings),
        acks="all",
        enable_idempotence=True,
        linger_ms=5,
        max_batch_size=262_144,
        max_request_size=DEAD_LETTER_BYTES_MAX,
    )
    await producer.start()
    sent = 0
    try:
        waiting: list[asyncio.Future[object]] = []
        for value in values:
            topic, key = address(settings, value)
            partition = None if key is None else partition_of(key, settings.partitions)
            waiting.append(await producer.send(topic, value, key, partition))
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
