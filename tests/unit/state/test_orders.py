"""Orders and payments of one row, by hand."""

import pytest

from streamer.records.events import Details, Payment, Purchase, Refund
from streamer.records.instants import DAY, NEVER
from streamer.serdes.rows import encode_row
from streamer.state.fold import admits, fold, seal
from streamer.state.orders import FOLLOWED_DAYS, ORDERS_MAX, Payments, payments
from streamer.state.row import Row

LATENESS = 30 * DAY
DAY_0 = 20_000 * DAY
DAY_SECONDS = 86_400


def order(day: float, amount: int = 100, due: float | None = None, name: str = "o") -> Purchase:
    at = DAY_0 + round(day * DAY)
    details = None if due is None else Details(due_at=DAY_0 + round(due * DAY))
    return Purchase(f"e{day}{name}", "c", at, name, amount, None, details=details)


def payment(day: float, amount: int = 100, name: str = "o") -> Payment:
    return Payment(f"p{day}{name}", "c", DAY_0 + round(day * DAY), name, amount)


def refund(day: float, amount: int = 100, name: str = "o") -> Refund:
    return Refund(f"r{day}{name}", "c", DAY_0 + round(day * DAY), name, amount)


def folded(*events: Purchase | Payment | Refund) -> Row:
    row = Row()
    for event in events:
        assert admits(row, event, LATENESS)
        fold(row, event, LATENESS)
    return row


def figures(*events: Purchase | Payment | Refund, day: float = 100) -> Payments:
    """Return the figures at a day, which sealing must not change."""
    row, as_of = folded(*events), DAY_0 + round(day * DAY)
    before = payments(row, as_of)
    seal(row, LATENESS)
    assert payments(row, as_of) == before
    return before


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([order(0), payment(3)], (1, 3 * DAY_SECONDS, 0)),
        ([order(0), payment(3, 40), payment(9, 60), payment(12, 60)], (1, 9 * DAY_SECONDS, 0)),
        ([payment(3, 60), payment(9, 40), order(5)], (1, 4 * DAY_SECONDS, 0)),
        ([payment(1), order(5)], (1, 0, 0)),
        ([order(0), payment(3, 99_999_989)], (1, 3 * DAY_SECONDS, 0)),
        ([order(0, 1000), payment(3, 990)], (1, 3 * DAY_SECONDS, 0)),
        ([order(0, 1000), payment(3, 989)], (0, 0, 0)),
        ([order(0), payment(3, name="other")], (0, 0, 0)),
        ([order(0), refund(2, 100)], (0, 0, 0)),
        ([order(0, due=5), refund(2, 100)], (0, 0, 0)),
        ([order(0), refund(2, 30), payment(3, 70)], (1, 3 * DAY_SECONDS, 0)),
        ([order(0), payment(3, 70), refund(8, 30)], (1, 8 * DAY_SECONDS, 0)),
        ([order(0, due=99.9)], (0, 0, 1)),
        ([order(0, due=100)], (0, 0, 0)),
        ([order(0, due=30), payment(3, 70)], (0, 0, 1)),
        ([order(0, due=30), payment(40)], (1, 40 * DAY_SECONDS, 0)),
        ([order(0, amount=0, due=30)], (0, 0, 0)),
        ([order(0), order(10), payment(12, 150)], (1, 12 * DAY_SECONDS, 0)),
        ([order(0), order(10), payment(12, 250)], (2, 14 * DAY_SECONDS, 0)),
    ],
)
def test_payments_by_hand(
    events: list[Purchase | Payment | Refund], expected: tuple[int, int, int]
) -> None:
    assert figures(*events) == expected


def test_an_order_is_followed_for_so_many_days() -> None:
    followed, newest = float(FOLLOWED_DAYS), order(FOLLOWED_DAYS, name="new")
    assert figures(order(0), newest, payment(followed)).paid == 1
    assert figures(order(0), newest, payment(followed + 0.001)).paid == 0


def test_what_is_closed_stays_counted_and_takes_no_room() -> None:
    row = folded(order(0), payment(3), order(1, due=20, name="late"))
    fold(row, order(500, name="new"), LATENESS)
    seal(row, LATENESS)
    assert (row.orders_paid, row.payment_seconds, row.orders_overdue) == (1, 3 * DAY_SECONDS, 1)
    assert len(row.open_orders) == 4
    assert row.settlements == []
    assert payments(row, DAY_0 + 600 * DAY) == (1, 3 * DAY_SECONDS, 1)


def test_payments_move_no_clock_but_the_row() -> None:
    row = folded(order(0), payment(90))
    assert row.as_of == DAY_0 + 90 * DAY
    assert row.watermarks == [DAY_0, NEVER, NEVER]
    assert admits(row, order(-29, name="old"), LATENESS)


def test_of_more_orders_than_are_followed_the_oldest_are_given_up() -> None:
    row = folded(*(order(n / 10, due=n / 10, name=f"o{n}") for n in range(ORDERS_MAX + 5)))
    assert payments(row, DAY_0 + 30 * DAY).overdue == ORDERS_MAX
    for n in range(ORDERS_MAX + 5):
        fold(row, payment(20, 1, f"x{n}"), LATENESS)
    assert len(row.settlements) == 3 * ORDERS_MAX
    assert len(encode_row(row)) < 12 * 1024
