"""Following topics as any subscriber does: what is committed, for as long as one likes."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from streamer.engine.clients import plain_consumer
from streamer.records.kafka import PROGRAMME_MEASURES
from streamer.settings import Settings

POLL_MS = 1_000
RETRY_SECONDS = 5.0


async def follow(
    settings: Settings, topics: Iterable[str], *, from_beginning: bool
) -> AsyncGenerator[list[ConsumerRecord], None]:
    """Give the records of ``topics``, named without their prefix, batch after batch.

    An empty batch says that there is no more by now. Close the iterator to end.

    Raises:
        KafkaError: Kafka is out of reach.
    """
    consumer = plain_consumer(settings)
    await consumer.start()
    try:
        tps = [
            TopicPartition(settings.topics[topic], number)
            for topic in topics
            for number in range(settings.partitions)
        ]
        consumer.assign(tps)
        await (consumer.seek_to_beginning if from_beginning else consumer.seek_to_end)(*tps)
        while True:
            batches = await consumer.getmany(timeout_ms=POLL_MS)
            yield [record for batch in batches.values() for record in batch]
    finally:
        await consumer.stop()


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
