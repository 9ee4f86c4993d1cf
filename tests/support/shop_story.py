"""One small shop's year: a dozen customers, every type of event, told customer by customer.

Day 0 is 1 January 2024; everything happens at noon. ``ending()`` holds what arrives late and the
last purchases, which move time on in both of two partitions.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

Event = dict[str, Any]

DAY_0 = datetime(2024, 1, 1, 12, tzinfo=UTC)
END = 335.0
"""1 December 2024: the last day of the story."""

SETTINGS: dict[str, object] = {
    "partitions": 2,
    "clock": "stream",
    "catalogue_categories": '["shoes", "bags", "hats", "socks"]',
    "low_order_value": 50,
    "referral_programme": "true",
    "channel_costs": '{"fair": "80"}',
    "loyalty_tiers": '{"bronze": 0, "silver": 200, "gold": 1000}',
    "loyalty_points_per_referral": 100,
    "loyalty_points_per_share": 25,
    "programme_interval_seconds": 0.3,
}
SEGMENTS = '[segments]\nhats_no_shoes = \'"hats" in categories && !("shoes" in categories)\'\n'


def moment(day: float) -> datetime:
    """Return noon of a day of the story."""
    return DAY_0 + timedelta(days=day)


def event(kind: str, customer: str, day: float, **fields: Any) -> Event:
    """Return an event, whose id tells of its type, customer and day."""
    return {
        "event_id": f"{kind}-{customer}-{day}",
        "type": kind,
        "customer_id": customer,
        "occurred_at": moment(day).isoformat(),
        **fields,
    }


def purchase(customer: str, day: float, amount: str, **fields: Any) -> Event:
    """Return a purchase; the order's id is the day's."""
    order = {"order_id": f"{customer}-{day}", "amount": amount, "currency": "USD"}
    return event("purchase", customer, day, **order, **fields)


def item(product: str, category: str, **fields: Any) -> Event:
    """Return a line of an order."""
    return {"product_id": product, "category": category, **fields}


def about(kind: str, customer: str, order: float, day: float, amount: str, **more: Any) -> Event:
    """Return a refund of, or a payment for, the order of a day."""
    fields = {"order_id": f"{customer}-{order}", "amount": amount, "currency": "USD"}
    if kind == "refund":
        fields["refund_id"] = f"{customer}-{order}-{day}"
    return event(kind, customer, day, **fields, **more)


def referral(referrer: str, brought: str, day: float, status: str) -> Event:
    """Return that ``referrer`` brought somebody; one may bring several on a day."""
    told = event("referral", referrer, day, referred_customer_id=brought, status=status)
    return told | {"event_id": f"referral-{referrer}-{brought}-{day}"}


def anna() -> Iterator[Event]:
    """Three orders, two paid, one overdue; gives socks back; in the control of the experiment."""
    shoes = [
        item("boot", "shoes", price="60", cost="36"),
        item("clog", "shoes", price="40", cost="24"),
    ]
    first = {"channel": "web", "location": "Ulm", "checkout_seconds": 30}
    arm = {"id": "banner", "arm": "control"}
    due = moment(14).isoformat()
    yield purchase("anna", 0, "100", cost="60", items=shoes, due_at=due, experiment=arm, **first)
    yield about("payment", "anna", 0, 4, "40")
    yield about("payment", "anna", 0, 10, "60", method="card")
    socks = [item("sock", "socks", quantity=2)]
    yield purchase("anna", 31, "50", cost="30", items=socks, checkout_seconds=90)
    yield about("payment", "anna", 31, 33, "50")
    yield referral("anna", "dora", 40, "joined")
    yield about("refund", "anna", 31, 40, "20", items=[{"product_id": "sock"}])
    due = moment(75).isoformat()
    hat = [item("cap", "hats")]
    yield purchase(
        "anna", 61, "75", cost="45", items=hat, due_at=due, discount="5", location="Bonn"
    )


def bert() -> Iterator[Event]:
    """Buys once, pays the next day; the offer of the experiment does not bring him back."""
    yield event("experiment", "bert", 11, experiment_id="banner", arm="offer")
    yield purchase("bert", 12, "30", channel="web", checkout_seconds=5)
    yield event("profile", "bert", 12, attributes={"birth_year": 1990, "newsletter": True})
    yield about("payment", "bert", 12, 13, "30")


def cleo() -> Iterator[Event]:
    """Buys hats and gives a part back; who brought her is told only at the end."""
    yield purchase("cleo", 15, "80", items=[item("cap", "hats")])
    yield event("experiment", "cleo", 16, experiment_id="banner", arm="control")
    yield purchase("cleo", 45, "40")
    yield about("refund", "cleo", 45, 50, "10", reason="damaged")


def dora() -> Iterator[Event]:
    """Two say that they brought her: anna first in arrival, emil first in time."""
    yield purchase("dora", 70, "55")


def emil() -> Iterator[Event]:
    """One large order, rated 7 of 10; refers himself, which is refused."""
    yield purchase("emil", 60, "300")
    yield referral("emil", "emil", 61, "joined")
    yield event("rating", "emil", 62, rating=7, scale=10, product_id="coat")


def finn() -> Iterator[Event]:
    """Contented at first, then not: 5 of 5, then 4 of 10."""
    yield purchase("finn", 280, "60")
    yield event("rating", "finn", 300, rating=5, order_id="finn-280")
    yield purchase("finn", 315, "60")
    yield event("rating", "finn", 320, rating=4, scale=10, interaction="call")


def gina() -> Iterator[Event]:
    """Shares, and so reaches silver; a refund takes it from her again."""
    yield purchase("gina", 5, "180.90")
    yield event("share", "gina", 6, network="mastodon", product_id="coat")
    yield about("refund", "gina", 5, 8, "30")


def hugo() -> Iterator[Event]:
    """Was won for 40.00 and 10.00 by search ads, and buys twice for 20.00."""
    cost = {"currency": "USD", "channel": "search", "campaign": "winter"}
    yield event("acquisition_cost", "hugo", -1, amount="40", **cost)
    yield purchase("hugo", 0, "20")
    yield event("experiment", "hugo", 1, experiment_id="banner", arm="control")
    yield event("acquisition_cost", "hugo", 2, amount="10", **cost)
    yield purchase("hugo", 100, "20")


def ivan() -> Iterator[Event]:
    """Regular for more than a year; came by a fair; new categories within the last year."""
    bought = {-60: "shoes", 10: "shoes", 100: "bags", 179: "", 258: "hats"}
    for day, category in bought.items():
        items = [item(f"some {category}", category)] if category else None
        yield purchase("ivan", day, "40", items=items, channel="fair")


def jana() -> Iterator[Event]:
    """Buys only at a discount, and only what has a margin of a tenth. Winning her was free."""
    yield event("acquisition_cost", "jana", 29, amount="0", currency="USD")
    yield purchase("jana", 30, "20", cost="18", coupon="SPRING")
    yield event("experiment", "jana", 31, experiment_id="banner", arm="offer")
    yield purchase("jana", 90, "30", cost="27", discount="3")


def kurt() -> Iterator[Event]:
    """Buys for much within ten days and never again."""
    yield purchase("kurt", -10, "200")
    yield purchase("kurt", 0, "100", experiment={"id": "banner", "arm": "control"})


def lena() -> Iterator[Event]:
    """A newcomer."""
    yield purchase("lena", 300, "10")


CUSTOMERS = (anna, bert, cleo, dora, emil, finn, gina, hugo, ivan, jana, kurt, lena)
NAMES = tuple(customer.__name__ for customer in CUSTOMERS)


def in_order(events: Iterable[Event]) -> list[Event]:
    """Return ``events`` in the order of their times."""
    return sorted(events, key=lambda one: datetime.fromisoformat(one["occurred_at"]))


def beginning() -> list[Event]:
    """Return all but the ending, in the order of time."""
    return in_order(one for customer in CUSTOMERS for one in customer())


def chapters() -> Iterator[list[Event]]:
    """Give the story in parts, each to be taken in before the next is sent.

    So who is told at the end of one what to do is told in the next what came of it: anna and kurt
    lapse after day 200, finn complains after day 317.
    """
    ends = [moment(200), moment(317), moment(END)]
    events = beginning()
    for start, end in pairwise([moment(-365), *ends]):
        yield [one for one in events if start <= datetime.fromisoformat(one["occurred_at"]) < end]
    yield ending()


def ending() -> list[Event]:
    """Return referrals that arrive long after they happened, and the last day's purchases."""
    return [
        referral("anna", "cleo", 14, "invited"),
        referral("emil", "dora", 38, "invited"),
        purchase("ivan", END, "40", channel="web"),
        purchase("lena", END, "30"),
    ]


def encore() -> list[Event]:
    """Return what happens after a model was adopted: ivan buys once more, for twice as much."""
    return [purchase("ivan", 340, "80")]
