"""Events of the customer's engagement, from the wire's fields to records."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    AcquisitionCost,
    CustomerEvent,
    Exposure,
    Profile,
    Rating,
    Share,
    Surroundings,
)
from streamer.serdes import wire
from streamer.state.engagement import ATTRIBUTE_BYTES_MAX, ATTRIBUTE_NAME_BYTES_MAX

if TYPE_CHECKING:
    from streamer.serdes.events import EventDecoder

RATING_MAX = 5_000_000
"""Five, in millionths: all ratings are brought to this scale."""


def surroundings(event: wire.WirePurchase) -> Surroundings | None:
    """Return where a purchase was made; None, the quick case, where nothing of it is told."""
    channel, location, arm = event.channel or "", event.location or "", event.experiment
    if arm is not None:
        return Surroundings(channel, location, arm.id, arm.arm)
    return Surroundings(channel, location) if channel or location else None


def _acquisition_cost(
    decoder: "EventDecoder", event: wire.WireAcquisitionCost, occurred_at: int
) -> AcquisitionCost:
    amount = decoder.money(event.amount, event.currency, "amount")
    return AcquisitionCost(
        event.event_id, event.customer_id, occurred_at, amount, event.channel or ""
    )


def _rating(_: "EventDecoder", event: wire.WireRating, occurred_at: int) -> Rating:
    if event.rating > event.scale:
        raise Rejected("invalid", "a rating is at most its scale", "rating")
    rating = round(event.rating / event.scale * RATING_MAX)
    product_id, category = event.product_id or "", event.category or ""
    return Rating(event.event_id, event.customer_id, occurred_at, rating, product_id, category)


def _share(_: "EventDecoder", event: wire.WireShare, occurred_at: int) -> Share:
    return Share(event.event_id, event.customer_id, occurred_at)


def _profile(_: "EventDecoder", event: wire.WireProfile, occurred_at: int) -> Profile:
    attributes = {}
    for name, value in event.attributes.items():
        text = _as_json(value)
        if len(name.encode()) <= ATTRIBUTE_NAME_BYTES_MAX and text is not None:
            attributes[name] = text
    return Profile(event.event_id, event.customer_id, occurred_at, attributes)


def _as_json(value: Any) -> str | None:
    """Return ``value`` in the one form to compare and to keep; None if it is too long for that."""
    try:
        text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    except ValueError:  # an integer of thousands of digits
        return None
    return text if len(text.encode()) <= ATTRIBUTE_BYTES_MAX else None


def _exposure(_: "EventDecoder", event: wire.WireExperiment, occurred_at: int) -> Exposure:
    return Exposure(event.event_id, event.customer_id, occurred_at, event.experiment_id, event.arm)


CONVERSIONS: dict[type, Callable[["EventDecoder", Any, int], CustomerEvent]] = {
    wire.WireAcquisitionCost: _acquisition_cost,
    wire.WireRating: _rating,
    wire.WireShare: _share,
    wire.WireProfile: _profile,
    wire.WireExperiment: _exposure,
}
