from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from streamer.files import cdnow_sample, read_events
from streamer.records.events import Referral
from streamer.serdes.events import EventDecoder
from streamer.simulate import SimulationError, referral_overlay

START = datetime(1997, 1, 1, tzinfo=UTC)


def cdnow_first_purchases() -> dict[str, datetime]:
    first: dict[str, datetime] = {}
    for event in read_events(str(cdnow_sample())):
        first.setdefault(event["customer_id"], datetime.fromisoformat(event["occurred_at"]))
    return first


def test_an_overlay_on_cdnow_is_labelled_and_in_order() -> None:
    first = cdnow_first_purchases()
    events = list(referral_overlay(first, seed=1, rate=0.25))
    assert {event["source"] for event in events} == {"simulated-referral-overlay"}
    decoded = [EventDecoder().decode(msgspec.json.encode(event)) for event in events]
    assert all(isinstance(event, Referral) and event.joined for event in decoded)
    times = [event["occurred_at"] for event in events]
    assert times == sorted(times)
    # Nobody bought before those of the first day, so they cannot have been brought.
    known = sum(moment > min(first.values()) for moment in first.values())
    assert abs(len(events) - known * 0.25) < 4 * (known * 0.1875) ** 0.5
    for event in events:
        at = datetime.fromisoformat(event["occurred_at"])
        assert first[event["customer_id"]] <= at < first[event["referred_customer_id"]]


def test_the_order_of_the_customers_does_not_matter() -> None:
    first = {f"c{n}": START + timedelta(hours=n % 7) for n in range(50)}
    turned = dict(reversed(first.items()))
    events = list(referral_overlay(first, seed=1, rate=0.5))
    assert list(referral_overlay(turned, seed=1, rate=0.5)) == events
    assert list(referral_overlay(first, seed=2, rate=0.5)) != events


@pytest.mark.parametrize("customers", [0, 1])
def test_too_few_customers_bring_nobody(customers: int) -> None:
    first = {f"c{n}": START for n in range(customers)}
    assert list(referral_overlay(first, seed=1, rate=1.0)) == []


def test_customers_who_came_at_once_brought_nobody() -> None:
    assert list(referral_overlay({"a": START, "b": START}, seed=1, rate=1.0)) == []


def test_an_impossible_rate_is_named() -> None:
    with pytest.raises(SimulationError, match="referral_rate is 2"):
        list(referral_overlay({"a": START}, seed=1, rate=2.0))
