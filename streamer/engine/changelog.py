"""Reading a partition's rows back from its changelog: in batches, committed records only."""

import asyncio
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from streamer.engine.clients import plain_consumer
from streamer.pipeline import Partition
from streamer.settings import Settings

Progress = Callable[[int, int], None]
"""Called with the records read since the last call and those still to be read."""


async def restore(
    partition: Partition, since: int, topic: str, settings: Settings, progress: Progress
) -> None:
    """Bring ``partition`` to where its last committed unit of work left it.

    Call it with the partition fenced: then nothing is written behind its back. ``since`` is behind
    the last record that it has taken already; 0 for none.

    Raises:
        OffsetOutOfRangeError: what comes next was deleted: begin anew, with an empty partition.
    """
    consumer = plain_consumer(settings)
    await consumer.start()
    try:
        await _read(consumer, TopicPartition(topic, partition.number), partition, since, progress)
    finally:
        await consumer.stop()
    await asyncio.to_thread(partition.restored)


async def _read(
    consumer: AIOKafkaConsumer,
    tp: TopicPartition,
    partition: Partition,
    since: int,
    progress: Progress,
) -> None:
    consumer.assign([tp])
    first = (await consumer.beginning_offsets([tp]))[tp]
    end = (await consumer.end_offsets([tp]))[tp]
    position = since or first
    if not first <= position <= end:
        raise OffsetOutOfRangeError({tp: position})
    consumer.seek(tp, position)
    progress(0, end - position)  # before the first record too: a fetch may be long in coming
    # The position, not the records, tells the end: a log may end in transaction markers.
    while position < end:
        fetched = await consumer.getmany(tp, timeout_ms=1000)
        records = fetched.get(tp, [])
        partition.restore((record.key, record.value) for record in records)
        position = await consumer.position(tp)
        progress(len(records), max(0, end - position))
        await asyncio.sleep(0)
