"""Ratings (V9): what a customer thinks of its interactions, on the scale to 5."""

from typing import Literal, NamedTuple

from streamer.records.money import UNIT
from streamer.scoring.nulls import NO_NULLS, Nulls
from streamer.state.row import Row

RatingFlag = Literal["good", "fair", "needs_review"]

GOOD_MIN = 4 * UNIT
"""From here a rating is good."""

FAIR_MIN = 3 * UNIT
"""Below, the interaction needs review."""

_UNRATED = Nulls(dict.fromkeys(("rating_average", "rating_last", "rating_flag"), "no_rating"))


class RatingFigures(NamedTuple):
    """Columns of n entries."""

    counts: list[int]
    average: list[float | None]
    last: list[float | None]
    flag: list[RatingFlag | None]
    nulls: list[Nulls]


_NONE = (0, None, None, None, _UNRATED)


def rating_figures(rows: list[Row]) -> RatingFigures:
    """Return count, average and last rating of ``rows``, and what the last one asks for."""
    told = [_of(row) for row in rows]
    return RatingFigures(*map(list, zip(*told, strict=True)))


def _of(row: Row) -> tuple[int, float | None, float | None, RatingFlag | None, Nulls]:
    kept = row.engagement
    if kept is None or not kept.ratings:
        return _NONE
    last = kept.last_rating[1]
    flag: RatingFlag = (
        "good" if last >= GOOD_MIN else "fair" if last >= FAIR_MIN else "needs_review"
    )
    average = round(kept.rating_sum / kept.ratings) / UNIT
    return kept.ratings, average, last / UNIT, flag, NO_NULLS
