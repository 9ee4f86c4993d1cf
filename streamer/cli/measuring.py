"""The figures of the whole shop as published last: from Kafka, or from a replay's file."""

from pathlib import Path

from streamer.cli.reading import partitions_of, ranges, read, reading
from streamer.errors import StreamerError
from streamer.records.kafka import PROGRAMME_MEASURES
from streamer.records.measures import ShopMeasure, key_of
from streamer.serdes.measures import decode_shop_measure
from streamer.settings import Settings


class NoMeasureError(StreamerError):
    """There is no such figure."""


async def published(settings: Settings, kind: str) -> dict[str, ShopMeasure]:
    """Return the measures whose keys begin with ``kind``, by the rest of their keys.

    Raises:
        TopicError: the topic is missing.
        KafkaError: Kafka is out of reach.
        UnreadableMeasureError: a later version of streamer wrote them.
    """
    values: dict[str, bytes | None] = {}
    partitions = partitions_of(settings, PROGRAMME_MEASURES)
    async with reading(settings, PROGRAMME_MEASURES) as consumer:
        async for records in read(consumer, *await ranges(consumer, partitions)):
            values |= {(one.key or b"").decode(errors="replace"): one.value for one in records}
    return {
        key.removeprefix(kind): decode_shop_measure(value)
        for key, value in sorted(values.items())
        if value is not None and key.startswith(kind)
    }


def of_file(file: Path, kind: str) -> dict[str, ShopMeasure]:
    """Return the same of the ``programme-measures.jsonl`` that a replay has written.

    Raises:
        NoMeasureError: the file cannot be read.
        UnreadableMeasureError: it holds something else.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise NoMeasureError(f"{file} cannot be read ({error.strerror}).") from None
    keyed = {key_of(measure): measure for measure in map(decode_shop_measure, lines)}
    return {
        key.removeprefix(kind): measure for key, measure in keyed.items() if key.startswith(kind)
    }
