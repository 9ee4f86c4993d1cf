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
from typing import Any

import msgspec
import orjson
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


async def _read(order: Order) -> "array[int]":
    moments: array[int] = array("q")
    async with topics.consumer(order.bootstrap) as reader:
        await _go_to_end(reader, order)
        gc.freeze()
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
                    if moment := sent_ns(orjson.loads(record.value)):
                        moments.extend((moment, seen_ns))
    return moments


def sent_ns(value: dict[str, Any]) -> int:
    """Return when an event, or the one behind a score, was sent.

    0 for a score of silence, and for one of the backlog, which a peer commits after it is counted.

    >>> sent_ns({"event_id": "5"}), sent_ns({"cause": {"id": "6"}}), sent_ns({"cause": {}})
    (5, 6, 0)
    """
    cause = value.get("cause")
    name = value["event_id"] if cause is None else cause.get("id", "")
    return int(name) if name.isdecimal() else 0


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
