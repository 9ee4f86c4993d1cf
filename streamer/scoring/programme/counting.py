"""From customers to sums, a batch at a time: what changes when some of them change."""

from collections.abc import Iterator, Sequence
from itertools import chain

import numpy as np
from msgspec import Struct

from streamer.scoring.columns import Integers
from streamer.scoring.programme.members import Member
from streamer.scoring.programme.months import months_of
from streamer.scoring.programme.tallies import Activity, Lifetime, Tallies, Tally
from streamer.state.windows import DAY_FIELDS

AGE_MAX = 36
"""Who purchased first more months ago than that is counted as of the age ``AGE_MAX + 1``."""

REPEAT_OCCASIONS = 2

HALF_BITS = 31
"""Amounts are summed in halves: up to 2³¹ of them, of any size, fit into 64 bits so."""


def changed(before: Sequence[Member | None], after: Sequence[Member | None], since: int) -> Tallies:
    """Return what to add to the sums when the customers ``before`` become those ``after``.

    Args:
        before: customers as they were counted last; None for one without a purchase.
        after: the same ones as they are now; only the difference of the two sums matters, so with
            no one before this counts those after from scratch.
        since: the first month that is kept; earlier ones are not counted.

    Returns:
        A delta, whose counts may be negative.
    """
    gone, come = ([one for one in some if one is not None] for some in (before, after))
    members = gone + come
    if not members:
        return Tallies()
    signs = np.repeat(np.array([-1, 1]), [len(gone), len(come)])
    cohorts = months_of(np.array([member.first_day for member in members]))
    memberships = _memberships(members)
    tallies = {name: Tally({}, {}) for name in memberships.names}
    for name, month, _, sums in _summed(memberships, _lifetimes(members, cohorts, signs)):
        tallies[name].cohorts[month] = Lifetime(*sums)
    for name, month, age, sums in _summed(memberships, _activities(members, cohorts, signs, since)):
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


def _memberships(members: Sequence[Member]) -> _Memberships:
    places: dict[str, int] = {}
    groups = [places.setdefault(name, len(places)) for member in members for name in member.groups]
    sizes = [len(member.groups) for member in members]
    return _Memberships(list(places), np.array(sizes), np.array(groups))


def _lifetimes(members: Sequence[Member], cohorts: Integers, signs: Integers) -> _Entries:
    """Return one entry a customer, its counts in the order of ``Lifetime``."""
    facts = np.array(
        [
            (
                1,
                one.occasions >= REPEAT_OCCASIONS,
                one.orders,
                one.revenue,
                one.refunded,
                one.value is not None,
                one.value or 0,
            )
            for one in members
        ],
        dtype=np.int64,
    )
    owner = np.arange(len(members))
    return _Entries(owner, cohorts, np.zeros_like(owner), facts * signs[:, np.newaxis])


def _activities(
    members: Sequence[Member], cohorts: Integers, signs: Integers, since: int
) -> _Entries:
    """Return one entry a customer and month, its counts in the order of ``Activity``."""
    lengths = [len(member.days) // DAY_FIELDS for member in members]
    flat = np.array(
        list(chain.from_iterable(member.days for member in members)), dtype=np.int64
    ).reshape(-1, DAY_FIELDS)
    owners, months = np.repeat(np.arange(len(members)), lengths), months_of(flat[:, 0])
    kept = months >= since
    owners, months, flat = owners[kept], months[kept], flat[kept]
    # Days stand in order, so those of one customer and month stand together.
    firsts = np.flatnonzero(_differs(owners) | _differs(months))
    sums = np.add.reduceat(flat[:, 1:], firsts, axis=0) if firsts.size else flat[:, 1:]
    owner, month, active = owners[firsts], months[firsts], sums[:, 0] > 0
    joins = ~_differs(owner) & (np.diff(month, prepend=0) == 1)
    retained = active & joins & np.roll(active, 1)
    counts = np.column_stack([active, retained, sums]) * signs[owner][:, np.newaxis]
    # A refund may be dated before the first purchase.
    age = np.clip(month - cohorts[owner], 0, AGE_MAX + 1)
    return _Entries(owner, month, age, counts)


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
