"""Reading a partition's rows back from its changelog: in batches, committed records only."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streamer.engine.clients import assigned
from streamer.pipeline import Partition
from streamer.serdes.rows import CHECKPOINT_KEY
from streamer.settings import Settings

if TYPE_CHECKING:
    from streamer.engine.store.store import Store

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the records read since the last call and those still to be read."""


async def restore(
    partition: Partition,
    topic: str,
    settings: Settings,
    progress: Progress,
    *,
    since: int = 0,
    store: "Store | None" = None,
) -> None:
    """Bring ``partition`` to where its last committed unit of work left it.

    Call it with the partition fenced: then nothing is written behind its back.

    Args:
        partition: empty, or a standby's.
        topic: the changelog.
        settings: of the connection.
        progress: is told how far it is.
        since: behind the last record that the partition has taken already; 0 for none.
        store: whose tables are the partition's: only what it does not have is read.

    Raises:
        OffsetOutOfRangeError: what comes next was deleted: begin anew, with an empty partition.
    """
    tp = TopicPartition(topic, partition.number)
    async with assigned(settings, [tp]) as consumer:
        first = (await consumer.beginning_offsets([tp]))[tp]
        end = (await consumer.end_offsets([tp]))[tp]
        position = since or first
        if store is not None:
            position = await _behind(store, consumer, tp, first, end)
            partition.restore(store.kept())
        if not first <= position <= end:
            raise OffsetOutOfRangeError({tp: position})
        consumer.seek(tp, position)
        progress(0, end - position)  # before the first record too: a fetch may be long in coming
        async for records in _until(consumer, tp, end):
            partition.restore((record.key, record.value) for record in records)
            if store is not None:
                store.note((record.offset, record.key, record.value) for record in records)
            progress(len(records), max(0, end - await consumer.position(tp)))
            await asyncio.sleep(0)
    await asyncio.to_thread(partition.restored)


async def _until(
    consumer: AIOKafkaConsumer, tp: TopicPartition, end: int
) -> AsyncIterator[list[ConsumerRecord]]:
    """Give what comes before ``end``."""
    # The position, not the records, tells the end: a log may end in transaction markers.
    while await consumer.position(tp) < end:
        fetched = await consumer.getmany(tp, timeout_ms=1000)
        yield fetched.get(tp, [])


async def _behind(
    store: "Store", consumer: AIOKafkaConsumer, tp: TopicPartition, first: int, end: int
) -> int:
    """Return where to read on behind what ``store`` has; wipe it if it is not of this log."""
    held = store.position
    if held is not None and first < held.offset <= end:
        consumer.seek(tp, held.offset - 1)
        while await consumer.position(tp) < end:
            records = (await consumer.getmany(tp, timeout_ms=1000, max_records=1)).get(tp, [])
            for record in records:
                found = record.offset, record.key, record.value
                if found == (held.offset - 1, CHECKPOINT_KEY, held.checkpoint):
                    return held.offset
            if records:
                break
    if held is not None:
        logger.warning(
            "partition %d: the local store stands at offset %d of another changelog than %s, which "
            "holds %d to %d, or of one compacted since; rebuilding it from the changelog",
            tp.partition, held.offset, tp.topic, first, end,
        )  # fmt: skip
    store.wipe()
    return first
