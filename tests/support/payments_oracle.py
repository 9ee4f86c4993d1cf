"""What was paid, and when, counted anew from the wire's contract: no line of it is the fold's.

All events of a customer are kept and gone through order by order, in Decimals and datetimes.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.oracle import WireEvent, moment, money

FOLLOWED = timedelta(days=120)
NO_RATES: Mapping[str, Decimal] = {}


def payment_figures(
    events: Iterable[WireEvent], as_of: datetime, rates: Mapping[str, Decimal] = NO_RATES
) -> dict[str, Any]:
    """Return the V5 figures of the customer whose ``events`` these are, None if not known.

    Each event comes once; amounts and instants of one order differ from each other, or do not
    matter.
    """
    purchases = [event for event in events if event["type"] == "purchase"]
    figures = dict.fromkeys(
        (
            "payment_days_average",
            "orders_paid",
            "unpaid_orders_overdue",
            "checkout_seconds_average",
            "products_paid_for",
        )
    )
    if len({moment(event).date() for event in purchases}) < 2:
        return figures
    outcomes = _outcomes(list(events), rates)
    delays = [delay for state, delay in outcomes if state == "paid"]
    if any(event["type"] == "payment" for event in events):
        figures["orders_paid"] = len(delays)
        if delays:
            figures["payment_days_average"] = sum(delays, timedelta()) / len(delays) / _DAY
    if any(event.get("due_at") and money(event, "amount", rates) for event in purchases):
        over = [due for state, due in outcomes if state == "unpaid" and due and due < as_of]
        figures["unpaid_orders_overdue"] = len(over)
    checkouts = [event["checkout_seconds"] for event in purchases if "checkout_seconds" in event]
    if checkouts:
        figures["checkout_seconds_average"] = sum(checkouts) / len(checkouts)
    if any(event.get("items") for event in purchases):
        back = [event for event in events if event["type"] == "refund"]
        figures["products_paid_for"] = max(_pieces(purchases) - _pieces(back), 0)
    return figures


def _pieces(events: list[WireEvent]) -> float:
    pieces = [item.get("quantity", 1) for event in events for item in event.get("items", ())]
    return float(sum(pieces))


_DAY = timedelta(days=1)


def _outcomes(events: list[WireEvent], rates: Mapping[str, Decimal]) -> list[tuple[str, Any]]:
    found = []
    for order_id in {event["order_id"] for event in events if "order_id" in event}:
        of_order = [event for event in events if event.get("order_id") == order_id]
        paid = sorted(
            [_second(event), _signed(event, rates)]
            for event in of_order
            if event["type"] != "purchase"
        )
        bought = sorted(
            (_second(event), money(event, "amount", rates), _due(event))
            for event in of_order
            if event["type"] == "purchase" and money(event, "amount", rates)
        )
        found += [_outcome(*purchase, paid) for purchase in bought]
    return found


def _outcome(
    at: datetime, amount: Decimal, due: datetime, paid: list[list[Any]]
) -> tuple[str, Any]:
    """Pay an order out of what is left of ``paid``: what of it, and how long it took."""
    by_customer = False
    for settlement in paid:
        when, left = settlement
        if left and abs(when - at) <= FOLLOWED:
            by_customer |= left > 0
            taken = min(abs(left), amount)
            settlement[1] -= taken.copy_sign(left)
            amount -= taken
            if amount <= Decimal("0.00001"):
                return ("paid", max(when - at, timedelta())) if by_customer else ("void", None)
    judged = _NEVER < due <= at + FOLLOWED
    return "unpaid", due if judged else None


def _signed(event: WireEvent, rates: Mapping[str, Decimal]) -> Decimal:
    amount = money(event, "amount", rates)
    return amount if event["type"] == "payment" else -amount


_NEVER = datetime.fromisoformat("0001-01-01T00:00:00+00:00")


def _due(event: WireEvent) -> datetime:
    text = event.get("due_at")
    return datetime.fromisoformat(text).replace(microsecond=0) if text else _NEVER


def _second(event: WireEvent) -> datetime:
    return moment(event).replace(microsecond=0)
