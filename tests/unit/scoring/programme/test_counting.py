"""What is kept by differences against a recount of all events, straight from the definitions."""

from collections import defaultdict
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.events import Purchase, Refund
from streamer.records.instants import DAY
from streamer.records.money import TOTAL_LIMIT
from streamer.scoring.programme.counting import AGE_MAX, changed
from streamer.scoring.programme.members import ALL, Member, member_of
from streamer.scoring.programme.months import first_month, label, months_of
from streamer.scoring.programme.tallies import Activity, Lifetime, Tallies, Tally
from streamer.state.fold import admits, fold, seal
from streamer.state.row import Row

LATENESS = 30 * DAY
GROUPS = ("segment:a", "segment:b", "channel:c")


class Step(NamedTuple):
    """A customer's event, or (with no amount) a look at its groups and value."""

    customer: int
    ahead: int
    """Days after the latest event of anyone; negative is late."""
    amount: int
    refund: bool
    groups: frozenset[str]
    value: int | None


STEPS = st.lists(
    st.builds(
        Step,
        customer=st.integers(0, 3),
        ahead=st.integers(-29, 45),
        amount=st.integers(1, 10**9),
        refund=st.sampled_from([False, False, False, True]),
        groups=st.just(frozenset({GROUPS[0]})) | st.frozensets(st.sampled_from(GROUPS)),
        value=st.none() | st.integers(-(10**9), 10**12),
    ),
    max_size=60,
)


