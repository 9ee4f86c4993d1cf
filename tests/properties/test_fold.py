"""A row is a function of the set of its events: of no order, no repeats and no sealing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    CustomerEvent,
    Details,
    Event,
    Payment,
    Purchase,
    Referral,
    ReferralCredit,
    ReferralLink,
    Refund,
)
from streamer.records.instants import DAY
from streamer.serdes.rows import decode_row, encode_row
from streamer.state.first import first_row
from streamer.state.fold import admits, fold, seal
from streamer.state.row import Row

LATENESS = 30 * DAY
START = 19_700 * DAY
MONEY = st.integers(0, 10**12)


@dataclass(frozen=True)
class Arriving:
    """An event and two moments at which news of it may come, neither of them late."""

    event: Event
    first: int
    second: int


def instants() -> st.SearchStrategy[int]:
    days = st.integers(0, 5) | st.integers(0, 900)
    times = st.sampled_from([0, 1, DAY // 2, DAY - 1]) | st.integers(0, DAY - 1)
    return st.builds(lambda day, time: START + day * DAY + time, days, times)


def own_event(place: int, at: int, kind: str, amount: int, cost: int | None) -> CustomerEvent:
    name, order = f"e{place}", f"o{amount % 3}"
    if kind == "purchase":
        due = Details(due_at=START + amount % 900 * DAY) if amount % 2 else None
        return Purchase(name, "c", at, order, amount, cost, details=due)
    if kind == "refund":
        return Refund(name, "c", at, order, amount + 1)
    if kind == "payment":
        return Payment(name, "c", at, order, amount)
    return Referral(name, "c", at, "d", joined=False)


def told(place: int, at: int, referrer: str | None, amount: int, joined: bool) -> Event:
    name = f"t{place}"
    if referrer is not None:
        return ReferralLink(name, "c", at, referrer, joined)
    return ReferralCredit(name, "c", at, "d", amount - 5 * 10**11, 1, int(joined), 1)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arriving]:
    """Own events, told ones (which are never late) and when the news of them comes."""
    kinds = st.sampled_from(["purchase", "purchase", "purchase", "refund", "payment", "referral"])
    delay = st.integers(0, LATENESS)
    own = draw(
        st.lists(
            st.tuples(instants(), kinds, MONEY, st.none() | MONEY, delay, delay),
            min_size=1,
            max_size=25,
        )
    )
    other = draw(
        st.lists(
            st.tuples(
                instants(),
                st.none() | st.sampled_from(["ann", "bob"]),
                MONEY,
                st.booleans(),
                instants(),
                instants(),
            ),
            max_size=6,
        )
    )
    return [
        Arriving(own_event(place, at, kind, amount, cost), at + one, at + two)
        for place, (at, kind, amount, cost, one, two) in enumerate(own)
    ] + [
        Arriving(told(place, at, referrer, amount, joined), one, two)
        for place, (at, referrer, amount, joined, one, two) in enumerate(other)
    ]


def folded(events: Iterable[Event], sealed: Sequence[bool]) -> Row:
    """Fold all, writing and reading the row anew wherever ``sealed``, taken in turn, says so."""
    row = Row()
    for place, event in enumerate(events):
        assert admits(row, event, LATENESS)
        fold(row, event, LATENESS)
        if sealed[place % len(sealed)]:
            seal(row, LATENESS)
            row = decode_row(encode_row(row))
    seal(row, LATENESS)
    return row


SEALED = st.lists(st.booleans(), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None)
@given(arrivals(), SEALED, SEALED)
def test_any_order_within_the_lateness_gives_the_same_row(
    news: list[Arriving], one: list[bool], two: list[bool]
) -> None:
    first = folded((n.event for n in sorted(news, key=lambda n: n.first)), one)
    second = folded((n.event for n in sorted(news, key=lambda n: n.second)), two)
    assert first == second


@settings(max_examples=200, deadline=None)
@given(arrivals(), SEALED, st.integers(0, 30))
def test_a_repeat_is_known_and_changes_nothing(
    news: list[Arriving], sealed: list[bool], which: int
) -> None:
    events = [n.event for n in sorted(news, key=lambda n: n.first)]
    row = folded(events, sealed)
    own = [event for event in events if not isinstance(event, ReferralLink | ReferralCredit)]
    repeat = own[which % len(own)]
    before = encode_row(row)
    clock = 0 if isinstance(repeat, Payment) else repeat.family
    if repeat.occurred_at < row.watermarks[clock] - LATENESS:
        with pytest.raises(Rejected):
            admits(row, repeat, LATENESS)
    else:
        assert not admits(row, repeat, LATENESS)
    assert encode_row(row) == before


@settings(max_examples=200, deadline=None)
@given(arrivals(), instants(), st.sampled_from(["purchase", "refund", "payment", "referral"]))
def test_what_is_late_is_refused_and_changes_nothing(
    news: list[Arriving], at: int, kind: str
) -> None:
    row = folded((n.event for n in sorted(news, key=lambda n: n.first)), [True])
    event = own_event(999, at, kind, 1, None)
    clock = 0 if isinstance(event, Payment) else event.family
    late = at < row.watermarks[clock] - LATENESS
    assume(late)
    before = encode_row(row)
    with pytest.raises(Rejected) as caught:
        admits(row, event, LATENESS)
    assert (caught.value.reason, caught.value.field) == ("late", "occurred_at")
    assert encode_row(row) == before


@settings(max_examples=200, deadline=None)
@given(arrivals())
def test_a_row_survives_the_wire(news: list[Arriving]) -> None:
    row = folded((n.event for n in sorted(news, key=lambda n: n.first)), [False])
    assert msgspec.structs.astuple(decode_row(encode_row(row))) == msgspec.structs.astuple(row)


@given(instants(), MONEY)
def test_a_first_purchase_makes_the_row_that_folding_it_makes(at: int, amount: int) -> None:
    purchase = Purchase("e", "c", at, "o", amount, None)
    assert first_row(purchase) == fold(Row(), purchase, LATENESS)
