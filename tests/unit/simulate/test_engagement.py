"""The rules that follow purchases besides refunds: their shares, their form, their independence."""

from collections import Counter
from datetime import datetime
from typing import Any

import msgspec
import pytest

from streamer.serdes.events import EventDecoder
from streamer.simulate import (
    AcquisitionCosts,
    Erasures,
    Experiments,
    Profiles,
    Ratings,
    Shares,
    Shop,
    SimulationError,
    simulate,
)
from streamer.simulate.events import Event

SHOP = Shop(
    customers=2000,
    days=200.0,
    channels=3,
    locations=5,
    follow_ups=(
        AcquisitionCosts(20.0),
        Ratings(0.3),
        Shares(0.2),
        Profiles(0.6),
        Experiments(0.5),
        Erasures(0.1),
    ),
)


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return list(simulate(SHOP, seed=5))


def of_type(events: list[Event], kind: str) -> list[Event]:
    return [event for event in events if event["type"] == kind]


def assert_share(count: int, total: int, share: float) -> None:
    """Within four standard errors of a binomial share."""
    assert abs(count - total * share) < 4 * (total * share * (1 - share)) ** 0.5


def test_every_event_keeps_the_contract(events: list[Event]) -> None:
    decode = EventDecoder().decode
    assert [decode(msgspec.json.encode(event)).type for event in events] == [
        event["type"] for event in events
    ]
    assert len({event["event_id"] for event in events}) == len(events)


def test_so_many_come_as_was_asked_for(events: list[Event]) -> None:
    counts = Counter(event["type"] for event in events)
    assert counts["acquisition_cost"] == SHOP.customers
    assert_share(counts["profile"], SHOP.customers, 0.6)
    assert_share(counts["experiment"], SHOP.customers, 0.5)
    end = SHOP.days - 30  # ten mean delays
    settled = [
        event
        for event in of_type(events, "purchase")
        if (datetime.fromisoformat(event["occurred_at"]) - SHOP.start).days < end
    ]
    orders = {event["event_id"] for event in settled}
    for kind, share in (("rating", 0.3), ("share", 0.2)):
        answers = {event["event_id"].removesuffix(f"-{kind}") for event in of_type(events, kind)}
        assert_share(len(answers & orders), len(orders), share)


def test_an_acquisition_cost_has_its_mean_and_its_channel(events: list[Event]) -> None:
    costs = [float(event["amount"]) for event in of_type(events, "acquisition_cost")]
    mean = sum(costs) / len(costs)
    assert abs(mean - 20) < 4 * 20 / len(costs) ** 0.5
    home = {event["customer_id"]: event["channel"] for event in of_type(events, "purchase")}
    assert all(
        home[event["customer_id"]] == event["channel"]
        for event in of_type(events, "acquisition_cost")
    )
    assert set(home.values()) == {"channel-0", "channel-1", "channel-2"}


def test_few_customers_are_erased_and_only_after_their_first_purchase(
    events: list[Event],
) -> None:
    bought: set[str] = set()
    for event in events:
        if event["type"] == "purchase":
            bought.add(event["customer_id"])
        assert event["type"] != "erasure" or event["customer_id"] in bought
    erased = Counter(event["customer_id"] for event in of_type(events, "erasure"))
    assert max(erased.values()) == 1
    assert 0.03 * SHOP.customers < len(erased) < 0.1 * SHOP.customers  # some fall behind the end


def test_ratings_are_of_both_scales_and_alike_on_either(events: list[Event]) -> None:
    ratings = of_type(events, "rating")
    tens = [event["rating"] / 2 for event in ratings if event.get("scale") == 10]
    assert_share(len(tens), len(ratings), 0.5)
    low = sum(event["rating"] / event.get("scale", 5) < 0.6 for event in ratings)
    assert_share(low, len(ratings), 0.12)


def test_switched_off_they_leave_the_purchases_as_they_are(events: list[Event]) -> None:
    bare = Shop(customers=SHOP.customers, days=SHOP.days)
    names = ("event_id", "customer_id", "occurred_at", "amount")
    assert [[event[name] for name in names] for event in simulate(bare, seed=5)] == [
        [event[name] for name in names] for event in of_type(events, "purchase")
    ]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (AcquisitionCosts, -1.0, "acquisition_cost is -1.0"),
        (Ratings, 1.5, "rating_rate is 1.5"),
        (Shares, -0.1, "share_rate is -0.1"),
        (Profiles, 2.0, "profile_rate is 2.0"),
        (Experiments, 2.0, "experiment_rate is 2.0"),
    ],
)
def test_impossible_parameters_are_named(kind: Any, value: float, message: str) -> None:
    with pytest.raises(SimulationError) as caught:
        kind(value)
    assert message in str(caught.value)
