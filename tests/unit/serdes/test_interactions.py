"""What becomes of interactions on the wire, and of a purchase's surroundings."""

import json
from typing import Any

import pytest

from streamer.records.dead_letters import Rejected
from streamer.records.events import CustomerEvent, Profile, Purchase, Rating, Surroundings
from streamer.serdes.events import EventDecoder

COMMON = {"event_id": "e", "customer_id": "c", "occurred_at": "2026-01-02T03:04:05Z"}
PURCHASE = {**COMMON, "type": "purchase", "order_id": "o", "amount": "1", "currency": "USD"}


def decoded(**fields: Any) -> CustomerEvent:
    return EventDecoder().decode(json.dumps({**COMMON, **fields}).encode())


@pytest.mark.parametrize(
    ("rating", "scale", "millionths"),
    [
        (4, 5, 4_000_000),
        (3, 5, 3_000_000),
        (8, 10, 4_000_000),
        (7, 10, 3_500_000),
        (2, 3, 3_333_333),
        (0, 1, 0),
        (1e308, 1e308, 5_000_000),
        (5e-324, 5e-324, 5_000_000),
    ],
)
def test_any_scale_is_brought_to_five(rating: float, scale: float, millionths: int) -> None:
    event = decoded(type="rating", rating=rating, scale=scale)
    assert isinstance(event, Rating)
    assert event.rating == millionths


def test_a_profile_keeps_what_fits() -> None:
    given = {
        "city": "Köln",
        "n" * 65: 1,
        "ü" * 33: 1,
        "long": "x" * 127,
        "fits": "x" * 126,
        "none": None,
        "list": [1, {"b": 2, "a": 1}],
        "digits": 10**4299,
    }
    event = decoded(type="profile", attributes=given)
    assert isinstance(event, Profile)
    assert event.attributes == {
        "city": '"Köln"',
        "fits": '"' + "x" * 126 + '"',
        "none": "null",
        "list": '[1,{"a":1,"b":2}]',
    }


def test_a_plain_purchase_has_no_surroundings() -> None:
    event = decoded(**PURCHASE, channel="", location=None)
    assert isinstance(event, Purchase)
    assert event.surroundings is None
    told = decoded(**PURCHASE, channel="web", experiment={"id": "x", "arm": "a"})
    assert isinstance(told, Purchase)
    assert told.surroundings == Surroundings("web", "", "x", "a")


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({**PURCHASE, "channel": "web"}, "channel"),
        ({**PURCHASE, "location": "Ulm"}, "location"),
        ({**PURCHASE, "experiment": {"id": "x", "arm": "a"}}, "experiment"),
        ({**COMMON, "type": "rating", "rating": 4}, "rating"),
        ({**COMMON, "type": "rating", "rating": 4, "scale": 10}, "scale"),
        ({**COMMON, "type": "share", "network": "mail"}, "network"),
        ({**COMMON, "type": "profile", "attributes": {"a": 1}}, "attributes"),
        ({**COMMON, "type": "experiment", "experiment_id": "x", "arm": "a"}, "arm"),
        (
            {**COMMON, "type": "acquisition_cost", "amount": 1, "currency": "USD", "channel": "tv"},
            "channel",
        ),
    ],
)
@pytest.mark.parametrize("again", ["as it is", "null"])
def test_a_name_twice_is_refused(event: dict[str, Any], name: str, again: str) -> None:
    text = json.dumps(event)
    assert EventDecoder().decode(text.encode()).event_id == "e"
    value = json.dumps(event[name]) if again == "as it is" else "null"
    with pytest.raises(Rejected) as caught:
        EventDecoder().decode(f'{text[:-1]},"{name}":{value}}}'.encode())
    assert (caught.value.reason, caught.value.field) == ("malformed", name)
