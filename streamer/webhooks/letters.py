"""Updates that were given up: kept as they are, with the endpoint and what it answered."""

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Self

from aiokafka import AIOKafkaProducer, ConsumerRecord

from streamer.engine.clients import durable_producer
from streamer.records.kafka import WEBHOOK_DEAD_LETTERS, Headers
from streamer.serdes.scores import ERROR_PREFIX, error_headers
from streamer.settings import Settings

REASON = "webhook_refused"
ENDPOINT = ERROR_PREFIX + "endpoint"


class Letters:
    """Writes dead letters; a context manager."""

    def __init__(self, settings: Settings) -> None:
        self._topic = settings.topics[WEBHOOK_DEAD_LETTERS]
        self._producer: AIOKafkaProducer = durable_producer(settings)

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def keep(self, record: ConsumerRecord, endpoint: str, message: str) -> None:
        """Return when the dead letter of ``record`` is durable.

        Raises:
            KafkaError: it cannot be written.
        """
        await self._producer.send_and_wait(
            self._topic,
            record.value,
            record.key,
            partition=record.partition,
            timestamp_ms=record.timestamp,
            headers=list(letter_headers(record, endpoint, message)),
        )


def letter_headers(record: ConsumerRecord, endpoint: str, message: str) -> Headers:
    """Return the record's own headers and, behind them, what ``endpoint`` had against it."""
    told, now = (REASON, message, ""), datetime.now(UTC).isoformat()
    headers = error_headers(record, told, now, version("streamer"))
    return (*headers, (ENDPOINT, endpoint.encode()))
