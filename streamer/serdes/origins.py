"""Where a re-keyed record first stood, told in a header of its own."""

import re
from typing import NamedTuple

from streamer.records.kafka import Headers

HEADER = "streamer.origin"
"""``topic/partition/offset/log time``."""

_FORM = re.compile(r"(.{1,249})/(\d{1,9})/(\d{1,18})/(-1|\d{1,18})")


class Origin(NamedTuple):
    """The place of a record in an event topic, and how far that log had come there."""

    topic: str
    partition: int
    offset: int
    log_time: int
    """Greatest event time of the log's purchases and refunds up to the record, itself included."""


def encode_origin(origin: Origin) -> tuple[str, bytes]:
    """Return ``origin`` as a header."""
    return HEADER, "/".join(map(str, origin)).encode()


def decode_origin(headers: Headers) -> Origin | None:
    """Return what the last header of that name tells; None if there is none, or it is no origin."""
    raw = dict(headers).get(HEADER) or b""
    match = _FORM.fullmatch(raw.decode(errors="replace"))
    return match and Origin(match[1], int(match[2]), int(match[3]), int(match[4]))
