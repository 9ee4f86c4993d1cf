"""Which products and categories need a review: too many of their ratings are low (V9).

A customer's latest rating of a product counts, once: whoever rates ten times has one voice. The
share of low ratings is an estimate, so a product is flagged only when the lower bound of its Wilson
interval lies above the greatest share that the shop puts up with: few ratings flag nothing.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from streamer.records.money import UNIT
from streamer.scoring.experiments.rates import wilson
from streamer.scoring.programme.tallies import Counts
from streamer.scoring.ratings import FAIR_MIN
from streamer.state.opinions import CATEGORY
from streamer.state.row import Row

ALPHA = 0.05
"""The interval misses the share this often."""

RATINGS_MIN = 5
"""With fewer nothing is said of a review: a single low rating is a matter of its customer."""

REASONS = {"too_few_ratings": f"fewer than {RATINGS_MIN} customers have rated it"}
"""The codes of ``null_reasons`` and what they mean."""


class RatingCounts(Counts, frozen=True, array_like=True):
    """Of a product or a category."""

    ratings: int = 0
    total: int = 0
    """Their sum in millionths, on the scale to 5."""
    low: int = 0
    """How many of them are below 3."""


Opinions = Mapping[str, RatingCounts]
"""By what was rated, such as ``product:p-1``."""


class Review(Struct, frozen=True, kw_only=True):
    """The figures of a product or a category."""

    ratings: int
    rating_average: float
    """0 to 5."""
    low_ratings: int
    low_share: float
    low_share_low: float
    low_share_high: float
    """Wilson's interval at 0.95."""
    needs_review: bool | None
    null_reasons: dict[str, str]


def opinions_of(row: Row) -> Opinions:
    """Return what the customer of ``row`` said last of each product, and of their categories."""
    kept = row.engagement
    if kept is None or not kept.opinions:
        return {}
    counts: dict[str, RatingCounts] = {}
    for rated, (_, rating, category) in kept.opinions.items():
        one = RatingCounts(1, rating, int(rating < FAIR_MIN))
        for name in (rated, CATEGORY + category) if category else (rated,):
            counts[name] = counts.get(name, RatingCounts()) + one
    return counts


def reviewed(changes: Iterable[tuple[Opinions, Opinions]]) -> Opinions:
    """Return what to add to the sums after ``changes``.

    Args:
        changes: each customer's opinions as they were counted last and as they are now.
    """
    delta: dict[str, RatingCounts] = {}
    for before, after in changes:
        if before == after:
            continue
        for name, counts in after.items():
            delta[name] = delta.get(name, RatingCounts()) + counts
        for name, counts in before.items():
            gone = RatingCounts(-counts.ratings, -counts.total, -counts.low)
            delta[name] = delta.get(name, RatingCounts()) + gone
    return {name: counts for name, counts in delta.items() if counts}


def review_of(counts: RatingCounts, low_share_max: float) -> Review:
    """Return the figures of ``counts``, of one rating or more.

    Args:
        counts: of a product or a category, over all partitions.
        low_share_max: the share of low ratings that the shop puts up with, 0 to 1.
    """
    low, high = wilson(counts.low, counts.ratings, ALPHA)
    known = counts.ratings >= RATINGS_MIN
    return Review(
        ratings=counts.ratings,
        rating_average=round(counts.total / counts.ratings / UNIT, 6),
        low_ratings=counts.low,
        low_share=counts.low / counts.ratings,
        low_share_low=low,
        low_share_high=high,
        needs_review=low > low_share_max if known else None,
        null_reasons={} if known else {"needs_review": "too_few_ratings"},
    )
