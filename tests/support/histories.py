"""Hypothesis strategies: what a few customers did, and how the news of it arrived."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from streamer.pipeline import Configuration
from streamer.scoring.parameters import ScoringParameters
from streamer.serdes.events import EventDecoder

RATES = {"EUR": Decimal("1.25"), "JPY": Decimal("0.0067")}
"""In units of the reporting currency, USD."""

CUSTOMERS = ("ann", "bob", "cy", "dörte")
START = datetime(2024, 1, 1, tzinfo=UTC)
LATENESS_DAYS = 30
LONG_DAYS = 4000
"""A lateness that nothing in a history exceeds."""

# Ties, and both sides of midnight and of a window's edge.
_DAY_TIMES = (
    timedelta(0),
    timedelta(microseconds=1),
    timedelta(hours=12),
    timedelta(days=1, microseconds=-1),
)
_ZONES = (UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8)))


@dataclass(frozen=True)
class Happening:
    """An event, when it happened and how late the news of it came."""

    event: dict[str, Any]
    at: timedelta
    delay: timedelta

    @property
    def arrival(self) -> timedelta:
        """When the news came; at most the lateness after ``at``, so nothing is late by it."""
        return self.at + self.delay


def configuration(
    *, partitions: int = 1, lateness_days: int = LATENESS_DAYS, every_event: bool = False
) -> Configuration:
    """Return the settings under which histories are played."""
    return Configuration(
        EventDecoder("USD", RATES),
        ScoringParameters(currency="USD"),
        partitions=partitions,
        lateness=lateness_days * 86_400_000_000,
        every_event=every_event,
        version="test",
    )


def money() -> st.SearchStrategy[str | float]:
    """Amounts above 0 as producers write them, all exact in six decimals after conversion."""
    hundredths = st.integers(1, 200_000)
    as_text = hundredths.map(lambda n: f"{n // 100}.{n % 100:02d}")
    return as_text | hundredths.map(lambda n: n / 100) | st.sampled_from(["0.0008", "7", 3])


def _bought() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "type": st.just("purchase"),
            "order_id": _ORDER_IDS,
            "amount": money(),
            "currency": st.sampled_from(["USD", "USD", "EUR", "JPY"]),
        },
        optional={
            "cost": money(),
            "checkout_seconds": st.sampled_from([0, 1.5, 30, 600]),
            "coupon": st.sampled_from(["", "SPRING"]),
            "discount": st.sampled_from(["0", "0.00", 1.5]),
            "due_at": st.integers(0, 600).map(lambda day: (START + timedelta(day)).isoformat()),
            "items": _items(),
            "channel": st.sampled_from(["", "web", "store"]),
            "location": st.sampled_from(["DE", "FR"]),
            "experiment": st.fixed_dictionaries({"id": EXPERIMENTS, "arm": ARMS}),
        },
    )


_ORDER_IDS = st.sampled_from(["o", "p", "q"])


def _paid() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "type": st.just("payment"),
            "order_id": _ORDER_IDS,
            "amount": money(),
            "currency": st.sampled_from(["USD", "EUR"]),
        }
    )


def _gave_back() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "type": st.just("refund"),
            "refund_id": st.just("r"),
            "order_id": _ORDER_IDS,
            "amount": money(),
            "currency": st.sampled_from(["USD", "EUR"]),
        },
        optional={"items": _items()},
    )


def _items() -> st.SearchStrategy[list[dict[str, Any]]]:
    item = st.fixed_dictionaries(
        {"product_id": st.integers(0, 200).map(lambda number: f"p{number}")},
        optional={
            "category": st.sampled_from(["", "hats", "shoes", *(f"c{n}" for n in range(40))]),
            "quantity": st.sampled_from([1, 2, 0.125]),
            "price": money(),
            "cost": money(),
        },
    )
    return st.lists(item, max_size=3)


def _brought() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"type": st.just("referral"), "referred_customer_id": st.sampled_from(CUSTOMERS)},
        optional={"status": st.sampled_from(["invited", "joined"])},
    )


EXPERIMENTS = st.sampled_from(["free-shipping", "banner", *(f"x{n}" for n in range(30))])
ARMS = st.sampled_from(["control", "treated"])
ATTRIBUTES = st.sampled_from(["city", "born", *(f"a{n}" for n in range(30))])
VALUES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["Köln", "Ulm", "x" * 130])


def _engaged() -> list[st.SearchStrategy[dict[str, Any]]]:
    """Ratings, shares, acquisition costs, profiles and experiments, some beyond the bounds."""
    rated = st.fixed_dictionaries(
        {"type": st.just("rating"), "rating": st.sampled_from([0, 1, 2.5, 3, 4, 4.5, 5])},
        optional={
            "scale": st.sampled_from([5, 7, 10]),
            "product_id": st.sampled_from(["p1", "p2", "p" * 128, *(f"q{n}" for n in range(25))]),
            "category": st.sampled_from(["", "hats", "shoes", "x" * 129]),
        },
    )
    shared = st.fixed_dictionaries({"type": st.just("share"), "network": st.just("mail")})
    paid = st.fixed_dictionaries(
        {
            "type": st.just("acquisition_cost"),
            "amount": st.just(0) | money(),
            "currency": st.sampled_from(["USD", "EUR"]),
        },
        optional={"channel": st.sampled_from(["", "web", "fair"])},
    )
    profiled = st.fixed_dictionaries(
        {
            "type": st.just("profile"),
            "attributes": st.dictionaries(ATTRIBUTES, VALUES, max_size=12),
        }
    )
    exposed = st.fixed_dictionaries(
        {"type": st.just("experiment"), "experiment_id": EXPERIMENTS, "arm": ARMS}
    )
    return [rated, st.one_of(shared, paid, profiled, exposed)]


def _kinds(referrals: int, *, interactions: bool) -> list[st.SearchStrategy[dict[str, Any]]]:
    own = [_bought(), _bought(), _bought(), _gave_back(), _paid()]
    return own + (_engaged() if interactions else []) + [_brought()] * referrals


@st.composite
def histories(
    draw: st.DrawFn,
    *,
    referrals: int = 1,
    referrers_max: int = 9,
    interactions: bool = True,
    size_max: int = 30,
) -> list[Happening]:
    """What happened, in the order of time.

    ``referrals`` is their weight beside seven of other kinds, ``referrers_max`` bounds the
    referrers of a customer. Without ``interactions`` and referrals all is of one topic.
    """
    kinds = _kinds(referrals, interactions=interactions)
    days = draw(st.sampled_from([2, 40, 500, 1500]))
    delays = st.integers(0, LATENESS_DAYS * 24).map(lambda hours: timedelta(hours=hours))
    times = st.builds(lambda day, time: timedelta(day) + time, st.integers(0, days), _times())
    told = draw(
        st.lists(
            st.tuples(
                st.one_of(kinds), st.sampled_from(CUSTOMERS), times, delays, st.sampled_from(_ZONES)
            ),
            min_size=1,
            max_size=size_max,
        )
    )
    happenings = []
    referrers: dict[str, set[str]] = {}
    for place, (fields, customer, at, delay, zone) in enumerate(told):
        brought = fields.get("referred_customer_id", "")
        if brought == customer or (
            brought and len(referrers.setdefault(brought, set()) | {customer}) > referrers_max
        ):
            continue
        referrers.get(brought, set()).add(customer)
        event = {
            "event_id": f"e{place}",
            "customer_id": customer,
            "occurred_at": (START + at).astimezone(zone).isoformat(),
            **fields,
        }
        happenings.append(Happening(event, at, delay))
    return sorted(happenings, key=lambda one: one.at)


def _times() -> st.SearchStrategy[timedelta]:
    return st.sampled_from(_DAY_TIMES) | st.integers(0, 86_399).map(lambda s: timedelta(seconds=s))


def in_time(history: Sequence[Happening]) -> list[dict[str, Any]]:
    """Return the events in the order in which they happened."""
    return [one.event for one in history]


def as_arrived(history: Sequence[Happening]) -> list[dict[str, Any]]:
    """Return the events in the order in which the news of them came."""
    return [one.event for one in sorted(history, key=lambda one: one.arrival)]


def sizes() -> st.SearchStrategy[list[int]]:
    """Sizes of units of work, taken in turn."""
    return st.lists(st.integers(1, 12), min_size=1, max_size=6)
