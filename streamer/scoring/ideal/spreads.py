"""How many customers there are of each lifetime value, by trait: exact, added and taken away.

Values are told apart to 1/16 of a power of two, 4.4 %: the logarithmic buckets of DDSketch (Masson,
Rim & Lee 2019, PVLDB 12:2195), whose quantiles have a bounded relative error whatever the
distribution. Counts of buckets are whole numbers, so sums over customers and partitions are exact
in any order, and a customer who changes is taken away as exactly as it was added.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import log2
from typing import NamedTuple

from msgspec import Struct

from streamer.records.models import TRAITS
from streamer.records.partials import TRAIT, Key

BUCKETS_PER_DOUBLING = 16
WORTHLESS = -1
"""The bucket of all values below a millionth."""

EVERYONE: Key = (TRAIT, "", "")
"""All customers whose value is known."""


class Marked(NamedTuple):
    """What a customer whose lifetime value is known counts for."""

    bucket: int
    traits: tuple[str, ...]
    """Values of ``TRAITS``, "" where unknown."""


class Spread(Struct, frozen=True):
    """Customers by bucket of their values; those with none are left out."""

    customers: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self.customers)

    def __add__(self, other: "Spread") -> "Spread":
        summed = Spread(dict(self.customers))
        summed.add(other.customers)
        return summed

    def add(self, delta: Mapping[int, int]) -> None:
        """Add ``delta`` in place: the table must be the caller's own."""
        for bucket, count in delta.items():
            total = self.customers.get(bucket, 0) + count
            if total:
                self.customers[bucket] = total
            else:
                self.customers.pop(bucket, None)


def bucket_of(value: int) -> int:
    """Return the bucket of a value in millionths.

    >>> bucket_of(0), bucket_of(1), bucket_of(2), bucket_of(1024)
    (-1, 0, 16, 160)
    """
    return WORTHLESS if value < 1 else int(BUCKETS_PER_DOUBLING * log2(value))


def floor_of(bucket: int) -> float:
    """Return the least value of a bucket, in millionths.

    >>> floor_of(-1), floor_of(160)
    (0.0, 1024.0)
    """
    return 0.0 if bucket == WORTHLESS else 2.0 ** (bucket / BUCKETS_PER_DOUBLING)


def differences(
    changes: Iterable[tuple[Marked | None, Marked | None]],
) -> dict[Key, Counter[int]]:
    """Return what to add to the spreads after ``changes`` of customers: as counted last, and now.

    Returns:
        Counts, some below zero, by bucket, of everyone and of each value of each trait.
    """
    found: dict[Key, Counter[int]] = {}
    for before, after in changes:
        if before == after:
            continue
        for marked, sign in ((before, -1), (after, 1)):
            if marked is None:
                continue
            for key in _keys(marked):
                found.setdefault(key, Counter())[marked.bucket] += sign
    return found


def _keys(marked: Marked) -> list[Key]:
    pairs = zip(TRAITS, marked.traits, strict=True)
    return [EVERYONE, *((TRAIT, trait, value) for trait, value in pairs)]
