"""The oracle keeps all purchases and counts anew."""

from dataclasses import dataclass
from itertools import pairwise
from math import log

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.events import Purchase, Refund
from streamer.records.instants import DAY
from streamer.scoring.columns import columns_of, window_sums
from streamer.state.fold import fold, seal
from streamer.state.row import Row
from streamer.state.windows import DAY_FIELDS, ORDERS, REFUNDED, REVENUE, WINDOW_DAYS, day_at

LATENESS = 30 * DAY
FIRST = 20_000


@dataclass(frozen=True)
class Told:
    at: int
    amount: int
    back: bool


def tales() -> st.SearchStrategy[list[Told]]:
    """Purchases and refunds in the order in which they are told, none of them late."""
    days = st.integers(0, 60) | st.integers(0, 1200)
    times = st.sampled_from([0, 1, DAY - 1]) | st.integers(0, DAY - 1)
    told = st.builds(
        lambda day, time, amount, back, delay: (
            (FIRST + day) * DAY + time + delay,
            Told((FIRST + day) * DAY + time, amount, back),
        ),
        days,
        times,
        st.integers(1, 10**9),
        st.sampled_from([False, False, True]),
        st.integers(0, LATENESS),
    )
    return st.lists(told, min_size=1, max_size=40).map(
        lambda pairs: [one for _, one in sorted(pairs, key=lambda pair: pair[0])]
    )


def folded(tale: list[Told], seal_every: int) -> Row:
    row = Row()
    for place, one in enumerate(tale):
        name = f"e{place}"
        event = (
            Refund(name, "c", one.at, "o", one.amount)
            if one.back
            else Purchase(name, "c", one.at, "o", one.amount, None)
        )
        fold(row, event, LATENESS)
        if place % seal_every == 0:
            seal(row, LATENESS)
    seal(row, LATENESS)
    return row


SEALS = st.integers(1, 10)


@settings(max_examples=200, deadline=None)
@given(tales(), SEALS, st.integers(0, 400 * DAY))
def test_windows_are_a_recount(tale: list[Told], seals: int, later: int) -> None:
    row = folded(tale, seals)
    as_of = max(one.at for one in tale) + later
    orders, revenue = window_sums(columns_of([Row(), row], [as_of, as_of]))
    assert orders[0].tolist() == revenue[0].tolist() == [0] * 4
    for place, width in enumerate(WINDOW_DAYS):
        inside = [one for one in tale if as_of // DAY - width < one.at // DAY]
        bought = [one.amount for one in inside if not one.back]
        given_back = [one.amount for one in inside if one.back]
        assert orders[1, place] == len(bought)
        assert revenue[1, place] == sum(bought) - sum(given_back)


@settings(max_examples=200, deadline=None)
@given(tales(), SEALS)
def test_occasions_and_gaps_are_a_recount(tale: list[Told], seals: int) -> None:
    row = folded(tale, seals)
    days = sorted({one.at // DAY for one in tale if not one.back})
    assert row.occasions == len(days)
    assert row.log_gaps == sum(round(log(b - a) * 1_000_000) for a, b in pairwise(days))
    if days:
        assert row.first_day == days[0]
        first = [one.amount for one in tale if not one.back and one.at // DAY == days[0]]
        assert row.first_day_revenue == sum(first)


@settings(max_examples=200, deadline=None)
@given(tales(), SEALS)
def test_first_last_and_the_one_before(tale: list[Told], seals: int) -> None:
    row = folded(tale, seals)
    instants = sorted(one.at for one in tale if not one.back)
    expected = (instants[:1] or [-1]) + (instants[-1:] or [-1]) + (instants[-2:-1] or [-1])
    assert [
        row.first_purchase_at,
        row.last_purchase_at,
        row.previous_purchase_at,
    ] == expected


@settings(max_examples=100, deadline=None)
@given(tales(), SEALS)
def test_days_are_sorted_distinct_and_bounded(tale: list[Told], seals: int) -> None:
    row = folded(tale, seals)
    days = row.days[::DAY_FIELDS]
    assert len(row.days) == DAY_FIELDS * len(days)
    assert all(a < b for a, b in pairwise(days))
    newest = max(one.at for one in tale)
    reach = (newest - LATENESS) // DAY - WINDOW_DAYS[-1]
    assert sum(day <= reach for day in days) <= 1, "one occasion before all windows, no more"


def test_a_day_is_found_or_made_in_its_place() -> None:
    days: list[int] = []
    for day in (5, 9, 7, 9, 1, 7, 12):
        place = day_at(days, day)
        assert days[place] == day
        days[place + ORDERS] += 1
    assert days[::DAY_FIELDS] == [1, 5, 7, 9, 12]
    assert days[ORDERS::DAY_FIELDS] == [1, 1, 2, 2, 1]
    assert not any(days[REVENUE::DAY_FIELDS] + days[REFUNDED::DAY_FIELDS])


@pytest.mark.parametrize(
    ("age_days", "inside"),
    [(0, 4), (6, 4), (7, 3), (29, 3), (30, 2), (89, 2), (90, 1), (364, 1), (365, 0)],
)
def test_a_window_ends_with_the_day_of_as_of(age_days: int, inside: int) -> None:
    row = Row()
    fold(row, Purchase("e", "c", FIRST * DAY + DAY - 1, "o", 7, None), LATENESS)
    as_of = (FIRST + age_days) * DAY
    orders, revenue = window_sums(columns_of([row], [max(as_of, row.as_of)]))
    assert orders[0].tolist() == [0] * (4 - inside) + [1] * inside
    assert revenue[0].tolist() == [0] * (4 - inside) + [7] * inside
