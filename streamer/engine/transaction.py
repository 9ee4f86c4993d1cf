"""A unit of work becomes one Kafka transaction."""

import asyncio
from collections.abc import Iterable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IllegalOperation,
    KafkaError,
    MessageSizeTooLargeError,
    RecordTooLargeError,
    TopicAuthorizationFailedError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from streamer.engine.clients import TRANSACTION_SECONDS_MAX
from streamer.errors import StreamerError
from streamer.pipeline import Message, UnitOfWork

DEADLINE_SECONDS = TRANSACTION_SECONDS_MAX
"""How long writing a unit of work may take: by then the broker has ended the transaction anyway."""

Outcome = tuple[str, object]
"""A topic, and what became of a batch for it: an exception if it was not written."""

REMEDIES: dict[type[BaseException], str] = {
    MessageSizeTooLargeError: "raise its max.message.bytes",
    RecordTooLargeError: "raise its max.message.bytes",
    TopicAuthorizationFailedError: "grant this worker Write on it",
}
"""Of refusals that would come again."""


class RefusedError(StreamerError):
    """The broker will not have what must be written."""


async def write(producer: AIOKafkaProducer, unit: UnitOfWork) -> dict[str, int]:
    """Write all of ``unit`` and commit, or raise with nothing visible to read_committed readers.

    Returns:
        Where in each topic its records begin; -1 where the broker did not say. Of a topic with
        several partitions it is any one's.

    Raises:
        RefusedError: trying again would fail again.
        KafkaError: the transaction was not, or not known to be, committed: drop the partition's
            state and recover.
        TimeoutError: likewise; aiokafka tries some requests again for ever, and would hang.
    """
    try:
        async with asyncio.timeout(DEADLINE_SECONDS):
            return await _transact(producer, unit)
    except TimeoutError as error:
        raise TimeoutError(f"no end of the transaction in {DEADLINE_SECONDS:g} s") from error


async def _transact(producer: AIOKafkaProducer, unit: UnitOfWork) -> dict[str, int]:
    await producer.begin_transaction()
    sent: list[tuple[str, asyncio.Future[object]]] = []
    over: IllegalOperation | None = None
    for (topic, partition), messages in unit.messages.items():
        try:
            sent += [(topic, each) for each in await _send(producer, topic, partition, messages)]
        except IllegalOperation as error:  # a batch before has failed; its own error says why
            over = error
            break
    outcomes = await asyncio.gather(*(future for _, future in sent), return_exceptions=True)
    _check([(topic, outcome) for (topic, _), outcome in zip(sent, outcomes, strict=True)])
    if over is not None:
        raise KafkaError(str(over)) from over
    await producer.commit_transaction()
    written = zip(reversed(sent), reversed(outcomes), strict=True)
    return {topic: getattr(outcome, "offset", -1) for (topic, _), outcome in written}


def _check(outcomes: Iterable[Outcome]) -> None:
    """Raise what kept a batch from being written: a refusal first, as it makes the others fail."""
    failed = [(topic, error) for topic, error in outcomes if isinstance(error, BaseException)]
    for topic, error in failed:
        if (remedy := REMEDIES.get(type(error))) is not None:
            raise RefusedError(
                f"the broker refuses what is written to {topic} ({type(error).__name__}): "
                f"{remedy} and start again; nothing is lost, nothing of it was committed"
            ) from error
    for _, error in failed:
        raise error


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
