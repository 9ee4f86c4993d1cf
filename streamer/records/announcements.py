"""Announcements: what is told only when it changes. The field names are the wire's."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from streamer.records.scores import SCHEMA_VERSION, Cause


class SegmentChange(Struct, frozen=True, gc=False):
    """A customer entered or left a segment."""

    score_id: str
    """Of the score that led to it."""
    customer_id: str
    revision: int
    as_of: datetime
    scored_at: datetime
    model_version: str
    cause: Cause
    segment: str
    change: Literal["entered", "left"]
    segments: tuple[str, ...]
    """All that the customer is in now: the topic is compacted, and the last record says it all."""
    schema_version: int = SCHEMA_VERSION
