"""The sums of ratings over the customers of one partition, by product and by category (V9).

Bounded as ``keyed_sums`` says: of products and of categories the first ``RATED_MAX`` by name are
kept.
"""

from collections.abc import Iterable

from streamer.pipeline.keyed_sums import KeyedSums
from streamer.records.partials import RATINGS
from streamer.scoring.programme.reviews import Opinions, RatingCounts, reviewed

RATED_MAX = 1_000


class RatingSums(KeyedSums[RatingCounts]):
    """The sums of ratings."""

    def __init__(self, rated_max: int = RATED_MAX) -> None:
        super().__init__(rated_max)

    def count(self, changes: Iterable[tuple[Opinions, Opinions]]) -> None:
        """Count customers' opinions as they are now, no longer as they were."""
        for rated, delta in reviewed(changes).items():
            key = (RATINGS, rated)
            if self._admits(key):
                self._put(key, self._of.get(key, RatingCounts()) + delta)
