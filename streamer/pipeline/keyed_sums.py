"""Sums by key over the customers of one partition: what changed, and the bound.

A function of the customers counted, in whatever order. Bounded: of each kind of keys the first so
many by name are kept. Which these are depends on the set of names alone, so the first of the shop
are kept in every partition that knows them. A name that was left out stays so until a recount: what
was not counted of it is not known.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Iterator
from typing import Generic, TypeVar

from streamer.records.partials import ARM, GROUP, Key

T = TypeVar("T")


class KeyedSums(Generic[T]):
    """The sums of one partition, and which of them have changed since they were last asked for."""

    def __init__(self, keys_max: int) -> None:
        self._keys_max = keys_max
        """Of each kind."""
        self._of: dict[Key, T] = {}
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

    def take_changed(self) -> Iterator[tuple[Key, T | None]]:
        """Give what has changed since the last call; None is no longer there."""
        changed, self._changed = sorted(self._changed), set()
        for key in changed:
            yield key, self._of.get(key)

    def _admits(self, key: Key) -> bool:
        """Return whether ``key`` is counted, making room for it if need be; then put it in."""
        if key in self._of:
            return True
        kind = kind_of(key)
        if kind in self.beyond and key >= self.beyond[kind]:
            return False
        kept = self._kept[kind]
        insort(kept, key)
        if len(kept) > self._keys_max:
            last = self.beyond[kind] = kept.pop()
            if last == key:
                return False
            del self._of[last]
            self._changed.add(last)
        return True

    def _put(self, key: Key, sums: T) -> None:
        """Note what ``key``, an admitted one, counts for now; with nothing left it goes."""
        self._changed.add(key)
        if sums:
            self._of[key] = sums
            return
        self._of.pop(key, None)
        kept = self._kept[kind_of(key)]
        del kept[bisect_left(kept, key)]


def kind_of(key: Key) -> str:
    """Return what a key is of: of groups their kind, which stands before the colon.

    >>> kind_of(("group", "channel:email")), kind_of(("arm", "free-shipping", "offer"))
    ('channel', 'arm')
    >>> kind_of(("trait", "channel", "email")), kind_of(("ratings", "product:p-1"))
    ('trait:channel', 'ratings:product')
    """
    if key[0] == ARM:
        return ARM
    kind = key[1].partition(":")[0]
    return kind if key[0] == GROUP else f"{key[0]}:{kind}"
