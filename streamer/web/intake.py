"""Events taken in over HTTP: checked as a worker would, published before they are answered for."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError
from aiokafka.structs import RecordMetadata
from msgspec import Struct

from streamer.engine.clients import durable_producer
from streamer.records.dead_letters import Reason, Rejected
from streamer.records.events import CustomerEvent
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import TOPIC_OF_TYPE
from streamer.records.partitioning import partition_of
from streamer.settings import Settings
from streamer.web.problems import not_yet

WAITING_MAX = 20_000
"""Events on their way to Kafka at most: they are in memory."""

WRITE_SECONDS_MAX = 30.0
"""How long Kafka may take; behind that the sender had better come again."""


class Taken(Struct, frozen=True, omit_defaults=True):
    """What became of one event. Refused ones are not published: the answer says why."""

    status: Literal["accepted", "refused"]
    event_id: str | None = None
    """Of an accepted event."""
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None
    reason: Reason | None = None
    """Of a refusal, as a dead letter would have it."""
    message: str | None = None
    field: str | None = None
    """The field at fault, where it is one."""


class EventIntake:
    """Publishes events; started with the first of them. One for a worker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._decoder = settings.decoder()
        self._tolerance = round(settings.future_tolerance_days * DAY)
        self._starting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._waiting = 0

    async def take(self, values: Sequence[bytes], now: datetime) -> list[Taken]:
        """Publish what of ``values`` workers would take; return what became of each, in order.

        What is sent twice counts once, by its ``event_id``: after a failure send all of them again.

        Raises:
            Problem: 503; Kafka is out of reach, or too much is on its way already.
        """
        if self._waiting + len(values) > WAITING_MAX:
            raise not_yet("too many events are on their way to Kafka: send them again in a moment")
        self._waiting += len(values)
        try:
            async with asyncio.timeout(WRITE_SECONDS_MAX):
                producer = await self._started()
                latest = from_datetime(now) + self._tolerance
                checked = [self._checked(value, latest) for value in values]
                events = [one for one in checked if not isinstance(one, Taken)]
                sent = [await self._send(producer, *one) for one in events]
                places = iter(await asyncio.gather(*sent))
                return [
                    one if isinstance(one, Taken) else _accepted(one[0], next(places))
                    for one in checked
                ]
        except TopicAuthorizationFailedError:
            raise not_yet(
                "Kafka does not allow this worker to write events: see `streamer topics acls`"
            ) from None
        except (KafkaError, TimeoutError):
            raise not_yet(
                "Kafka did not take all of them: send them all again, an event counts once"
            ) from None
        finally:
            self._waiting -= len(values)

    def _checked(self, value: bytes, latest: int) -> tuple[CustomerEvent, bytes] | Taken:
        try:
            event = self._decoder.decode(value)
            if event.occurred_at > latest:
                raise Rejected("future", "it is ahead of the clock", "occurred_at")
        except Rejected as rejected:
            reason, message, field = rejected.reason, rejected.message, rejected.field or None
            return Taken("refused", reason=reason, message=message, field=field)
        return event, value

    async def _send(
        self, producer: AIOKafkaProducer, event: CustomerEvent, value: bytes
    ) -> asyncio.Future[RecordMetadata]:
        key = event.customer_id.encode()
        topic = self._settings.topics[TOPIC_OF_TYPE[event.type]]
        partition = partition_of(key, self._settings.partitions)
        sent: asyncio.Future[RecordMetadata] = await producer.send(topic, value, key, partition)
        return sent

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = durable_producer(self._settings)
                try:
                    await producer.start()
                except BaseException:
                    await producer.stop()
                    raise
                self._producer = producer
        return self._producer

    async def close(self) -> None:
        """Publish what is on its way, and let go of Kafka."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()


def _accepted(event: CustomerEvent, place: RecordMetadata) -> Taken:
    return Taken("accepted", event.event_id, place.topic, place.partition, place.offset)
