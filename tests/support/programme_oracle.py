"""The figures of the shop, counted anew from all events, straight from the pages of the rows.

As ``oracle``: every event is kept and looked at in the end; no line of it is the code's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.support.engaged import engaged, to_five
from tests.support.oracle import moment, money

WireEvent = Mapping[str, Any]
MONTHS = 12
COHORT_MONTHS = 36


class Customer(NamedTuple):
    """What one customer did, by day."""

    bought: list[tuple[date, Decimal]]
    refunded: list[tuple[date, Decimal]]
    groups: tuple[str, ...]
    arms: dict[str, tuple[date, str]]
    spent: list[tuple[str, Decimal]]
    """On winning it, each with the group of the channel; "" where that is not known."""

    opinions: list[tuple[list[str], Fraction]]
    """Its last rating of each thing, and what that counts for."""

    @property
    def first(self) -> date:
        return min(day for day, _ in self.bought)

    def net(self, since: date = date.min) -> Decimal:
        come = sum((amount for day, amount in self.bought if day >= since), Decimal(0))
        return come - sum((amount for day, amount in self.refunded if day >= since), Decimal(0))


def customers_of(events: Iterable[WireEvent], rates: Mapping[str, Decimal]) -> dict[str, Customer]:
    """Return every customer of whom an event tells, by id."""
    own: defaultdict[str, dict[str, WireEvent]] = defaultdict(dict)
    told = list(events)
    for event in told:
        own[event["customer_id"]].setdefault(event["event_id"], event)
    channels = {one: of["acquisition_channel"] for one, of in engaged(told, rates).items()}
    found = {}
    for customer, mine in own.items():
        arms: dict[str, tuple[datetime, str]] = {}
        for event in mine.values():
            exposure = _exposure(event)
            if exposure and (moment(event), exposure[1]) < arms.get(
                exposure[0], (datetime.max.replace(tzinfo=moment(event).tzinfo), "")
            ):
                arms[exposure[0]] = moment(event), exposure[1]
        kept = sorted((at, one) for one, (at, _) in arms.items())[:24]
        found[customer] = Customer(
            [_paid(one, rates) for one in mine.values() if one["type"] == "purchase"],
            [_paid(one, rates) for one in mine.values() if one["type"] == "refund"],
            ("all", *([f"channel:{channels[customer]}"] if channels.get(customer) else [])),
            {one: (at.date(), arms[one][1]) for at, one in kept},
            [
                (
                    f"channel:{channel}" if channel else "",
                    money(one, "amount", rates),
                )
                for one in mine.values()
                if one["type"] == "acquisition_cost"
                for channel in [one.get("channel") or channels.get(customer)]
            ],
            _opinions([one for one in mine.values() if one["type"] == "rating"]),
        )
    return found


def _opinions(ratings: list[WireEvent]) -> list[tuple[list[str], Fraction]]:
    """Return the latest rating of each of the twenty things that were rated last."""
    of: defaultdict[str, list[tuple[float, Fraction, str]]] = defaultdict(list)
    for one in ratings:
        product, category = (
            text if len(text.encode()) <= 128 else ""
            for text in (one.get("product_id") or "", one.get("category") or "")
        )
        thing = f"product:{product}" if product else f"category:{category}" if category else ""
        if thing:
            under = category if product else ""
            of[thing].append((-moment(one).timestamp(), to_five(one), under))
    last = sorted((min(told), thing) for thing, told in of.items())
    by_time = sorted((age, thing, rating, under) for (age, rating, under), thing in last)
    return [
        ([thing, f"category:{under}"] if under else [thing], rating)
        for _, thing, rating, under in by_time[:20]
    ]


def ratings_of(customers: Iterable[Customer]) -> dict[str, dict[str, Any]]:
    """Return what of the ratings' figures follows without statistics, by what was rated."""
    found: defaultdict[str, list[Fraction]] = defaultdict(list)
    for customer in customers:
        for names, rating in customer.opinions:
            for name in names:
                found[name].append(rating)
    return {
        name: {
            "ratings": len(all_of),
            "rating_average": float(sum(all_of, Fraction(0)) / len(all_of)),
            "low_ratings": sum(one < 3 for one in all_of),
            "low_share": sum(one < 3 for one in all_of) / len(all_of),
        }
        for name, all_of in found.items()
    }


def spend_of(customers: Iterable[Customer], group: str) -> Decimal | None:
    """Return what was spent on a group, be it in vain; None if nothing was told."""
    spent = [one for customer in customers for one in customer.spent]
    mine = [amount for channel, amount in spent if group in ("all", channel)]
    return sum(mine, Decimal(0)) if mine else None


