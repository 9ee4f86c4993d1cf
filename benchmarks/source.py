"""The input topic: purchases as a Java producer would have written them.

That is, keyed by customer, placed by murmur2, in batches of 16 KB.
"""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from aiokafka import AIOKafkaProducer

from benchmarks import topics
from benchmarks.plan import Plan
from streamer.records.partitioning import partition_of
from streamer.simulate import uniform_purchases

if TYPE_CHECKING:
    from aiokafka.producer.message_accumulator import BatchBuilder

SEED = 1
BATCH_BYTES = 16_384
_BEFORE_CUSTOMER = b'"customer_id":"'


class Placed(NamedTuple):
    """A record and the partition it goes to."""

    partition: int
    key: bytes
    value: bytes


def purchases(plan: Plan) -> Iterator[Placed]:
    """Give the input of a run: purchases of yesterday, in the order of their times.

    Yesterday, because a backlog is young as a rule. Years of purchases make a worker tell of the
    customers who have fallen silent since, which is another measurement.
    """
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=1)
    return placed(
        uniform_purchases(plan.events, plan.customers, SEED, days=1, start=start, skew=plan.skew),
        plan.partitions,
    )


def placed(values: Iterable[bytes], partitions: int) -> Iterator[Placed]:
    """Give each purchase with its key and partition."""
    for value in values:
        begin = value.index(_BEFORE_CUSTOMER) + len(_BEFORE_CUSTOMER)
        key = value[begin : value.index(b'"', begin)]
        yield Placed(partition_of(key, partitions), key, value)


async def fill(bootstrap: str, topic: str, plan: Plan) -> None:
    """Make the input topic and write all its events."""
    await topics.create(bootstrap, [topic], plan.partitions)
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES
    ) as producer:
        await _write(producer, topic, purchases(plan))


async def _write(producer: AIOKafkaProducer, topic: str, records: Iterable[Placed]) -> None:
    batches: dict[int, BatchBuilder] = {}
    sent = []
    for partition, key, value in records:
        batch = batches.get(partition)
        if batch is None:
            batch = batches[partition] = producer.create_batch()
        if batch.append(key=key, value=value, timestamp=None) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batches[partition] = batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    for partition, batch in batches.items():
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
