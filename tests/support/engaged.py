"""How customers were won and what they do besides buying, counted anew from the wire's contract.

As ``oracle``: all events of a customer, in any order and with repeats, are kept and looked at
together at the end; no line of it is the fold's.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.support.oracle import moment, money

WireEvent = Mapping[str, Any]
BOUND = 24


def engaged(events: Iterable[WireEvent], rates: Mapping[str, Decimal]) -> dict[str, dict[str, Any]]:
    """Return what the events of each customer say, by customer_id; ratings to six decimals."""
    own: defaultdict[str, dict[str, WireEvent]] = defaultdict(dict)
    for event in events:
        own[event["customer_id"]].setdefault(event["event_id"], event)
    return {customer: _one(list(told.values()), rates) for customer, told in own.items()}


def _one(events: list[WireEvent], rates: Mapping[str, Decimal]) -> dict[str, Any]:
    purchases = [event for event in events if event["type"] == "purchase"]
    costs = [event for event in events if event["type"] == "acquisition_cost"]
    ratings = [event for event in events if event["type"] == "rating"]
    normal = [(moment(one), to_five(one)) for one in ratings]
    return {
        "acquisition_channel": _channel(purchases, costs),
        "location": _latest(purchases, "location"),
        "acquisition_cost": sum(money(one, "amount", rates) for one in costs) if costs else None,
        "ratings": len(ratings),
        "rating_sum": sum(rating for _, rating in normal),
        "rating_last": min((r for at, r in normal if at == max(normal)[0]), default=None),
        "shares": sum(event["type"] == "share" for event in events),
        "attributes": _attributes(events),
        "experiments": _experiments(events),
    }


def to_five(event: WireEvent) -> Fraction:
    """Return a rating on the scale to 5, to six decimals."""
    exact = Fraction(event["rating"]) / Fraction(event.get("scale", 5)) * 5
    return Fraction(round(exact * 1_000_000), 1_000_000)


def _channel(purchases: list[WireEvent], costs: list[WireEvent]) -> str | None:
    """Of the first purchase (the lesser name, of several at once), or of the first cost."""
    first = min(map(moment, purchases), default=None)
    of_first = [one["channel"] for one in purchases if moment(one) == first and one.get("channel")]
    of_costs = [(moment(one), one["channel"]) for one in costs if one.get("channel")]
    return min(of_first, default=None) or (min(of_costs)[1] if of_costs else None)


def _latest(events: list[WireEvent], field: str) -> str | None:
    named = [(moment(event), event[field]) for event in events if event.get(field)]
    return min((name for at, name in named if at == max(named)[0]), default=None)


def _attributes(events: list[WireEvent]) -> dict[str, Any]:
    told: defaultdict[str, dict[Any, list[str]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        for name, value in event.get("attributes", {}).items():
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            if len(text.encode()) <= 128:
                told[name][moment(event)].append(text)
    ages = sorted((-max(at).timestamp(), name) for name, at in told.items())
    kept = sorted(name for _, name in ages[:BOUND])
    return {name: json.loads(min(told[name][max(told[name])])) for name in kept}


def _experiments(events: list[WireEvent]) -> dict[str, str]:
    told: defaultdict[str, list[tuple[Any, str]]] = defaultdict(list)
    for event in events:
        if event["type"] == "experiment":
            told[event["experiment_id"]].append((moment(event), event["arm"]))
        elif arm := event.get("experiment"):
            told[arm["id"]].append((moment(event), arm["arm"]))
    first = sorted((min(arms), one) for one, arms in told.items())
    by_time = sorted((at, one, arm) for (at, arm), one in first)
    return {one: arm for _, one, arm in by_time[:BOUND]}
