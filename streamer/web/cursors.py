"""Where a listener is, as the id of a server-sent event: the next offset of each partition.

Whoever comes back with the last id it has had goes on from there: nothing is kept for it here. The
id begins with a sum over which partitions it is of: with another filter it would mean another
place.
"""

import re
from collections.abc import Sequence
from zlib import crc32

from aiokafka import TopicPartition

from streamer.engine.following import Positions

CHARS_MAX = 6_000
"""What a browser sends back must be taken as a header. Beyond that an event has no id."""

_CURSOR = re.compile(r"([0-9a-f]{8})((?:\.\d{1,19})+)")


def cursor_of(tps: Sequence[TopicPartition], positions: Positions) -> str | None:
    """Return the id of ``positions``, that of each of ``tps``; None where it would be too long."""
    text = ".".join([_sum(tps), *(str(positions[tp]) for tp in tps)])
    return text if len(text) <= CHARS_MAX else None


def positions_of(tps: Sequence[TopicPartition], cursor: str) -> Positions | None:
    """Return what an id says of ``tps``; None if it is none, or one of other partitions."""
    found = _CURSOR.fullmatch(cursor)
    if found is None or found[1] != _sum(tps):
        return None
    offsets = found[2][1:].split(".")
    return dict(zip(tps, map(int, offsets), strict=True)) if len(offsets) == len(tps) else None


def _sum(tps: Sequence[TopicPartition]) -> str:
    return f"{crc32(repr([(tp.topic, tp.partition) for tp in tps]).encode()):08x}"
