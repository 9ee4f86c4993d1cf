from collections.abc import Callable

import pytest

from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    CustomerEvent,
    Purchase,
    Referral,
    ReferralCredit,
    ReferralLink,
    Refund,
)
from streamer.records.instants import DAY
from streamer.records.money import AMOUNT_LIMIT, TOTAL_LIMIT
from streamer.serdes.rows import encode_row
from streamer.state.fold import RECENT_LIMIT, admits, fold, seal
from streamer.state.row import Row

LATENESS = 30 * DAY
NOON = 20_000 * DAY + DAY // 2
HOUR = DAY // 24


def purchase(name: str = "e", at: int = NOON, amount: int = 5, cost: int | None = None) -> Purchase:
    return Purchase(name, "c", at, "o", amount, cost)


def refund(name: str = "r", at: int = NOON, amount: int = 2) -> Refund:
    return Refund(name, "c", at, "o", amount)


def referral(name: str = "f", at: int = NOON) -> Referral:
    return Referral(name, "c", at, "d", joined=True)


def folded(*events: CustomerEvent | ReferralLink | ReferralCredit, row: Row | None = None) -> Row:
    row = Row() if row is None else row
    for event in events:
        assert admits(row, event, LATENESS)
        fold(row, event, LATENESS)
    return row


def refusal(row: Row, event: CustomerEvent) -> tuple[str, str]:
    before = encode_row(row)
    with pytest.raises(Rejected) as caught:
        admits(row, event, LATENESS)
    assert encode_row(row) == before
    return caught.value.reason, caught.value.field


def test_sums_by_hand() -> None:
    row = folded(purchase("a", amount=5, cost=2), purchase("b", amount=7), refund("r", amount=3))
    assert (row.orders, row.refunds, row.revenue, row.refunded) == (2, 1, 12, 3)
    assert (row.costed_orders, row.costed_revenue, row.cost) == (1, 5, 2)
    assert (row.events_seen, row.changes, row.occasions) == (3, 3, 1)
    assert row.as_of == NOON


@pytest.mark.parametrize("event", [purchase(), refund(), referral()])
def test_an_event_counts_once(event: CustomerEvent) -> None:
    row = folded(event)
    assert not admits(row, event, LATENESS)
    seal(row, LATENESS)
    assert not admits(row, event, LATENESS)


@pytest.mark.parametrize("make", [purchase, refund, referral])
def test_lateness_is_exact(make: Callable[[str, int], CustomerEvent]) -> None:
    row = folded(make("newest", NOON))
    assert admits(row, make("just", NOON - LATENESS), LATENESS)
    assert refusal(row, make("late", NOON - LATENESS - 1)) == ("late", "occurred_at")


def test_lateness_is_of_a_family() -> None:
    row = folded(purchase("e", at=NOON))
    assert admits(row, referral("f", at=NOON - 2 * LATENESS), LATENESS)
    assert refusal(row, refund("r", at=NOON - 2 * LATENESS))[0] == "late"


def test_what_is_just_in_time_is_still_known_after_a_seal() -> None:
    row = folded(purchase("old", at=NOON - LATENESS), purchase("new", at=NOON))
    seal(row, LATENESS)
    assert not admits(row, purchase("old", at=NOON - LATENESS), LATENESS)


@pytest.mark.parametrize(
    ("field", "event"),
    [
        ("revenue", purchase(amount=1)),
        ("cost", purchase(amount=0, cost=1)),
        ("refunded", refund(amount=1)),
    ],
)
def test_no_sum_leaves_its_range(field: str, event: CustomerEvent) -> None:
    row = folded(purchase("first"))
    setattr(row, field, TOTAL_LIMIT - 2)
    assert admits(row, event, LATENESS)
    setattr(row, field, TOTAL_LIMIT - 1)
    assert refusal(row, event) == ("out_of_range", "amount")


def test_a_row_of_the_greatest_sums_can_be_written() -> None:
    row = folded(purchase("a", amount=AMOUNT_LIMIT - 1, cost=AMOUNT_LIMIT - 1))
    credit = ReferralCredit("x", "c", NOON, "d", TOTAL_LIMIT, 1, 1, 1)
    folded(credit, credit, row=row)
    assert row.referred_revenue == TOTAL_LIMIT
    assert encode_row(row)


# -- remembering ids ------------------------------------------------------------------------


def burst(count: int, start: int, step: int = HOUR // 60) -> list[Purchase]:
    return [purchase(f"e{n}-{start}", at=start + n * step) for n in range(count)]


def test_memory_is_bounded_and_says_so() -> None:
    row = folded(*burst(RECENT_LIMIT + 1, NOON))
    assert len(row.recent) == RECENT_LIMIT + 1 - RECENT_LIMIT // 4
    assert row.forgotten == burst(RECENT_LIMIT // 4, NOON)[-1].occurred_at
    assert refusal(row, purchase("new", at=row.forgotten)) == ("late", "occurred_at")
    assert admits(row, purchase("new", at=row.forgotten + 1), LATENESS)
    assert not admits(row, burst(RECENT_LIMIT + 1, NOON)[-1], LATENESS)


def test_what_is_late_anyway_goes_first() -> None:
    """So seals, and with them the sizes of units of work, do not show in a row."""
    old = burst(100, NOON - LATENESS - 10 * DAY)
    new = burst(RECENT_LIMIT - 99, NOON)
    at_once, sealed = folded(*old, *new), folded(*old)
    for event in new:
        folded(event, row=sealed)
        seal(sealed, LATENESS)
    seal(at_once, LATENESS)
    assert at_once == sealed
    assert len(at_once.recent) == len(new)
    assert at_once.forgotten == -1


def test_no_customer_grows_a_row_past_64_kib() -> None:
    row = Row()
    for day in range(3 * 365):
        for n in range(40):
            at = NOON + day * DAY + n * 60_000_000
            event = purchase(f"{'x' * 100}{day}-{n}", at, 10**11, 10**9)
            if at > row.forgotten:
                fold(row, event, LATENESS)
        fold(row, refund(f"r{day}", NOON + day * DAY + 1, 10**12), LATENESS)
        seal(row, LATENESS)
    row.referrer = "\U0001f600" * 128
    assert len(encode_row(row)) < 64 * 1024


# -- referrals ------------------------------------------------------------------------------


def link(referrer: str, at: int, *, joined: bool = False) -> ReferralLink:
    return ReferralLink(f"l-{referrer}-{at}", "c", at, referrer, joined)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("one", "two", "winner"),
    [
        (link("bob", 5), link("ann", 6), "bob"),
        (link("bob", 5), link("ann", 5), "ann"),
        (link("bob", 0), link("ann", 5), "bob"),
    ],
)
def test_the_earliest_referral_wins(
    one: ReferralLink, two: ReferralLink, winner: str, turned: bool
) -> None:
    row = folded(*((two, one) if turned else (one, two)))
    assert row.referrer == winner
    assert row.events_seen == 0


def test_one_who_says_joined_is_enough() -> None:
    row = folded(link("bob", 5, joined=True), link("ann", 4))
    assert (row.referrer, row.joined) == ("ann", True)


def test_credits_add_up_and_move_as_of() -> None:
    up = ReferralCredit("x", "c", NOON, "d", 700, 2, 1, 2)
    down = ReferralCredit("y", "c", NOON - 5, "d", -300, 0, 0, 1)
    row = folded(referral(at=5), up, down)
    assert (row.referred_revenue, row.referred_orders, row.referred_customers) == (400, 2, 1)
    assert row.changes == 1 + 3
    assert (row.as_of, row.referrals_sent, row.events_seen) == (NOON, 1, 1)
