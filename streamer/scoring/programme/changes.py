"""What of a customer's change has to be counted: mostly the last two months, not the year.

A purchase changes the totals and one day, as a rule the last. So where a customer stays in its
groups and its cohort, only the days from the month before the first difference on are looked at:
the month of the difference for what was done in it, the one before it for who was retained, the one
after it too.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator

from msgspec import Struct

from streamer.scoring.programme.members import Member
from streamer.state.windows import DAY_FIELDS

TWO_MONTHS = 62
"""Days: from any day of a month back to the first of the month before, at most."""

REPEAT_OCCASIONS = 2

Change = tuple[Member | None, Member | None]
"""A customer as it was counted last and as it is now; None without a purchase."""


class Part(Struct, frozen=True):
    """One side of a change, or what of it is not the same on both."""

    sign: int
    """1 for what comes, -1 for what goes."""
    first_day: int
    groups: tuple[str, ...]
    lifetime: tuple[int, ...]
    """In the order of ``Lifetime``; empty where it is in the other part."""
    days: tuple[int, ...]
    """Flat, as in the row."""
    from_day: int = 0
    """The months before that of this day are the same in the other part."""


def parts(changes: Iterable[Change]) -> Iterator[Part]:
    """Give what has to be counted of ``changes``."""
    for before, after in changes:
        if before and after and _stays(before, after):
            yield from _difference(before, after)
            continue
        if before:
            yield _whole(before, -1)
        if after:
            yield _whole(after, 1)


def _stays(before: Member, after: Member) -> bool:
    return before.first_day == after.first_day and before.groups == after.groups


def _whole(member: Member, sign: int) -> Part:
    return Part(sign, member.first_day, member.groups, _lifetime(member), member.days)


def _difference(before: Member, after: Member) -> Iterator[Part]:
    pairs = zip(_lifetime(after), _lifetime(before), strict=True)
    lifetime = tuple(now - then for now, then in pairs)
    gone, come = before.days, after.days
    same = _common(gone, come)
    first_day, groups = after.first_day, after.groups
    # The day that differs, on whichever side it is the earlier.
    day = min((days[same] for days in (gone, come) if same < len(days)), default=None)
    if day is None:
        yield Part(1, first_day, groups, lifetime, ())
        return
    start = DAY_FIELDS * bisect_left(come[:same:DAY_FIELDS], day - TWO_MONTHS)
    yield Part(1, first_day, groups, lifetime, come[start:], day)
    yield Part(-1, first_day, groups, (), gone[start:], day)


def _common(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """Return how many of the first numbers of two flat lists of days are the same, whole days."""
    same, end = 0, min(len(one), len(other))
    if one[: end - DAY_FIELDS] == other[: end - DAY_FIELDS]:  # mostly only the last day differs
        same = max(0, end - DAY_FIELDS)
    while same < end and one[same : same + DAY_FIELDS] == other[same : same + DAY_FIELDS]:
        same += DAY_FIELDS
    return same


def _lifetime(member: Member) -> tuple[int, ...]:
    return (
        1,
        int(member.occasions >= REPEAT_OCCASIONS),
        member.orders,
        member.revenue,
        member.refunded,
        int(member.value is not None),
        member.value or 0,
    )
