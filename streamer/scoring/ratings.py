"""Ratings (V9): what a customer thinks of its interactions, on the scale to 5."""

from operator import attrgetter
from typing import Literal

from streamer.records.money import UNIT
from streamer.scoring.measure import Measure, members, nothing
from streamer.state.row import Row

RatingFlag = Literal["good", "fair", "needs_review"]

GOOD_MIN = 4 * UNIT
"""From here a rating is good."""

FAIR_MIN = 3 * UNIT
"""Below, the interaction needs review."""

_NULLS = members({"ratings": "no_rating"})
_UNRATED = (None, None, None, None, _NULLS)


def ratings(rows: list[Row]) -> Measure:
    """Return count, average and last rating of ``rows``, and what the last one asks for."""
    if not any(map(attrgetter("engagement"), rows)):
        return nothing(len(rows), len(_UNRATED) - 1, _NULLS)
    *columns, nulls = map(list, zip(*map(_of, rows), strict=True))
    return Measure(tuple(columns), nulls)


def _of(row: Row) -> tuple[int | None, float | None, float | None, RatingFlag | None, str]:
    kept = row.engagement
    if kept is None or not kept.ratings:
        return _UNRATED
    last = kept.last_rating[1]
    flag: RatingFlag = (
        "good" if last >= GOOD_MIN else "fair" if last >= FAIR_MIN else "needs_review"
    )
    average = round(kept.rating_sum / kept.ratings) / UNIT
    return kept.ratings, average, last / UNIT, flag, ""
