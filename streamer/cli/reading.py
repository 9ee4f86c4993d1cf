"""Reading topics as their subscribers do: committed records, up to the end they have now."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaTimeoutError

from streamer.engine.clients import plain_consumer
from streamer.engine.topics import TopicError
from streamer.settings import Settings

ANSWER_SECONDS_MAX = 15.0
"""How long brokers may take to answer."""

LAST_RECORDS = 2_000
"""How many records to look at first, from the end, for the last one of a key."""

Offsets = dict[TopicPartition, int]


@asynccontextmanager
async def reading(settings: Settings, *topics: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer of no group; ``topics``, without the prefix, must be there.

    Raises:
        TopicError: a topic is missing.
        KafkaError: no broker answers.
    """
    consumer = plain_consumer(settings)
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            await consumer.start()
            known = await consumer.topics()
        for topic in topics:
            if settings.topics[topic] not in known:
                raise TopicError(
                    f"there is no topic {settings.topics[topic]} at {settings.brokers}: make it "
                    "with `streamer topics create`, or set STREAMER_TOPIC_PREFIX as the worker's."
                )
        yield consumer
    except TimeoutError:
        raise KafkaTimeoutError from None
    finally:
        await consumer.stop()


def partitions_of(settings: Settings, topic: str) -> list[TopicPartition]:
    """Return the partitions of ``topic``, named without its prefix."""
    return [TopicPartition(settings.topics[topic], n) for n in range(settings.partitions)]


async def ranges(
    consumer: AIOKafkaConsumer, partitions: Sequence[TopicPartition]
) -> tuple[Offsets, Offsets]:
    """Return the first offsets and the ends of ``partitions``."""
    async with asyncio.timeout(ANSWER_SECONDS_MAX):
        return (
            await consumer.beginning_offsets(partitions),
            await consumer.end_offsets(partitions),
        )


async def read(
    consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets
) -> AsyncIterator[list[ConsumerRecord]]:
    """Give the records from ``starts`` to before ``ends``, a batch of one partition at a time."""
    left = [tp for tp in starts if starts[tp] < ends[tp]]
    consumer.assign(left)
    for tp in left:
        consumer.seek(tp, starts[tp])
    while left:
        for tp, records in (await consumer.getmany(*left, timeout_ms=200)).items():
            yield [record for record in records if record.offset < ends[tp]]
        # The position, not the records, tells the end: a log may end in transaction markers.
        done = [tp for tp in left if await consumer.position(tp) >= ends[tp]]
        consumer.pause(*done)  # else the others' fetches wait for what may never come there
        left = [tp for tp in left if tp not in done]


async def last_of_key(
    consumer: AIOKafkaConsumer, tp: TopicPartition, key: bytes
) -> ConsumerRecord | None:
    """Return the last record of ``key``, looking from the end in ever longer stretches.

    Who has bought of late is found at once; only who has long been silent takes a whole read.
    """
    firsts, ends = await ranges(consumer, [tp])
    first, end, length = firsts[tp], ends[tp], LAST_RECORDS
    while first < end:
        start = max(first, end - length)
        found = None
        async for records in read(consumer, {tp: start}, {tp: end}):
            for record in records:
                if record.key == key:
                    found = record
        if found is not None:
            return found
        end, length = start, 2 * length
    return None
