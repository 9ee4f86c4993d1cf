"""From produce to visible score: a paced sender and a subscriber that sees what is committed."""

import asyncio
import time
from collections.abc import Sequence

import msgspec
import numpy as np
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from msgspec import Struct

from streamer.cli.reading import partitions_of
from streamer.engine.clients import connection
from streamer.records.kafka import LTV_UPDATES
from streamer.serdes.addresses import address
from streamer.settings import Settings

QUIET_SECONDS = 0.5
"""When no score has come for so long, those still waited for will have none of their own."""


class Latency(Struct, frozen=True):
    """Milliseconds from ``send`` to the score in a subscriber's hands."""

    events: int
    """Whose scores were seen: of two events of a customer in one batch only the later has one."""
    p50_ms: float
    p99_ms: float


class _Id(Struct):
    event_id: str | None = None
    id: str | None = None
    cause: "_Id | None" = None


_decode = msgspec.json.Decoder(_Id).decode


async def measure(settings: Settings, values: Sequence[bytes], per_second: float) -> Latency:
    """Send ``values`` at an even pace and time their scores.

    Args:
        settings: of a running worker.
        values: good events.
        per_second: how many are sent a second.
    """
    sent_at: dict[str, float] = {}
    seconds: list[float] = []
    consumer = AIOKafkaConsumer(
        **connection(settings),
        isolation_level="read_committed",
        enable_auto_commit=False,
        # A partition just read waits for the fetch under way for the others: keep it short.
        fetch_max_wait_ms=10,
    )
    try:
        await consumer.start()
        consumer.assign(partitions_of(settings, LTV_UPDATES))
        await consumer.seek_to_end()
        watching = asyncio.create_task(_watch(consumer, sent_at, seconds))
        await _send(settings, values, per_second, sent_at)
        while sent_at and await _more_after(QUIET_SECONDS, seconds):
            pass
        watching.cancel()
    finally:
        await consumer.stop()
    p50, p99 = np.percentile(seconds, [50, 99]) * 1000 if seconds else (0.0, 0.0)
    return Latency(len(seconds), round(float(p50), 1), round(float(p99), 1))


async def _more_after(pause: float, seconds: list[float]) -> bool:
    """Wait, and return whether more scores have come."""
    before = len(seconds)
    await asyncio.sleep(pause)
    return len(seconds) > before


async def _send(
    settings: Settings, values: Sequence[bytes], per_second: float, sent_at: dict[str, float]
) -> None:
    """Send ``values`` at their times, noting when each was."""
    producer = AIOKafkaProducer(**connection(settings), acks="all", enable_idempotence=True)
    await producer.start()
    try:
        started = time.perf_counter()
        waiting = []
        for number, value in enumerate(values):
            ahead = started + number / per_second - time.perf_counter()
            await asyncio.sleep(max(0.0, ahead))
            topic, partition, key = address(value, settings.partitions)
            sent_at[_decode(value).event_id or ""] = time.perf_counter()
            waiting.append(await producer.send(settings.topics[topic], value, key, partition))
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()


async def _watch(
    consumer: AIOKafkaConsumer, sent_at: dict[str, float], seconds: list[float]
) -> None:
    """Take the time of every score whose event is waited for, until cancelled."""
    while True:
        for records in (await consumer.getmany(timeout_ms=100)).values():
            seen_at = time.perf_counter()
            for record in records:
                cause = _decode(record.value).cause
                started = sent_at.pop(cause.id or "", None) if cause else None
                if started is not None:
                    seconds.append(seen_at - started)
