"""A unit of work becomes one Kafka transaction."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from streamer.pipeline import Message, UnitOfWork


async def write(producer: AIOKafkaProducer, unit: UnitOfWork) -> None:
    """Write all of ``unit`` and commit, or raise with nothing visible to read_committed readers.

    Raises:
        KafkaError: the transaction was not, or not known to be, committed: drop the partition's
            state and recover.
    """
    await producer.begin_transaction()
    sent: list[asyncio.Future[object]] = []
    for (topic, partition), messages in unit.messages.items():
        sent += await _send(producer, topic, partition, messages)
    outcomes = await asyncio.gather(*sent, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
    await producer.commit_transaction()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Message]
) -> list[asyncio.Future[object]]:
    """Queue ``messages`` in as few batches as their bytes allow."""
    sent = []
    batch = producer.create_batch()
    for message in messages:
        if not _append(batch, message):
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            _append(batch, message)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent


def _append(batch: BatchBuilder, message: Message) -> bool:
    """Return whether ``batch`` had room; an empty one always has."""
    metadata = batch.append(
        timestamp=message.timestamp,
        key=message.key,
        value=message.value,
        headers=list(message.headers),
    )
    return metadata is not None
