import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from numpy.random import Generator

from streamer.serdes.events import EventDecoder
from streamer.simulate import (
    Basket,
    Payments,
    PurchaseProcess,
    Refunds,
    Shop,
    SimulationError,
    Spend,
    simulate,
)
from streamer.simulate.events import Event, Timed, common, instant

BUSY = Shop(
    customers=3000,
    days=200.0,
    basket=Basket(0.5, 4, due_days=14, checkout_seconds=60, coupon_rate=0.3, discount_rate=0.2),
    referral_rate=0.3,
    follow_ups=(Refunds(rate=0.2, delay_days=3.0), Payments(rate=0.9, delay_days=2.0)),
)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(simulate(BUSY, seed=5))


def of_type(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def moment(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def first_purchases(events: list[Event]) -> dict[str, Event]:
    return {event["customer_id"]: event for event in reversed(of_type(events, "purchase"))}


def assert_share(count: int, total: int, share: float) -> None:
    """Within four standard errors of a binomial share."""
    assert abs(count - total * share) < 4 * (total * share * (1 - share)) ** 0.5


def test_every_event_keeps_the_contract(events: list[Event]) -> None:
    decoded = [EventDecoder().decode(msgspec.json.encode(event)) for event in events]
    assert [event.event_id for event in decoded] == [event["event_id"] for event in events]
    assert len({event.event_id for event in decoded}) == len(events)
    assert {event.type for event in decoded} == {"purchase", "refund", "payment", "referral"}


def test_events_come_in_the_order_of_their_times_within_the_period(events: list[Event]) -> None:
    assert all(moment(before) <= moment(after) for before, after in pairwise(events))
    assert moment(events[0]) >= BUSY.start
    assert moment(events[-1]) < BUSY.start + timedelta(days=BUSY.days)


def test_every_customer_buys_and_joins_in_the_first_days(events: list[Event]) -> None:
    first = first_purchases(events)
    assert len(first) == BUSY.customers
    joined = [moment(event) for event in first.values()]
    assert max(joined) < BUSY.start + timedelta(days=BUSY.acquisition_days)
    # A uniform variable has the variance 1/12.
    shares = [(at - BUSY.start) / timedelta(days=BUSY.acquisition_days) for at in joined]
    assert abs(sum(shares) / len(shares) - 0.5) < 4 * (1 / 12 / len(shares)) ** 0.5


def test_refunds_follow_their_purchases(events: list[Event]) -> None:
    purchases = {event["order_id"]: event for event in of_type(events, "purchase")}
    refunds = of_type(events, "refund")
    for refund in refunds:
        purchase = purchases[refund["order_id"]]
        assert refund["customer_id"] == purchase["customer_id"]
        assert moment(refund) >= moment(purchase)
        assert 0 < float(refund["amount"]) <= float(purchase["amount"])
    # Only purchases whose refund falls into the period almost surely: 20 mean delays are left.
    early = BUSY.start + timedelta(days=BUSY.days - 60)
    settled = {order for order, event in purchases.items() if moment(event) < early}
    settled_refunds = [event for event in refunds if event["order_id"] in settled]
    assert_share(len(settled_refunds), len(settled), 0.2)
    whole = [e for e in settled_refunds if e["amount"] == purchases[e["order_id"]]["amount"]]
    assert_share(len(whole), len(settled_refunds), 0.5)


def test_payments_add_up_to_their_purchases(events: list[Event]) -> None:
    purchases = {event["order_id"]: event for event in of_type(events, "purchase")}
    early = BUSY.start + timedelta(days=BUSY.days - 60)
    settled = {order for order, event in purchases.items() if moment(event) < early}
    paid: Counter[str] = Counter()
    for payment in of_type(events, "payment"):
        assert moment(payment) >= moment(purchases[payment["order_id"]])
        paid[payment["order_id"]] += round(float(payment["amount"]) * 100)
    assert_share(len(paid.keys() & settled), len(settled), 0.9)
    for order in paid.keys() & settled:
        assert paid[order] == round(float(purchases[order]["amount"]) * 100)


def test_purchases_tell_of_their_circumstances(events: list[Event]) -> None:
    purchases = of_type(events, "purchase")
    for event in purchases:
        due = datetime.fromisoformat(event["due_at"])
        assert due - moment(event) == timedelta(days=14)
    seconds = [event["checkout_seconds"] for event in purchases]
    assert abs(sum(seconds) / len(seconds) / 60 - 1) < 4 / len(seconds) ** 0.5
    assert_share(sum("coupon" in event for event in purchases), len(purchases), 0.3)


def test_a_discount_is_a_share_of_what_it_would_have_cost(events: list[Event]) -> None:
    purchases = [event for event in of_type(events, "purchase") if float(event["amount"]) > 1]
    reduced = [event for event in purchases if "discount" in event]
    assert_share(len(reduced), len(purchases), 0.2)
    for event in reduced:
        off, paid = float(event["discount"]), float(event["amount"])
        assert 0.04 < off / (off + paid) < 0.31


def test_referrals_lie_between_the_first_purchases_of_the_two(events: list[Event]) -> None:
    first = first_purchases(events)
    referrals = of_type(events, "referral")
    for event in referrals:
        assert moment(first[event["customer_id"]]) <= moment(event)
        assert moment(event) < moment(first[event["referred_customer_id"]])
    assert_share(len(referrals), BUSY.customers, BUSY.referral_rate)
    brought = Counter(event["referred_customer_id"] for event in referrals)
    assert set(brought.values()) == {1}


def test_baskets_say_what_was_bought_and_what_it_cost(events: list[Event]) -> None:
    purchases = of_type(events, "purchase")
    assert {event["items"][0]["category"] for event in purchases} == {
        f"category-{number}" for number in range(4)
    }
    paid = sum(float(event["amount"]) for event in purchases)
    assert sum(float(event["cost"]) for event in purchases) == pytest.approx(paid / 2, rel=0.02)


def test_a_plain_shop_only_sells() -> None:
    plain = list(simulate(Shop(customers=50), seed=1))
    assert {event["type"] for event in plain} == {"purchase"}
    assert not any({"cost", "items"} & event.keys() for event in plain)


def test_the_same_seed_gives_the_same_events(events: list[Event]) -> None:
    assert list(simulate(BUSY, seed=5)) == events
    other = list(simulate(BUSY, seed=6))
    assert not {event["event_id"] for event in other} & {event["event_id"] for event in events}


def test_events_do_not_depend_on_the_process() -> None:
    script = """
from hashlib import sha256
import msgspec
from streamer.simulate import Refunds, Shop, simulate
shop = Shop(customers=200, referral_rate=0.3, follow_ups=(Refunds(0.3),))
print(sha256(msgspec.json.encode(list(simulate(shop, 9)))).hexdigest())
"""
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for hash_seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    shop = Shop(customers=200, referral_rate=0.3, follow_ups=(Refunds(0.3),))
    here = sha256(msgspec.json.encode(list(simulate(shop, 9)))).hexdigest()
    assert digests == {f"{here}\n".encode()}


def test_switching_a_concern_on_leaves_the_others_as_they_are(events: list[Event]) -> None:
    bare = Shop(customers=BUSY.customers, days=BUSY.days)
    names = ("event_id", "customer_id", "occurred_at", "amount")
    assert [[event[name] for name in names] for event in simulate(bare, seed=5)] == [
        [event[name] for name in names] for event in of_type(events, "purchase")
    ]


def test_a_shorter_period_than_the_acquisition_holds_every_customer() -> None:
    short = list(simulate(Shop(customers=100, days=2.0), seed=1))
    assert len(first_purchases(short)) == 100


def test_the_start_is_written_in_utc() -> None:
    east = datetime(2025, 1, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    utc = datetime(2025, 1, 1, tzinfo=UTC)
    assert list(simulate(Shop(customers=5, start=east), 1)) == list(
        simulate(Shop(customers=5, start=utc), 1)
    )


def test_a_new_kind_of_event_is_one_class() -> None:
    @dataclass(frozen=True, slots=True)
    class Thanks:
        def follow(
            self, generator: Generator, start: datetime, at_ms: int, purchase: Event
        ) -> Iterator[Timed]:
            later_ms = at_ms + int(generator.integers(1, 1000))
            event_id = f"{purchase['event_id']}-share"
            event = common(event_id, "share", purchase["customer_id"], instant(start, later_ms))
            yield later_ms, event | {"network": "mail"}

    shop = Shop(customers=20, follow_ups=(Thanks(), Refunds(1.0)))
    made = list(simulate(shop, seed=1))
    assert all(moment(before) <= moment(after) for before, after in pairwise(made))
    counts = Counter(event["type"] for event in made)
    assert counts["share"] >= counts["purchase"] - 1


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (Shop, {"customers": 0}, "customers is 0"),
        (Shop, {"days": 0.0}, "days is 0.0"),
        (Shop, {"days": 1e12}, "days is "),
        (Shop, {"referral_rate": 1.5}, "referral_rate is 1.5: it has to be from 0 to 1"),
        (Shop, {"start": datetime.fromisoformat("2025-01-01")}, "with its offset"),
        (PurchaseProcess, {"r": -1.0}, "r is -1.0: it has to be above 0"),
        (PurchaseProcess, {"alpha": float("nan")}, "alpha is nan"),
        (PurchaseProcess, {"model": "pareto"}, "mbg_nbd or bg_nbd"),
        (Spend, {"q": 1.0}, "q is 1.0: it has to be above 1"),
        (Basket, {"cost_share": 2.0}, "cost_share is 2.0"),
        (Basket, {"categories": -1}, "categories is -1"),
        (Refunds, {"rate": -0.1}, "refund_rate is -0.1"),
    ],
)
def test_impossible_parameters_are_named(kind: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SimulationError) as caught:
        kind(**options)
    assert message in str(caught.value)


def test_a_negative_seed_is_refused() -> None:
    with pytest.raises(SimulationError, match="seed is -1"):
        list(simulate(Shop(customers=1), seed=-1))
