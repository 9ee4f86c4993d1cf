"""What the events add up to, counted anew from the wire's contract: no line of it is the fold's.

Slow and simple: all events of a customer are kept and summed at the end. It knows no lateness, so
every event must keep within it. An erasure takes away all that its customer did up to it, and that
others did to it, whatever came first; what was done after it must have come after it. Records that
are no JSON object of a scored type are passed over; the scored ones must be valid.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

WireEvent = Mapping[str, Any]
Sums = dict[str, Any]

NOTHING = Decimal(0)
MICRO = Decimal("0.000001")
ENGAGING = ("acquisition_cost", "rating", "share", "profile", "experiment")
SCORED = ("purchase", "refund", "payment", "referral", *ENGAGING)


def count(
    events: Iterable[WireEvent | bytes | None], rates: Mapping[str, Decimal] | None = None
) -> dict[str, Sums]:
    """Return the sums of every customer that an event names, by customer_id.

    Args:
        events: as they stand on the wire, in any order and with repeats; of several events of a
            customer with one event_id the first counts.
        rates: units of the reporting currency for one unit of each other currency.

    Money is a Decimal in the reporting currency, instants are datetimes in UTC, None if there is
    none. ``referrer`` is who made the earliest referral; the lesser id, of two at one instant.
    ``referred_…`` is what the customers of whom this one is the referrer come to.
    """
    own: defaultdict[str, list[WireEvent]] = defaultdict(list)
    brought: defaultdict[str, list[WireEvent]] = defaultdict(list)
    seen = set()
    known = [_read(event) for event in events]
    forgotten = erasures(known)
    for event in filter(_scored, known):
        if is_forgotten(event, "customer_id", forgotten):
            continue
        identity = event["customer_id"], event["event_id"]
        if identity in seen or event["customer_id"] == event.get("referred_customer_id"):
            continue
        seen.add(identity)
        own[event["customer_id"]].append(event)
        named = event.get("referred_customer_id") and not is_forgotten(
            event, "referred_customer_id", forgotten
        )
        if event["type"] == "referral" and named:
            brought[event["referred_customer_id"]].append(event)
    customers = own.keys() | brought.keys()
    sums = {one: _own(own[one], rates or {}) | _referrer(brought[one]) for one in customers}
    _credit(sums)
    return sums


def erasures(events: Iterable[Any]) -> dict[str, datetime]:
    """Return when each erased customer was erased last."""
    last: dict[str, datetime] = {}
    for event in events:
        if isinstance(event, Mapping) and event.get("type") == "erasure":
            one = event["customer_id"]
            last[one] = max(last.get(one, moment(event)), moment(event))
    return last


def is_forgotten(event: WireEvent, field: str, erased: Mapping[str, datetime]) -> bool:
    """Return whether the customer in a field of ``event`` has been erased since."""
    return event[field] in erased and moment(event) <= erased[event[field]]


def _read(event: WireEvent | bytes | None) -> Any:
    if not isinstance(event, bytes):
        return event
    try:
        return json.loads(event)
    except ValueError:
        return None


def _scored(event: Any) -> bool:
    return isinstance(event, Mapping) and event.get("type") in SCORED


def _own(events: list[WireEvent], rates: Mapping[str, Decimal]) -> Sums:
    purchases = [event for event in events if event["type"] == "purchase"]
    refunds = [event for event in events if event["type"] == "refund"]
    moments = [moment(event) for event in purchases]
    revenue = sum((money(event, "amount", rates) for event in purchases), NOTHING)
    refunded = sum((money(event, "amount", rates) for event in refunds), NOTHING)
    costs = [money(event, "cost", rates) for event in purchases if event.get("cost") is not None]
    return {
        "events_seen": len(events),
        "orders": len(purchases),
        "refunds": len(refunds),
        "revenue": revenue,
        "refunded": refunded,
        "net": revenue - refunded,
        "cost": sum(costs, NOTHING),
        "costed_orders": len(costs),
        "occasions": len({moment.date() for moment in moments}),
        "first_purchase_at": min(moments, default=None),
        "last_purchase_at": max(moments, default=None),
    }


def _referrer(referrals: list[WireEvent]) -> Sums:
    earliest = min(((moment(event), event["customer_id"]) for event in referrals), default=None)
    return {
        "referrer": earliest and earliest[1],
        "joined": any(event.get("status") == "joined" for event in referrals),
        "referred_customers": 0,
        "referred_orders": 0,
        "referred_revenue": NOTHING,
    }


def _credit(sums: dict[str, Sums]) -> None:
    for one in sums.values():
        if one["referrer"]:
            referrer = sums[one["referrer"]]
            referrer["referred_customers"] += one["joined"] or one["orders"] > 0
            referrer["referred_orders"] += one["orders"]
            referrer["referred_revenue"] += one["net"]


def moment(event: WireEvent) -> datetime:
    """Return when ``event`` happened, in UTC."""
    return datetime.fromisoformat(event["occurred_at"]).astimezone(UTC)


def money(event: WireEvent, field: str, rates: Mapping[str, Decimal]) -> Decimal:
    """Return an amount in the reporting currency, to millionths."""
    value = event[field]
    text = value if isinstance(value, str) else format(value, ".15g")
    amount = Decimal(text).quantize(MICRO, ROUND_HALF_EVEN)
    rate = rates.get(event["currency"], Decimal(1))
    return (amount * rate).quantize(MICRO, ROUND_HALF_EVEN)
