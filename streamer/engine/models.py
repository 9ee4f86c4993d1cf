"""Watching ``model-params`` for the model that scores go by, and publishing one."""

import asyncio
import logging
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from mode import Service

from streamer import metrics
from streamer.engine.clients import assigned, durable_producer
from streamer.records.kafka import MODEL_PARAMS, PROGRAMME_MEASURES
from streamer.records.measures import ModelCalibration
from streamer.records.models import CURRENT, ModelParams
from streamer.records.partitioning import partition_of
from streamer.scoring.fitted import fitted_model
from streamer.serdes.models import (
    ModelParamsError,
    decode_model_params,
    encode_measure,
    encode_model_params,
)
from streamer.settings import Settings

logger = logging.getLogger(__name__)

POLL_MS = 1_000
RETRY_SECONDS = 5.0


class ModelWatch(Service):
    """Keeps the newest model at hand, from before the partitions start until the end."""

    def __init__(self, settings: Settings, **options: Any) -> None:
        super().__init__(**options)
        self._settings = settings
        self.model: ModelParams | None = None
        self._known = asyncio.Event()

    async def known(self) -> None:
        """Wait until the topic has been read to the end that it had at the start."""
        await self._known.wait()

    @Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            try:
                await self._follow()
            except (KafkaError, OSError) as error:
                logger.warning("model-params cannot be read (%r); trying again", error)
                await self.sleep(RETRY_SECONDS)

    async def _follow(self) -> None:
        tps = [
            TopicPartition(self._settings.topics[MODEL_PARAMS], number)
            for number in range(self._settings.partitions)
        ]
        async with assigned(self._settings, tps) as consumer:
            await consumer.seek_to_beginning(*tps)
            ends = await consumer.end_offsets(tps)
            while not self.should_stop:
                await self._take(consumer)
                if not self._known.is_set():
                    positions = [await consumer.position(tp) for tp in tps]
                    if all(p >= ends[tp] for p, tp in zip(positions, tps, strict=True)):
                        self._known.set()

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        timeout_ms = POLL_MS if self._known.is_set() else 100
        for records in (await consumer.getmany(timeout_ms=timeout_ms)).values():
            for record in records:
                try:
                    model = decode_model_params(record.value or b"")
                    fitted_model(model)  # whoever scores by it relies on its parameters
                    self._consider(model)
                except (ModelParamsError, ValueError) as error:
                    logger.warning("model-params at offset %d: %s", record.offset, error)

    def _consider(self, model: ModelParams) -> None:
        if model.currency != self._settings.reporting_currency:
            logger.warning("model %s is of %s: not adopted", model.model_version, model.currency)
        elif self.model is None or model.generation > self.model.generation:
            self.model = model
            metrics.tell_model(model)
            logger.info("model %s, generation %d", model.model_version, model.generation)


async def newest_model(settings: Settings) -> ModelParams | None:
    """Return the model published last, None before the first.

    Raises:
        KafkaError: Kafka is out of reach.
    """
    watch = ModelWatch(settings)
    async with watch:
        await watch.known()
    return watch.model


async def publish(settings: Settings, model: ModelParams) -> None:
    """Make ``model`` the one that workers score by, and tell how good its like has been.

    Raises:
        KafkaError: Kafka is out of reach, or refuses.
    """
    messages = [(MODEL_PARAMS, CURRENT, encode_model_params(model))]
    if (measure := calibration_of(model)) is not None:
        key = measure.measure.encode()
        messages.append((PROGRAMME_MEASURES, key, encode_measure(measure)))
    producer = durable_producer(settings)
    await producer.start()
    try:
        for topic, key, value in messages:
            to = partition_of(key, settings.partitions)
            await producer.send_and_wait(settings.topics[topic], value, key, to)
    finally:
        await producer.stop()


def calibration_of(model: ModelParams) -> ModelCalibration | None:
    """Return the measure that ``model``'s check is, if it could be checked."""
    if model.check is None:
        return None
    return ModelCalibration(
        as_of=model.data_until,
        measured_at=model.fitted_at,
        model_version=model.model_version,
        figures=model.check,
    )
