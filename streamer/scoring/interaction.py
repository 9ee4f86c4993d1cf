"""Ease and speed of interaction (V5): how soon and how reliably repeat customers pay.

Nothing is said of one-time customers: their first order is no habit.
"""

from functools import lru_cache

import numpy as np

from streamer.records.instants import DAY, NEVER, SECOND
from streamer.records.scores import MEASURES
from streamer.scoring.columns import Columns, integers_of
from streamer.scoring.formula import OCCASIONS_MIN
from streamer.scoring.measure import Measure, alike, members, nothing
from streamer.scoring.occasion import where_known
from streamer.state.orders import Payments, payments

_DAY_SECONDS = DAY // SECOND
_FIELDS = ("checkouts", "checkout_ms", "paid_at", "due_orders", "itemed_orders", "units")
_ONE_OCCASION = members({"interaction": "one_occasion"})
_NO_PAYMENTS = Payments(0, 0, 0)


def interaction(columns: Columns) -> Measure:
    """Return payment days, orders paid and overdue, checkout seconds and products of each row."""
    repeated = columns.occasions >= OCCASIONS_MIN
    if not repeated.any():
        return nothing(len(columns.rows), len(MEASURES["interaction"]), _ONE_OCCASION)
    table = integers_of(columns.rows, *_FIELDS)
    checkouts, checkout_ms, paid_at, due_orders, itemed, units = table
    pays, owes = repeated & (paid_at != NEVER), repeated & (due_orders > 0)
    told = _payments(columns, (pays | owes).tolist())
    paid, seconds, overdue = np.array(told, dtype=np.int64).reshape(-1, 3).T
    timed, clocked = pays & (paid > 0), repeated & (checkouts > 0)
    listed = repeated & (itemed > 0)
    days = seconds / np.maximum(paid, 1) / _DAY_SECONDS
    checkout = checkout_ms / np.maximum(checkouts, 1) / 1000
    flags = [known.tolist() for known in (repeated, pays, timed, owes, clocked, listed)]
    return Measure(
        (
            where_known(days.tolist(), flags[2]),
            where_known(paid.tolist(), flags[1]),
            where_known(overdue.tolist(), flags[3]),
            where_known(checkout.tolist(), flags[4]),
            where_known((np.maximum(units, 0) / 1000).tolist(), flags[5]),
        ),
        alike(_nulls, *flags),
    )


def _payments(columns: Columns, asked: list[bool]) -> list[Payments]:
    return [
        payments(row, as_of) if is_asked else _NO_PAYMENTS
        for row, as_of, is_asked in zip(columns.rows, columns.as_of.tolist(), asked, strict=True)
    ]


@lru_cache(maxsize=64)
def _nulls(repeated: bool, pays: bool, timed: bool, owes: bool, clocked: bool, listed: bool) -> str:
    no_habit = None if repeated else "one_occasion"
    if not (pays or timed or owes or clocked or listed):
        return members({"interaction": no_habit or "no_interaction"})
    return members(
        {
            "payment_days_average": None if timed else no_habit or "no_payment",
            "orders_paid": None if pays else no_habit or "no_payment",
            "unpaid_orders_overdue": None if owes else no_habit or "no_due_date",
            "checkout_seconds_average": None if clocked else no_habit or "no_checkout",
            "products_paid_for": None if listed else no_habit or "no_items",
        }
    )
