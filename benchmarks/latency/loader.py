"""Sends purchases at a steady pace: `python -m benchmarks.latency.loader ORDER`.

The event's id is the moment, by the monotonic clock, at which it was handed to the producer. That
clock is the same in all processes of a machine.
"""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop
from aiokafka import AIOKafkaProducer

from benchmarks.source import Placed, placed
from streamer.simulate import uniform_purchases

READER_SECONDS_MAX = 60.0
LINGER_MS = 5
"""As Java's producer of Kafka 4 does by default. A request an event would cost the broker, and this
process, as much as the scoring does."""

_ID = b'{"event_id":"'


class Order(msgspec.Struct, frozen=True):
    """What to send how fast. `ready` is a file that comes to be when sending shall begin."""

    bootstrap: str
    topic: str
    partitions: int
    customers: int
    seed: int
    rate: int
    seconds: int
    ready: str
    answer: str

    @property
    def events(self) -> int:
        """How many are sent."""
        return self.rate * self.seconds


class Sent(msgspec.Struct, frozen=True):
    """When sending began, by the monotonic clock, and the pace that was kept, in events/s."""

    began_ns: int
    rate: float


def stamped(value: bytes, moment_ns: int) -> bytes:
    """Return a purchase with a moment for its event id.

    >>> stamped(b'{"event_id":"u1-7","type":"purchase"}', 5)
    b'{"event_id":"5","type":"purchase"}'
    """
    return b"%b%d%b" % (_ID, moment_ns, value[value.index(b'"', len(_ID)) :])


async def _load(order: Order) -> Sent:
    values = uniform_purchases(
        order.events,
        order.customers,
        order.seed,
        days=order.seconds / 86_400,
        start=datetime.now(UTC),
    )
    records = list(placed(values, order.partitions))
    gc.freeze()
    async with AIOKafkaProducer(bootstrap_servers=order.bootstrap, linger_ms=LINGER_MS) as producer:
        async with asyncio.timeout(READER_SECONDS_MAX):
            # A file, as the reader is another process.
            while not Path(order.ready).exists():  # noqa: ASYNC110, ASYNC240
                await asyncio.sleep(0.05)
        return await _send(producer, order, records)


async def _send(producer: AIOKafkaProducer, order: Order, records: Sequence[Placed]) -> Sent:
    began_ns = time.monotonic_ns()
    step_ns = 1_000_000_000 / order.rate
    for number, (partition, key, value) in enumerate(records):
        early_ns = began_ns + number * step_ns - time.monotonic_ns()
        if early_ns > 0:
            await asyncio.sleep(early_ns / 1e9)
        purchase = stamped(value, time.monotonic_ns())
        await producer.send(order.topic, purchase, key=key, partition=partition)
    await producer.flush()
    return Sent(began_ns, order.events / ((time.monotonic_ns() - began_ns) / 1e9))


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    Path(order.answer).write_bytes(msgspec.json.encode(uvloop.run(_load(order))))


if __name__ == "__main__":
    main()
