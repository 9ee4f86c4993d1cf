"""Waits for committed scores: `python -m benchmarks.latency.reader ORDER`.

Each score names the event that caused it, whose id is the moment at which it was sent. It can wait
for the events themselves too.
"""

import asyncio
import gc
import sys
import time
from array import array
from pathlib import Path

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, TopicPartition

from benchmarks import topics

FIRST_SECONDS_MAX = 60.0
QUIET_SECONDS_MAX = 5.0
"""So long after the last score it is taken that no more will come."""


class Order(msgspec.Struct, frozen=True):
    """What to read, from where. `ready` is the file that tells the loader to begin.

    The answer is a file of 64-bit integers: the moment an event was sent and the one at which its
    score was seen, in nanoseconds of the monotonic clock, and so on.
    """

    bootstrap: str
    topic: str
    partitions: int
    events: int
    ready: str
    answer: str


class _Cause(msgspec.Struct, frozen=True):
    id: str = ""


class _Told(msgspec.Struct, frozen=True):
    """What an event, or a score, says of the event; the rest of it is not decoded."""

    event_id: str = ""
    cause: _Cause | None = None


_decode = msgspec.json.Decoder(_Told).decode


def sent_ns(value: bytes) -> int:
    """Return when an event, or the one behind a score, was sent.

    0 for a score of silence, and for one of the backlog.

    >>> sent_ns(b'{"event_id":"5"}'), sent_ns(b'{"cause":{"id":"6"}}'), sent_ns(b'{"cause":{}}')
    (5, 6, 0)
    """
    told = _decode(value)
    name = told.event_id if told.cause is None else told.cause.id
    return int(name) if name.isdecimal() else 0


async def _read(order: Order) -> "array[int]":
    moments: array[int] = array("q")
    async with topics.consumer(order.bootstrap) as reader:
        await _go_to_end(reader, order)
        gc.freeze()
        ready_ns = time.monotonic_ns()
        Path(order.ready).touch()  # noqa: ASYNC240 - it is not yet measuring
        quiet_max = FIRST_SECONDS_MAX
        while len(moments) < 2 * order.events:
            fetched = await reader.getmany(timeout_ms=round(quiet_max * 1000))
            seen_ns = time.monotonic_ns()
            if not fetched:
                break
            quiet_max = QUIET_SECONDS_MAX
            for records in fetched.values():
                for record in records:
                    # A peer commits after it counts: what was sent before may still come.
                    if (moment := sent_ns(record.value)) > ready_ns:
                        moments.extend((moment, seen_ns))
    return moments


async def _go_to_end(reader: AIOKafkaConsumer, order: Order) -> None:
    partitions: list[TopicPartition] = topics.of(order.topic, order.partitions)
    reader.assign(partitions)
    await reader.seek_to_end()
    # Asked for, as a seek takes effect with the next fetch only.
    await asyncio.gather(*(reader.position(partition) for partition in partitions))


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    Path(order.answer).write_bytes(uvloop.run(_read(order)).tobytes())


if __name__ == "__main__":
    main()
