"""One scoring of one customer: what both of its updates share."""

from datetime import datetime

from msgspec import Struct

from streamer.records.instants import to_datetime
from streamer.records.scores import Cause

MODEL_VERSION = "formula"
"""Until a model is fitted, scores are by formula and say so."""


class Occasion(Struct, frozen=True, gc=False):
    """When, why and under which number a customer is scored."""

    score_id: str
    customer_id: str
    revision: int
    instant: int
    as_of: datetime
    scored_at: datetime
    cause: Cause


def occasion_of(
    customer_id: str, revision: int, instant: int, scored_at: datetime, cause: Cause
) -> Occasion:
    """Return the occasion; its ``score_id`` follows from its first three arguments.

    A customer's revision never comes twice, so neither does the id.
    """
    score_id = f"{customer_id}-{revision}-{instant:x}"
    return Occasion(
        score_id, customer_id, revision, instant, to_datetime(instant), scored_at, cause
    )
