"""Topics: make them, delete them, read them through. Outside of what is timed."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import for_code
from aiokafka.structs import ConsumerRecord

from benchmarks.errors import BenchmarkError

SETTLE_SECONDS_MAX = 30.0


async def create(bootstrap: str, names: Iterable[str], partitions: int) -> None:
    """Make topics and wait until each partition has its leader."""
    wanted = list(names)
    async with _admin(bootstrap) as admin:
        response = await admin.create_topics([NewTopic(name, partitions, 1) for name in wanted])
        for topic, code, *_ in response.topic_errors:
            if code:
                raise BenchmarkError(f"{topic} could not be made: {for_code(code).__name__}.")
    # The broker names a leader before that one serves; it answers this when it does.
    for name in wanted:
        await end_offsets(bootstrap, name, partitions)


async def delete(bootstrap: str, prefix: str, kept: str) -> None:
    """Delete the topics whose names begin with `prefix`, but for one, and wait until they are."""
    async with _admin(bootstrap) as admin, asyncio.timeout(SETTLE_SECONDS_MAX):
        while names := [
            name for name in await admin.list_topics() if name.startswith(prefix) and name != kept
        ]:
            await admin.delete_topics(names)
            await asyncio.sleep(0.05)


async def end_offsets(bootstrap: str, topic: str, partitions: int) -> dict[int, int]:
    """Return where each partition of a topic ends, as a read_committed reader sees it."""
    async with consumer(bootstrap) as reader:
        ends = await reader.end_offsets(of(topic, partitions))
        return {tp.partition: end for tp, end in ends.items()}


async def committed(
    bootstrap: str, topic: str, partitions: int
) -> AsyncIterator[Sequence[ConsumerRecord]]:
    """Give all committed records of a topic, in batches of one partition each."""
    async with consumer(bootstrap) as reader:
        reader.assign(of(topic, partitions))
        await reader.seek_to_beginning()
        ends = await reader.end_offsets(of(topic, partitions))
        # The position tells the end, not the records: a log may end in transaction markers.
        while any([await reader.position(tp) < end for tp, end in ends.items()]):
            for records in (await reader.getmany(timeout_ms=200)).values():
                yield records


def of(topic: str, partitions: int) -> list[TopicPartition]:
    """Return the partitions of a topic."""
    return [TopicPartition(topic, number) for number in range(partitions)]


@asynccontextmanager
async def consumer(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a reader of committed records that belongs to no group."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await reader.start()
    try:
        yield reader
    finally:
        await reader.stop()


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()
