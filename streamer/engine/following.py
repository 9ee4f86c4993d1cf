"""Following topics as any subscriber does: what is committed, for as long as one likes."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from streamer.engine.clients import assigned
from streamer.records.kafka import PROGRAMME_MEASURES
from streamer.settings import Settings

POLL_MS = 1_000
RETRY_SECONDS = 5.0


Positions = dict[TopicPartition, int]
"""Of each partition the offset that comes next."""


async def follow(
    settings: Settings, topics: Iterable[str], *, from_beginning: bool
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Give the records of ``topics``, named without their prefix, batch after batch.

    An empty batch says that there is no more by now. Close the iterator to end.

    Raises:
        KafkaError: Kafka is out of reach.
    """
    tps = [
        TopicPartition(settings.topics[topic], number)
        for topic in topics
        for number in range(settings.partitions)
    ]
    async with assigned(settings, tps) as consumer:
        await (consumer.seek_to_beginning if from_beginning else consumer.seek_to_end)(*tps)
        while True:
            yield await _batch(consumer)


async def follow_on(
    settings: Settings, tps: Iterable[TopicPartition], positions: Positions
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Give the records of ``tps`` from ``positions`` on; of those without one, what comes now.

    The first batch is empty: then every partition has its position in ``positions``. What lies
    outside of a log, because it has been shortened, or made anew, is moved to its nearest end. When
    the next batch is asked for, ``positions`` are behind the last one, and what only ends
    transactions is passed too.

    Raises:
        KafkaError: Kafka is out of reach.
    """
    wanted = list(tps)
    async with assigned(settings, wanted) as consumer:
        firsts, ends = (
            await consumer.beginning_offsets(wanted),
            await consumer.end_offsets(wanted),
        )
        for tp in wanted:
            positions[tp] = min(max(positions.get(tp, ends[tp]), firsts[tp]), ends[tp])
            consumer.seek(tp, positions[tp])
        yield []
        while True:
            yield await _batch(consumer)
            for tp in wanted:
                positions[tp] = await consumer.position(tp)


async def _batch(consumer: AIOKafkaConsumer) -> list[ConsumerRecord]:
    batches = await consumer.getmany(timeout_ms=POLL_MS)
    return [record for batch in batches.values() for record in batch]


class MeasureWatch(Service):
    """Keeps the figures of the whole shop at hand, as ``programme-measures`` has them."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings
        self.values: dict[str, bytes] = {}
        """By key (see ``records.measures.key_of``), as JSON."""
        self.is_known = False
        """Whether the topic has been read to an end."""

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                self.log.warning("programme-measures cannot be read (%r); trying again", error)
                await self.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        batches = follow(self._settings, [PROGRAMME_MEASURES], from_beginning=True)
        async with aclosing(batches):
            async for batch in batches:
                for record in batch:
                    self._take(record)
                self.is_known = self.is_known or not batch
                if self.should_stop:
                    return

    def _take(self, record: ConsumerRecord) -> None:
        key = (record.key or b"").decode(errors="replace")
        if record.value is None:
            self.values.pop(key, None)
        else:
            self.values[key] = record.value
