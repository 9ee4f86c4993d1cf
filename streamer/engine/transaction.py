"""A unit of work becomes one Kafka transaction."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

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
    await asyncio.gather(*sent)
    await producer.commit_transaction()


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Message]
) -> list[asyncio.Future[object]]:
    """Queue ``messages`` in as few batches as their bytes allow."""
    sent = []
    batch = producer.create_batch()
    append = batch.append
    for key, value, header_pairs in messages:
        headers = list(header_pairs)
        if append(timestamp=None, key=key, value=value, headers=headers) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            append = batch.append
            append(timestamp=None, key=key, value=value, headers=headers)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    return sent
