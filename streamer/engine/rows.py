"""The rows of all partitions, as their changelog has them now: read by whoever fits a model."""

from aiokafka import TopicPartition

from streamer.engine.clients import plain_consumer
from streamer.records.instants import NEVER
from streamer.records.kafka import CHANGELOG
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    decode_checkpoint,
    decode_row,
    is_row,
)
from streamer.settings import Settings
from streamer.state.row import Row


async def read_rows(settings: Settings) -> tuple[list[Row], int]:
    """Return every row and the greatest event time of a purchase or refund (``NEVER`` if none).

    Raises:
        KafkaError: Kafka is out of reach.
        UnreadableRowError: a later version of streamer wrote them.
    """
    consumer = plain_consumer(settings)
    await consumer.start()
    values: dict[bytes, bytes] = {}
    stream_time = NEVER
    try:
        for number in range(settings.partitions):
            tp = TopicPartition(settings.topics[CHANGELOG], number)
            consumer.assign([tp])
            await consumer.seek_to_beginning(tp)
            end = (await consumer.end_offsets([tp]))[tp]
            while await consumer.position(tp) < end:
                for record in (await consumer.getmany(tp, timeout_ms=1000)).get(tp, []):
                    if record.key == CHECKPOINT_KEY:
                        stream_time = max(stream_time, decode_checkpoint(record.value).stream_time)
                    elif record.value is None:
                        values.pop(record.key, None)
                    elif is_row(record.key):
                        values[record.key] = record.value
    finally:
        await consumer.stop()
    return [decode_row(value) for value in values.values()], stream_time
