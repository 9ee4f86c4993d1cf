"""From customers to sums, a batch at a time: what changes when some of them change."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

import numpy as np
from msgspec import Struct

from streamer.scoring.columns import Integers
from streamer.scoring.programme.changes import Change, Part, parts
from streamer.scoring.programme.months import months_of
from streamer.scoring.programme.tallies import Activity, Lifetime, Tallies, Tally
from streamer.state.windows import DAY_FIELDS

AGE_MAX = 36
"""Who purchased first more months ago than that is counted as of the age ``AGE_MAX + 1``."""

BEFORE = -1
"""The age of what is dated before the month of the first purchase: a refund may be."""

HALF_BITS = 31
"""Amounts are summed in halves: up to 2³¹ of them, of any size, fit into 64 bits so."""


def changed(changes: Iterable[Change], since: int) -> Tallies:
    """Return what to add to the sums after ``changes`` of customers.

    Args:
        changes: each customer as it was counted last and as it is now; None for one without a
            purchase. So ``(None, member)`` of all customers counts them from scratch.
        since: the first month that is kept; earlier ones are not counted.

    Returns:
        A delta, whose counts may be negative.
    """
    counted = list(parts(changes))
    if not counted:
        return Tallies()
    cohorts = months_of(np.array([part.first_day for part in counted]))
    memberships = _memberships(counted)
    tallies = {name: Tally({}, {}) for name in memberships.names}
    for name, month, _, sums in _summed(memberships, _lifetimes(counted, cohorts)):
        tallies[name].cohorts[month] = Lifetime(*sums)
    for name, month, age, sums in _summed(memberships, _activities(counted, cohorts, since)):
        tallies[name].months.setdefault(month, {})[age] = Activity(*sums)
    # Adding nothing leaves out what adds up to nothing.
    return Tallies() + Tallies(tallies)


class _Memberships(Struct, frozen=True):
    """Who is in which groups: the p memberships in the order of the customers."""

    names: list[str]
    sizes: Integers
    """Groups of each customer, shape (n,)."""
    groups: Integers
    """Places among the names, shape (p,)."""


class _Entries(Struct, frozen=True):
    """What is to be summed: e entries of k counts each."""

    owner: Integers
    """Place of the customer, shape (e,)."""
    month: Integers
    age: Integers
    counts: Integers
    """Shape (e, k)."""


def _memberships(counted: Sequence[Part]) -> _Memberships:
    places: dict[str, int] = {}
    groups = [places.setdefault(name, len(places)) for part in counted for name in part.groups]
    sizes = [len(part.groups) for part in counted]
    return _Memberships(list(places), np.array(sizes), np.array(groups))


def _lifetimes(counted: Sequence[Part], cohorts: Integers) -> _Entries:
    """Return one entry a part that has any, its counts in the order of ``Lifetime``."""
    told = [place for place, part in enumerate(counted) if part.lifetime]
    owner = np.array(told)
    signs = np.array([counted[place].sign for place in told])
    counts = np.array([counted[place].lifetime for place in told], dtype=np.int64)
    return _Entries(owner, cohorts[owner], np.zeros_like(owner), counts * signs[:, np.newaxis])


def _activities(counted: Sequence[Part], cohorts: Integers, since: int) -> _Entries:
    """Return one entry a part and month, its counts in the order of ``Activity``."""
    lengths = [len(part.days) // DAY_FIELDS for part in counted]
    flat = np.array(
        list(chain.from_iterable([part.days for part in counted])), dtype=np.int64
    ).reshape(-1, DAY_FIELDS)
    owners, months = np.repeat(np.arange(len(counted)), lengths), months_of(flat[:, 0])
    kept = months >= since
    owners, months, flat = owners[kept], months[kept], flat[kept]
    # Days stand in order, so those of one part and month stand together.
    firsts = np.flatnonzero(_differs(owners) | _differs(months))
    sums = np.add.reduceat(flat[:, 1:], firsts, axis=0) if firsts.size else flat[:, 1:]
    owner, month, active = owners[firsts], months[firsts], sums[:, 0] > 0
    joins = ~_differs(owner) & (np.diff(month, prepend=0) == 1)
    retained = active & joins & np.roll(active, 1)
    signs = np.array([part.sign for part in counted])[owner]
    age = np.clip(month - cohorts[owner], BEFORE, AGE_MAX + 1)
    counts = np.column_stack([active, retained, sums]) * signs[:, np.newaxis]
    new = month >= months_of(np.array([part.from_day for part in counted]))[owner]
    return _Entries(owner[new], month[new], age[new], counts[new])


def _differs(values: Integers) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Return where a value is not that before it, shape (n,); the first never is."""
    return np.concatenate([np.ones(min(1, len(values)), np.bool_), values[1:] != values[:-1]])


def _summed(
    memberships: _Memberships, entries: _Entries
) -> Iterator[tuple[str, int, int, list[int]]]:
    """Give the sums of the entries by the owner's groups, month and age."""
    if not entries.owner.size:
        return
    times = memberships.sizes[entries.owner]
    entry = np.repeat(np.arange(len(times)), times)
    # The first membership of the owner, and how many of this entry came before.
    first = (np.cumsum(memberships.sizes) - memberships.sizes)[entries.owner]
    within = np.arange(len(entry)) - np.repeat(np.cumsum(times) - times, times)
    group = memberships.groups[first[entry] + within]
    order = np.lexsort((entries.age[entry], entries.month[entry], group))
    entry, group = entry[order], group[order]
    month, age = entries.month[entry], entries.age[entry]
    firsts = np.flatnonzero(_differs(group) | _differs(month) | _differs(age))
    counts = entries.counts[entry]
    upper = np.add.reduceat(counts >> HALF_BITS, firsts, axis=0).tolist()
    lower = np.add.reduceat(counts & ((1 << HALF_BITS) - 1), firsts, axis=0).tolist()
    keys = (part[firsts].tolist() for part in (group, month, age))
    for name, at, old, highs, lows in zip(*keys, upper, lower, strict=True):
        sums = [(high << HALF_BITS) + low for high, low in zip(highs, lows, strict=True)]
        yield memberships.names[name], at, old, sums
