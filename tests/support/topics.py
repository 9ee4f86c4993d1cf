"""Whole topics, read as a subscriber sees them: committed records only, up to the present end."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Literal

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

Isolation = Literal["read_committed", "read_uncommitted"]
POLL_MS = 100


class Tail:
    """Reads topics piece by piece, each time up to the end they have at that moment."""

    def __init__(
        self, bootstrap: str, topics: Iterable[str], isolation: Isolation = "read_committed"
    ) -> None:
        self._topics = sorted(topics)
        self._partitions: list[TopicPartition] = []
        self._fetched: list[ConsumerRecord] = []
        """Not returned yet: the broker may go away between two of them."""
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            isolation_level=isolation,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=POLL_MS,
        )

    async def start(self) -> None:
        await self._consumer.start()
        # Only the topics that a consumer subscribes to or asks for are in its metadata.
        self._consumer.subscribe(self._topics)
        for topic in self._topics:
            numbers = await self._numbers(topic)
            self._partitions += [TopicPartition(topic, number) for number in sorted(numbers)]
        self._consumer.unsubscribe()
        self._consumer.assign(self._partitions)

    async def _numbers(self, topic: str) -> set[int]:
        for _ in range(100):
            if numbers := self._consumer.partitions_for_topic(topic):
                return set(numbers)
            await self._consumer._client.force_metadata_update()
            await asyncio.sleep(0.05)
        raise AssertionError(f"there is no topic {topic}")

    async def stop(self) -> None:
        await self._consumer.stop()

    async def ends(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the present ends; behind a transaction's marker no record may ever come."""
        ends: dict[TopicPartition, int] = await self._consumer.end_offsets(list(partitions))
        return ends

    async def positions(self) -> dict[TopicPartition, int]:
        """Return how far it has read."""
        return {part: await self._consumer.position(part) for part in self._partitions}

    async def catch_up(self, seconds_max: float = 60) -> list[ConsumerRecord]:
        """Return what has been committed since the last call, by partition in log order.

        The position, not the last record, tells that the end is reached: markers of transactions
        and aborted records take offsets too. An unfinished transaction is an end for the time.
        """
        async with asyncio.timeout(seconds_max):
            ends = await self.ends(self._partitions)
            while [part for part in ends if await self._consumer.position(part) < ends[part]]:
                for batch in (await self._consumer.getmany(timeout_ms=POLL_MS)).values():
                    self._fetched += batch
        records, self._fetched = self._fetched, []
        return records


@asynccontextmanager
async def tail(
    bootstrap: str, *topics: str, isolation: Isolation = "read_committed"
) -> AsyncIterator[Tail]:
    """Give a started `Tail`."""
    reader = Tail(bootstrap, topics, isolation)
    try:
        await reader.start()
        yield reader
    finally:
        await reader.stop()


async def read_topic(
    bootstrap: str, topic: str, isolation: Isolation = "read_committed"
) -> list[ConsumerRecord]:
    """Return all records of a topic up to its present end, by partition in log order."""
    async with tail(bootstrap, topic, isolation=isolation) as reader:
        return await reader.catch_up()


async def uncommitted(bootstrap: str, topic: str, partition: int) -> bool:
    """Return whether a partition ends in a transaction that is neither committed nor aborted."""
    ends = []
    for isolation in ("read_committed", "read_uncommitted"):
        reader = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation)
        place = TopicPartition(topic, partition)
        async with reader:
            ends.append((await reader.end_offsets([place]))[place])
    return bool(ends[0] < ends[1])


def last_per_key(records: Iterable[ConsumerRecord]) -> dict[bytes | None, ConsumerRecord]:
    """Return what compaction would leave, tombstones included."""
    return {record.key: record for record in records}
