"""The input topic: purchases as a Java producer would have written them.

That is, keyed by customer, placed by murmur2, in batches of 16 KB.
"""

import asyncio
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
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
    return placed(_of_yesterday(plan.events, plan.customers, plan.skew), plan.partitions)


def all_customers_first(plan: Plan, customers: int) -> Iterator[Placed]:
    """Give one purchase of each customer, then as many as `plan.events` of any of them."""
    values = _of_yesterday(customers + plan.events, customers, plan.skew)
    return placed(chain(_one_each(islice(values, customers)), values), plan.partitions)


def _of_yesterday(events: int, customers: int, skew: float) -> Iterator[bytes]:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    start = midnight - timedelta(days=1)
    return uniform_purchases(events, customers, SEED, days=1, start=start, skew=skew)


def _one_each(values: Iterable[bytes]) -> Iterator[bytes]:
    """Give the purchases to one customer after the other."""
    for number, value in enumerate(values):
        before, _, rest = value.partition(_BEFORE_CUSTOMER)
        yield b'%b%bc%07d"%b' % (before, _BEFORE_CUSTOMER, number, rest.partition(b'"')[2])


def placed(values: Iterable[bytes], partitions: int) -> Iterator[Placed]:
    """Give each purchase with its key and partition."""
    for value in values:
        begin = value.index(_BEFORE_CUSTOMER) + len(_BEFORE_CUSTOMER)
        key = value[begin : value.index(b'"', begin)]
        yield Placed(partition_of(key, partitions), key, value)


async def fill(bootstrap: str, topic: str, records: Iterable[Placed], partitions: int) -> None:
    """Make the input topic and write all its events."""
    await topics.create(bootstrap, [topic], partitions)
    await write(bootstrap, topic, records)


async def write(bootstrap: str, topic: str, records: Iterable[Placed]) -> None:
    """Write events into a topic that is there."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES
    ) as producer:
        await _write(producer, topic, records)


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