def acquisition_of(measure: Mapping[str, Any], customers: Iterable[Customer]) -> dict[str, Any]:
    """Return what of the acquisition figures follows from the events, and from CLV as told."""
    figures, spend = measure["figures"], spend_of(customers, measure["group"])
    won, clv = figures["customers"], figures["clv"]
    cost = spend / won if spend is not None and won else None
    budget = None if clv is None else max(Decimal(clv), Decimal(0)) / 3
    return {
        "acquisition_cost": spend,
        "acquired_customers": won,
        "cost_per_customer": cost,
        "ltv_to_cac": Decimal(clv) / cost if clv is not None and cost else None,
        "acquisition_budget": budget,
        "retention_budget": (
            None if budget is None or cost is None else max(budget - cost, Decimal(0))
        ),
    }


def _exposure(event: WireEvent) -> tuple[str, str] | None:
    if event["type"] == "experiment":
        return event["experiment_id"], event["arm"]
    arm = event.get("experiment")
    return (arm["id"], arm["arm"]) if arm else None


def _paid(event: WireEvent, rates: Mapping[str, Decimal]) -> tuple[date, Decimal]:
    return moment(event).date(), money(event, "amount", rates)


def group_of(customers: Iterable[Customer], today: date) -> dict[str, Any]:
    """Return the figures of customers in one group, shaped as on the wire, without CLV."""
    buyers = [one for one in customers if one.bought]
    cohorts = sorted({_month(one.first) for one in buyers})
    return {
        "figures": _figures(buyers),
        "months": [_in_month(buyers, month, today, None) for month in _kept(today)],
        "cohorts": [
            {
                "cohort": _label(cohort),
                "figures": _figures([one for one in buyers if _month(one.first) == cohort]),
                "months": [
                    _in_month(
                        [one for one in buyers if _month(one.first) == cohort],
                        month, today, cohort,
                    )
                    for month in _kept(today)
                    if cohort <= month <= cohort + COHORT_MONTHS
                ],
            }
            for cohort in cohorts
        ],
    }  # fmt: skip


def _figures(buyers: list[Customer]) -> dict[str, Any]:
    orders = sum(len(one.bought) for one in buyers)
    repeat = sum(len({day for day, _ in one.bought}) > 1 for one in buyers)
    return {
        "customers": len(buyers),
        "repeat_customers": repeat,
        "repeat_purchase_rate": repeat / len(buyers) if buyers else None,
        "orders": orders,
        "average_order_value": _mean([one.net() for one in buyers], orders),
    }


def _in_month(
    buyers: list[Customer], month: int, today: date, cohort: int | None
) -> dict[str, Any]:
    active = [one for one in buyers if _bought_in(one, month)]
    before = [one for one in buyers if _bought_in(one, month - 1)]
    both = sum(_bought_in(one, month - 1) for one in active)
    known = month > _kept(today)[0] and (cohort is None or cohort < month)
    first = month == _kept(today)[0]
    orders = sum(_month(day) == month for one in buyers for day, _ in one.bought)
    net = [amount for one in buyers for day, amount in one.bought if _month(day) == month] + [
        -amount for one in buyers for day, amount in one.refunded if _month(day) == month
    ]
    return {
        "month": _label(month),
        "complete": month < _month(today),
        "customers": len(active),
        "new_customers": sum(_month(one.first) == month for one in active),
        "retained_customers": None if first else both,
        "retention_rate": both / len(before) if known and before else None,
        "churn_rate": 1 - both / len(before) if known and before else None,
        "orders": orders,
        "revenue": sum(net, Decimal(0)),
        "average_order_value": _mean(net, orders),
    }


def arms_of(
    customers: Iterable[Customer], experiment: str, today: date, window_days: int = 30
) -> dict[str, dict[str, Any]]:
    """Return by arm the sums that a readout is made of: of exposures in the months kept."""
    found: dict[str, dict[str, Any]] = {}
    for one in customers:
        day, arm = one.arms.get(experiment, (date.min, ""))
        if day == date.min or _month(day) < _kept(today)[0]:
            continue
        sums = found.setdefault(
            arm, {"customers": 0, "orders": 0, "revenue": Decimal(0), "over": 0, "returned": 0}
        )
        sums["customers"] += 1
        sums["orders"] += sum(bought >= day for bought, _ in one.bought)
        sums["revenue"] += one.net(day)
        over = day + timedelta(days=window_days) < today
        sums["over"] += over
        sums["returned"] += over and any(
            day < bought <= day + timedelta(days=window_days) for bought, _ in one.bought
        )
    return found


def _bought_in(one: Customer, month: int) -> bool:
    return any(_month(day) == month for day, _ in one.bought)


def _mean(amounts: list[Decimal], number: int) -> Decimal | None:
    return sum(amounts, Decimal(0)) / number if number else None


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _label(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def _kept(today: date) -> range:
    return range(_month(today) - MONTHS + 1, _month(today) + 1)
