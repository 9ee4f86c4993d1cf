"""The sums of ratings over the customers of one partition, by product and by category (V9).

A function of the customers counted, in whatever order. Bounded as ``sums`` is: of products and of
categories the first ``RATED_MAX`` by name are kept, and what was left out stays so until a recount.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterable, Iterator

from streamer.pipeline.sums import kind_of
from streamer.records.partials import RATINGS, Key
from streamer.scoring.programme.reviews import Opinions, RatingCounts, reviewed

RATED_MAX = 1_000


class RatingSums:
    """The sums of one partition, and which of them have changed since they were last asked for."""

    def __init__(self, rated_max: int = RATED_MAX) -> None:
        self._rated_max = rated_max
        self._of: dict[Key, RatingCounts] = {}
        self._kept: defaultdict[str, list[Key]] = defaultdict(list)
        """By kind, sorted."""
        self.beyond: dict[str, Key] = {}
        """By kind, the first key that was left out because there were too many."""
        self._changed: set[Key] = set()

    @property
    def keys(self) -> list[Key]:
        """Of what there is, sorted."""
        return sorted(self._of)

    @property
    def has_changed(self) -> bool:
        """Whether ``take_changed`` would give anything."""
        return bool(self._changed)

    def take_changed(self) -> Iterator[tuple[Key, RatingCounts | None]]:
        """Give what has changed since the last call; None is no longer there."""
        changed, self._changed = sorted(self._changed), set()
        for key in changed:
            yield key, self._of.get(key)

    def count(self, changes: Iterable[tuple[Opinions, Opinions]]) -> None:
        """Count customers' opinions as they are now, no longer as they were."""
        for rated, delta in reviewed(changes).items():
            key = (RATINGS, rated)
            if not self._admits(key):
                continue
            counts = self._of.get(key, RatingCounts()) + delta
            if counts.ratings:
                self._of[key] = counts
            else:
                self._drop(key)
            self._changed.add(key)

    def _admits(self, key: Key) -> bool:
        """Return whether ``key`` is counted, making room for it if need be."""
        if key in self._of:
            return True
        kind = kind_of(key)
        if kind in self.beyond and key >= self.beyond[kind]:
            return False
        kept = self._kept[kind]
        insort(kept, key)
        self._of[key] = RatingCounts()
        if len(kept) > self._rated_max:
            last = self.beyond[kind] = kept[-1]
            self._drop(last)
            if last == key:
                return False
            self._changed.add(last)
        return True

    def _drop(self, key: Key) -> None:
        del self._of[key]
        kept = self._kept[kind_of(key)]
        del kept[bisect_left(kept, key)]
