"""Sums over customers, by group: exact, merged by adding, in any order.

Whole numbers throughout, money in millionths. What adds up to nothing is left out, so that sums are
equal where they mean the same.
"""

from collections.abc import Mapping
from typing import Self, TypeVar

from msgspec import Struct
from msgspec.structs import astuple, replace


class Counts(Struct, frozen=True, array_like=True):
    """Numbers that are added field by field."""

    def __add__(self, other: Self) -> Self:
        return type(self)(*map(int.__add__, astuple(self), astuple(other)))

    def __bool__(self) -> bool:
        return any(astuple(self))


class Lifetime(Counts, frozen=True, array_like=True):
    """The customers of a cohort, all their time."""

    customers: int = 0
    repeat_customers: int = 0
    """With purchases on two days or more."""
    orders: int = 0
    revenue: int = 0
    refunded: int = 0
    valued: int = 0
    """Whose lifetime value is known."""
    value: int = 0
    """Sum of theirs."""


class Activity(Counts, frozen=True, array_like=True):
    """What the customers of an age did in a month."""

    customers: int = 0
    """Who purchased."""
    retained: int = 0
    """Who purchased in the month before, too; not counted in the first month that is kept."""
    orders: int = 0
    revenue: int = 0
    refunded: int = 0
    """On days of this month, of whichever order."""


class Spend(Counts, frozen=True, array_like=True):
    """What was spent on winning customers."""

    costs: int = 0
    """How many of them were told."""
    amount: int = 0


C = TypeVar("C", bound=Counts)


class Tally(Struct, frozen=True):
    """The sums of a group of customers."""

    cohorts: dict[int, Lifetime] = {}
    """By the month of the first purchase."""
    months: dict[int, dict[int, Activity]] = {}
    """By month, and in it by age: months since that of the first purchase (see ``counting``)."""
    spend: Spend = Spend()
    """On winning customers, whoever became one (see ``spending``)."""

    def __bool__(self) -> bool:
        return bool(self.cohorts or self.months or self.spend)

    def __add__(self, other: "Tally") -> "Tally":
        months = sorted(self.months.keys() | other.months.keys())
        summed = {
            month: _added(self.months.get(month, {}), other.months.get(month, {}))
            for month in months
        }
        return Tally(
            cohorts=_added(self.cohorts, other.cohorts),
            months={month: ages for month, ages in summed.items() if ages},
            spend=self.spend + other.spend,
        )

    def since(self, first: int) -> "Tally":
        """Return what is kept when ``first`` is the first month.

        Who was retained in it is forgotten: that takes the month before.
        """
        months = {month: ages for month, ages in self.months.items() if month >= first}
        if first in months:
            cut = {age: replace(cell, retained=0) for age, cell in months[first].items()}
            months[first] = {age: cell for age, cell in cut.items() if cell}
        kept = {month: ages for month, ages in months.items() if ages}
        return replace(self, months=kept)

    def without_values(self) -> "Tally":
        """Return the sums as if no customer's lifetime value were known."""
        cohorts = {
            month: replace(lifetime, valued=0, value=0) for month, lifetime in self.cohorts.items()
        }
        return replace(self, cohorts=cohorts)


class Tallies(Struct, frozen=True):
    """The sums of all groups, of one partition or of the shop."""

    groups: dict[str, Tally] = {}

    def __add__(self, other: "Tallies") -> "Tallies":
        names = sorted(self.groups.keys() | other.groups.keys())
        nothing = Tally()
        return _filled(
            {
                name: self.groups.get(name, nothing) + other.groups.get(name, nothing)
                for name in names
            }
        )

    def since(self, first: int) -> "Tallies":
        """Return what is kept when ``first`` is the first month (see ``Tally.since``)."""
        return _filled({name: tally.since(first) for name, tally in self.groups.items()})


def add_in_place(tally: Tally, delta: Tally) -> None:
    """Add ``delta`` to ``tally``, whose tables are the caller's own: at the cost of ``delta``."""
    _put(tally.cohorts, delta.cohorts)
    for month, ages in delta.months.items():
        cells = tally.months.setdefault(month, {})
        _put(cells, ages)
        if not cells:
            del tally.months[month]


def _put(table: dict[int, C], delta: Mapping[int, C]) -> None:
    for key, counts in delta.items():
        summed = table[key] + counts if key in table else counts
        if summed:
            table[key] = summed
        else:
            table.pop(key, None)


def _added(one: Mapping[int, C], other: Mapping[int, C]) -> dict[int, C]:
    """Return the sums of two tables, keys in order, without what adds up to nothing."""
    summed = dict(one)
    for key, counts in other.items():
        summed[key] = summed[key] + counts if key in summed else counts
    return {key: summed[key] for key in sorted(summed) if summed[key]}


def _filled(groups: dict[str, Tally]) -> Tallies:
    return Tallies({name: tally for name, tally in groups.items() if tally})
