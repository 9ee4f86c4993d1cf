"""Publishing the figures of the whole shop (V13, V16, V18): one of the workers, whoever leads.

It reads what all partitions have told on ``programme-partials`` and, every so often, publishes of
``programme-measures`` what has changed since it was published last, by whomever: so a new leader
does not begin with a flood, and what is no more is taken back. Its producer is transactional, which
fences an earlier leader that does not know yet that it has been replaced.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service
from msgspec.structs import replace

from streamer import metrics
from streamer.engine import clients, transaction
from streamer.errors import StreamerError
from streamer.pipeline import Message, Shop, UnitOfWork
from streamer.records.kafka import PROGRAMME_MEASURES, PROGRAMME_PARTIALS
from streamer.records.measures import (
    EXPERIMENT,
    IDEAL,
    PROFILE,
    PROGRAMME,
    RATED,
    ProgrammeMeasure,
    ShopMeasure,
    key_of,
)
from streamer.records.partitioning import partition_of
from streamer.serdes.measures import (
    UnreadableMeasureError,
    decode_shop_measure,
    encode_shop_measure,
)
from streamer.serdes.partials import UnreadablePartialError
from streamer.settings import Settings

logger = logging.getLogger(__name__)

POLL_MS = 100
RETRY_SECONDS = 5.0
PRODUCER = "programme"
"""In the producer's transactional id, where partitions have their number."""


class Board:
    """What is published, and what is to be."""

    def __init__(self, settings: Settings) -> None:
        self._partials_topic = settings.topics[PROGRAMME_PARTIALS]
        self._partitions = settings.partitions
        self._shop = Shop(settings.reporting_currency, settings.trials, settings.goals)
        self._published: dict[str, ShopMeasure | None] = {}
        """Null where it cannot be read any more."""
        self._is_stale = False

    def take(self, record: ConsumerRecord) -> None:
        """Take a record of one of the two topics."""
        if record.topic == self._partials_topic:
            self._is_stale = True
            try:
                self._shop.take(record.partition, record.key, record.value)
            except UnreadablePartialError as error:
                logger.warning("%s at offset %d: %s", record.topic, record.offset, error)
        elif (key := (record.key or b"").decode(errors="replace")).startswith(
            (PROGRAMME, EXPERIMENT, PROFILE, RATED)
        ):
            self._note(key, record.value)

    def _note(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._published.pop(key, None)
            return
        try:
            self._published[key] = decode_shop_measure(value)
        except UnreadableMeasureError:
            self._published[key] = None

    def news(self, now: datetime) -> list[Message]:
        """Return what to publish: measures that differ from the last ones in more than time.

        Raises:
            UnreadablePartialError: another version of streamer wrote what was taken.
        """
        # Before every partition has told its share once, figures would be of a part of the shop.
        if not self._is_stale or self._shop.partitions < self._partitions:
            return []
        measures = {key_of(measure): measure for measure in self._shop.measures(now)}
        self._is_stale = False
        if not self._shop.is_valued and (profile := self._published.get(PROFILE + IDEAL)):
            # What the customers have in common whom a new model has reached so far misleads.
            measures[PROFILE + IDEAL] = profile
        if (everyone := measures.get(f"{PROGRAMME}all")) is not None:
            assert isinstance(everyone, ProgrammeMeasure)  # noqa: S101 - its key says so
            metrics.tell_programme(everyone)
        return list(self._differing(measures)) if measures else []

    def _differing(self, measures: dict[str, ShopMeasure]) -> Iterator[Message]:
        for key, measure in measures.items():
            if not _say_the_same(self._published.get(key), measure):
                yield Message(key.encode(), encode_shop_measure(measure))
        for key in self._published.keys() - measures.keys():
            yield Message(key.encode(), None)


def _say_the_same(one: ShopMeasure | None, other: ShopMeasure) -> bool:
    return one is not None and other == replace(
        one, as_of=other.as_of, measured_at=other.measured_at
    )


class ProgrammePublisher(Service):
    """Publishes while ``leads`` says so."""

    def __init__(self, settings: Settings, leads: Callable[[], bool], **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings
        self._leads = leads

    @Service.task
    async def _publish(self) -> None:
        while not self.should_stop:
            if not self._leads():
                await self.sleep(self._settings.programme_interval_seconds)
                continue
            try:
                await self._lead()
            except (KafkaError, OSError, StreamerError) as error:
                logger.warning("programme measures are not published (%r); trying again", error)
                await self.sleep(RETRY_SECONDS)

    async def _lead(self) -> None:
        settings, board = self._settings, Board(self._settings)
        consumer = clients.plain_consumer(settings)
        producer = clients.transactional_producer(settings, PRODUCER)
        topics = (PROGRAMME_PARTIALS, PROGRAMME_MEASURES)
        tps = [
            TopicPartition(settings.topics[topic], number)
            for topic in topics
            for number in range(settings.partitions)
        ]
        try:
            await producer.start()
            await consumer.start()
            consumer.assign(tps)
            await consumer.seek_to_beginning(*tps)
            while self._leads() and not self.should_stop:
                await _catch_up(consumer, tps, board)
                await self._tell(producer, board)
                await self.sleep(settings.programme_interval_seconds)
        finally:
            metrics.forget_programme()
            await consumer.stop()
            await clients.stop(producer)

    async def _tell(self, producer: AIOKafkaProducer, board: Board) -> None:
        # In a thread: with many groups it takes longer than an event should wait.
        messages = await asyncio.to_thread(board.news, datetime.now(UTC))
        if not messages:
            return
        unit, topic = UnitOfWork(), self._settings.topics[PROGRAMME_MEASURES]
        for message in messages:
            assert message.key is not None  # noqa: S101 - each has one
            unit.send(topic, partition_of(message.key, self._settings.partitions), message)
        await transaction.write(producer, unit)
        metrics.count(unit)


async def _catch_up(consumer: AIOKafkaConsumer, tps: list[TopicPartition], board: Board) -> None:
    """Take all there is by now. The position tells the end: a log may end in markers."""
    ends = await consumer.end_offsets(tps)
    while not all([await consumer.position(tp) >= ends[tp] for tp in tps]):
        for records in (await consumer.getmany(timeout_ms=POLL_MS)).values():
            for record in records:
                board.take(record)
