"""The read limit: aiokafka `getmany` and `orjson.loads`, nothing else.

What any worker on this client must stay below. A process of its own, as workers are:
`python -m benchmarks.read_limit ORDER`.
"""

import asyncio
import sys
import time
from pathlib import Path

import msgspec
import orjson

from benchmarks import steady, topics
from benchmarks.processes import module, run

SECONDS_MAX = 300.0
PASSES = 4
"""A single one takes a second, in which a machine may be busy or not by chance."""


class Order(msgspec.Struct, frozen=True):
    """What to read, and the file that the answer goes to."""

    bootstrap: str
    topic: str
    partitions: int
    events: int
    answer: str


def measure(bootstrap: str, topic: str, partitions: int, events: int, folder: Path) -> steady.Pace:
    """Return the pace at which the topic's events are read and decoded, once warm."""
    answer = folder / "pace.json"
    order = Order(bootstrap, topic, partitions, events, str(answer))
    run("the read limit", module(__name__, order), folder, seconds_max=SECONDS_MAX)
    return msgspec.json.decode(answer.read_bytes(), type=steady.Pace)


async def _read(order: Order) -> steady.Pace:
    samples: list[steady.Sample] = []
    seen = 0
    async with topics.consumer(order.bootstrap) as reader:
        reader.assign(topics.of(order.topic, order.partitions))
        for end in range(order.events, PASSES * order.events + 1, order.events):
            await reader.seek_to_beginning()
            while seen < end:
                for records in (await reader.getmany(timeout_ms=1_000)).values():
                    for record in records:
                        orjson.loads(record.value)
                    seen += len(records)
                samples.append(steady.Sample(time.monotonic(), seen, time.process_time()))
    return steady.pace(samples, PASSES * order.events)


def main() -> None:
    order = msgspec.json.decode(sys.argv[1], type=Order)
    Path(order.answer).write_bytes(msgspec.json.encode(asyncio.run(_read(order))))


if __name__ == "__main__":
    main()
