from collections import Counter
from collections.abc import Iterable

import msgspec
import pytest

from streamer.records.dead_letters import Reason, Rejected
from streamer.serdes.events import EventDecoder
from streamer.simulate import (
    Disturbances,
    Refunds,
    Shop,
    SimulationError,
    WireValue,
    disturb,
    simulate,
)
from streamer.simulate.disturbances import WAYS
from streamer.simulate.events import Event

DAY = 86_400_000_000


@pytest.fixture(scope="module")
def events() -> list[Event]:
    shop = Shop(customers=2000, days=100.0, referral_rate=0.5, follow_ups=(Refunds(0.5),))
    return list(simulate(shop, seed=3))


def verdict(value: bytes) -> Reason | None:
    try:
        EventDecoder().decode(value)
    except Rejected as rejected:
        return rejected.reason
    return None


def good(values: Iterable[WireValue]) -> list[bytes]:
    return [value.value for value in values if value.reason is None and not value.is_repeat]


def test_nothing_disturbed_is_the_events_as_they_are(events: list[Event]) -> None:
    values = list(disturb(events, Disturbances(), seed=1))
    assert [value.value for value in values] == [msgspec.json.encode(event) for event in events]
    assert [(value.customer_id, value.type) for value in values] == [
        (event["customer_id"], event["type"]) for event in events
    ]


def test_each_broken_event_meets_the_reason_given_beside_it(events: list[Event]) -> None:
    values = list(disturb(events, Disturbances(poison_rate=0.5), seed=1))
    assert [verdict(value.value) for value in values] == [value.reason for value in values]
    reasons = Counter(value.reason for value in values if value.reason)
    assert reasons.keys() == {reason for _, reason, _ in WAYS}
    broken = sum(reasons.values())
    assert abs(broken - len(events) / 2) < 4 * (len(events) / 4) ** 0.5
    assert good(values) == [msgspec.json.encode(event) for event in events]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: f"{way[0]}-{way[1]}-{way[2].__name__}")
def test_each_way_breaks_every_type_it_fits(
    events: list[Event], way: tuple[str, Reason, object]
) -> None:
    field, reason, spoil = way
    assert callable(spoil)
    by_type = {event["type"]: event for event in events if field in event}
    assert by_type
    for event in by_type.values():
        broken = spoil(event, field)
        assert verdict(broken) == reason
        assert b"\n" not in broken


def test_repeats_are_the_same_bytes(events: list[Event]) -> None:
    values = list(disturb(events, Disturbances(duplicate_rate=0.3, shuffle_days=1.0), seed=1))
    repeats = [value.value for value in values if value.is_repeat]
    assert set(repeats) <= set(good(values))
    assert abs(len(repeats) - len(events) * 0.3) < 4 * (len(events) * 0.21) ** 0.5


def test_shuffled_events_stay_within_the_window(events: list[Event]) -> None:
    values = good(disturb(events, Disturbances(shuffle_days=3.0), seed=1))
    assert sorted(values) == sorted(msgspec.json.encode(event) for event in events)
    instants = [EventDecoder().decode(value).occurred_at for value in values]
    assert instants != sorted(instants)
    latest, behind = 0, 0
    for instant in instants:
        latest = max(latest, instant)
        behind = max(behind, latest - instant)
    assert DAY < behind <= 3 * DAY


def test_disturbances_leave_each_other_alone(events: list[Event]) -> None:
    alone = list(disturb(events, Disturbances(poison_rate=0.2), seed=1))
    both = list(disturb(events, Disturbances(poison_rate=0.2, duplicate_rate=0.2), seed=1))
    assert [value for value in both if not value.is_repeat] == alone


@pytest.mark.parametrize(
    "options", [{"poison_rate": 2.0}, {"duplicate_rate": -1.0}, {"shuffle_days": -1.0}]
)
def test_impossible_disturbances_are_named(options: dict[str, float]) -> None:
    (name,) = options
    with pytest.raises(SimulationError, match=name):
        Disturbances(**options)
