"""Reading a partition's rows back from its changelog: in batches, committed records only."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, TopicPartition

from streamer.engine.clients import plain_consumer
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
    store: "Store | None" = None,
) -> None:
    """Bring ``partition`` to where its last committed unit of work left it.

    Call it with the partition fenced: then nothing is written behind its back. With a ``store``,
    whose tables are the partition's, only what that does not have is read.
    """
    consumer = plain_consumer(settings)
    await consumer.start()
    try:
        await _read(consumer, TopicPartition(topic, partition.number), partition, progress, store)
    finally:
        await consumer.stop()
    await asyncio.to_thread(partition.restored)


async def _read(
    consumer: AIOKafkaConsumer,
    tp: TopicPartition,
    partition: Partition,
    progress: Progress,
    store: "Store | None",
) -> None:
    consumer.assign([tp])
    first = (await consumer.beginning_offsets([tp]))[tp]
    end = (await consumer.end_offsets([tp]))[tp]
    position = first
    if store is not None:
        position = await _behind(store, consumer, tp, first, end)
        partition.restore(store.kept())
    consumer.seek(tp, position)
    progress(0, end - position)  # before the first record too: a fetch may be long in coming
    # The position, not the records, tells the end: a log may end in transaction markers.
    while position < end:
        fetched = await consumer.getmany(tp, timeout_ms=1000)
        records = fetched.get(tp, [])
        partition.restore((record.key, record.value) for record in records)
        if store is not None:
            store.note((record.offset, record.key, record.value) for record in records)
        position = await consumer.position(tp)
        progress(len(records), max(0, end - position))
        await asyncio.sleep(0)


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