class Shop:
    """Customers whose sums are kept by differences, as a partition would."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = defaultdict(Row)
        self.known: dict[int, tuple[int | None, tuple[str, ...]]] = {}
        self.events: list[tuple[int, int, int, bool]] = []
        self.pending: dict[int, Member | None] = {}
        self.tallies = Tallies()
        self.today = 19_000

    def member(self, customer: int) -> Member | None:
        value, groups = self.known.get(customer, (None, ()))
        return member_of(self.rows[customer], value, groups)

    def take(self, unit: list[Step]) -> None:
        """A unit of work: who is touched is remembered as counted last; rows are sealed."""
        for place, step in enumerate(unit):
            self.pending.setdefault(step.customer, self.member(step.customer))
            self._fold(step, f"{len(self.events)}-{place}")
            self.known[step.customer] = step.value, tuple(sorted(step.groups))
        for step in unit:
            seal(self.rows[step.customer], LATENESS)

    def count(self) -> None:
        """What is done every few seconds."""
        since = first_month(self.today)
        changes = [(before, self.member(one)) for one, before in self.pending.items()]
        self.pending = {}
        self.tallies = (self.tallies + changed(changes, since)).since(since)

    def _fold(self, step: Step, event_id: str) -> None:
        row, day = self.rows[step.customer], self.today + step.ahead
        newest = row.watermarks[0] // DAY
        day = max(day, newest - 29)  # within the lateness
        kind = Refund if step.refund else Purchase
        cost = () if step.refund else (None,)
        event = kind(event_id, str(step.customer), day * DAY, "o", step.amount, *cost)
        assert admits(row, event, LATENESS)
        fold(row, event, LATENESS)
        self.today = max(self.today, day)
        self.events.append((step.customer, day, step.amount, step.refund))

    def from_rows(self) -> Tallies:
        members = [(None, self.member(one)) for one in self.rows]
        return changed(members, first_month(self.today))

    def recounted(self) -> Tallies:
        """Count all events again, customer by customer, month by month."""
        since = first_month(self.today)
        cohorts: dict[str, dict[int, Lifetime]] = defaultdict(dict)
        months: dict[str, dict[int, dict[int, Activity]]] = defaultdict(lambda: defaultdict(dict))
        for customer, (value, groups) in self.known.items():
            mine = [event[1:] for event in self.events if event[0] == customer]
            bought = [(day, amount) for day, amount, refund in mine if not refund]
            if not bought:
                continue
            first = month_of(min(day for day, _ in bought))
            lifetime = Lifetime(
                customers=1,
                repeat_customers=int(len({day for day, _ in bought}) > 1),
                orders=len(bought),
                revenue=sum(amount for _, amount in bought),
                refunded=sum(amount for _, amount, refund in mine if refund),
                valued=int(value is not None),
                value=value or 0,
            )
            for group in (ALL, *groups):
                cohorts[group][first] = cohorts[group].get(first, Lifetime()) + lifetime
            active = {month_of(day) for day, _ in bought}
            for month in {month_of(day) for day, *_ in mine}:
                if month < since:
                    continue
                cell = Activity(
                    customers=int(month in active),
                    retained=int(month in active and month > since and month - 1 in active),
                    orders=sum(month_of(day) == month for day, _ in bought),
                    revenue=sum(amount for day, amount in bought if month_of(day) == month),
                    refunded=sum(a for day, a, refund in mine if refund and month_of(day) == month),
                )
                age = min(max(month - first, -1), AGE_MAX + 1)
                for group in (ALL, *groups):
                    ages = months[group][month]
                    ages[age] = ages.get(age, Activity()) + cell
        return Tallies() + Tallies(
            {name: Tally() + Tally(cohorts[name], dict(months[name])) for name in cohorts}
        )


def month_of(day: int) -> int:
    at = datetime.fromtimestamp(day * 86_400, UTC)
    return (at.year - 1970) * 12 + at.month - 1


@settings(max_examples=120, deadline=None)
@given(STEPS, st.integers(1, 7), st.integers(1, 3))
def test_sums_kept_by_differences_are_those_of_a_recount(
    steps: list[Step], size: int, every: int
) -> None:
    shop = Shop()
    for unit, start in enumerate(range(0, len(steps), size)):
        shop.take(steps[start : start + size])
        if unit % every == 0:
            shop.count()
    shop.count()
    assert shop.tallies == shop.recounted()


@settings(max_examples=60, deadline=None)
@given(STEPS)
def test_recovery_finds_the_same_sums_in_the_rows(steps: list[Step]) -> None:
    shop = Shop()
    for step in steps:
        shop.take([step])
        shop.count()
    assert shop.from_rows() == shop.tallies


@settings(max_examples=40, deadline=None)
@given(STEPS, st.integers(0, 3))
def test_partitions_add_up_to_the_shop(steps: list[Step], cut: int) -> None:
    shop = Shop()
    shop.take(steps)
    shop.count()
    since = first_month(shop.today)
    members = {one: shop.member(one) for one in shop.rows}
    here = changed([(None, member) for one, member in members.items() if one < cut], since)
    there = changed([(None, member) for one, member in members.items() if one >= cut], since)
    assert here + there == there + here == shop.tallies


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_json_keeps_every_digit(steps: list[Step]) -> None:
    shop = Shop()
    shop.take(steps)
    shop.count()
    encoded = msgspec.json.encode(shop.tallies)
    assert msgspec.json.decode(encoded, type=Tallies) == shop.tallies


def test_sums_beyond_64_bits_are_exact() -> None:
    day = 20_000
    rich = Member(day, 2, 3, TOTAL_LIMIT, 0, (day, 3, TOTAL_LIMIT - 1, 5), -TOTAL_LIMIT, (ALL,))
    tally = changed([(None, rich)] * 9, first_month(day)).groups[ALL]
    month = int(months_of(np.array(day)))
    assert tally.cohorts == {month: Lifetime(9, 9, 27, 9 * TOTAL_LIMIT, 0, 9, -9 * TOTAL_LIMIT)}
    assert tally.months == {month: {0: Activity(9, 0, 27, 9 * (TOTAL_LIMIT - 1), 45)}}


def test_nothing_changes_nothing() -> None:
    assert changed([], 0) == changed([(None, None)], 0) == Tallies()
    row = Member(20_000, 1, 1, 5, 0, (20_000, 1, 5, 0), 7, (ALL,))
    assert changed([(row, row)], 0) == Tallies()


def test_a_group_that_is_left_is_empty() -> None:
    day = 20_000
    inside = Member(day, 1, 1, 5, 0, (day, 1, 5, 0), None, (ALL, "segment:a"))
    outside = Member(day, 1, 1, 5, 0, (day, 1, 5, 0), None, (ALL,))
    since = first_month(day)
    left = changed([(None, inside)], since) + changed([(inside, outside)], since)
    assert left.groups.keys() == {ALL}


@pytest.mark.parametrize("day", [0, 58, 59, 19_781, 19_782, 20_453, 2_932_896])
def test_months_are_the_calendar_s(day: int) -> None:
    found = int(months_of(np.array([day]))[0])
    at = np.datetime64(day, "D").astype(datetime)
    assert found == (at.year - 1970) * 12 + at.month - 1
    assert label(found) == f"{at.year:04d}-{at.month:02d}"


@given(st.integers(366, 100_000))
def test_all_days_of_the_months_kept_are_within_the_rows_year(day: int) -> None:
    """Rows drop the days up to today − 365 − lateness; a lateness of one day is enough."""
    dropped = day - 366
    assert int(months_of(np.array(dropped))) < first_month(day)
