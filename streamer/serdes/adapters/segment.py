"""Segment and RudderStack: ``track`` calls of their e-commerce specification, and ``identify``.

- A record is one call, or an object with a ``batch`` of them.
- Names of events are matched trimmed and in any case; of other events nothing is scored.
- The customer is ``userId``: a visitor who is not known by one cannot be told from others.
- A currency that is not told is US dollars, as their specification says.
"""

from collections.abc import Callable, Iterable, Iterator

from streamer.records.dead_letters import Rejected
from streamer.serdes.adapters.translation import (
    Fields,
    Foreign,
    Translation,
    identifier,
    money,
    number,
    text,
)

CURRENCY = "USD"
ATTRIBUTES_MAX = 100
"""Of a profile: of more traits the first are taken."""

_ITEM = {
    "product_id": (("product_id", "sku", "productId"), identifier),
    "category": (("category",), text),
    "quantity": (("quantity",), number),
    "price": (("price",), money),
}


def translate(foreign: Foreign) -> Iterable[Translation | Rejected]:
    """Give the events of a call, or of a batch of calls."""
    record = Fields(foreign.value)
    calls = record.each("batch") if record.get("batch") is not None else [record]
    return filter(None, map(_translated, calls))


def _translated(call: Fields) -> Translation | Rejected | None:
    try:
        if call.get("type") == "identify":
            return _identify(call)
        name = call.get("event")
        if call.get("type") != "track" or not isinstance(name, str):
            return None
        make = _EVENTS.get(name.strip().casefold())
        return None if make is None else make(call, call.inner("properties"))
    except Rejected as rejected:
        return rejected


def _common(type_: str, call: Fields) -> Translation:
    told = Translation(type_)
    told.take("event_id", call, "messageId")
    told.take("customer_id", call, "userId", by=identifier)
    # `timestamp` is corrected by the server for a wrong clock; the others are for want of it.
    told.take("occurred_at", call, "timestamp", "originalTimestamp", "sentAt")
    return told


def _order(type_: str, call: Fields, properties: Fields) -> Translation:
    told = _common(type_, call)
    told.take("order_id", properties, "order_id", "orderId", by=identifier)
    told.take("amount", properties, "total", "revenue", by=money)
    told.set("currency", CURRENCY, properties.named("currency"))
    if properties.get("currency"):
        told.take("currency", properties, "currency")
    told.take_items(properties.each("products"), _ITEM)
    return told


def _completed(call: Fields, properties: Fields) -> Translation:
    told = _order("purchase", call, properties)
    for name in ("subtotal", "tax", "shipping", "discount"):
        told.take(name, properties, name, by=money)
    told.take("coupon", properties, "coupon", by=text)
    campaign = call.inner("context").inner("campaign")
    told.take("channel", campaign, "source", by=text)
    return told


def _refunded(call: Fields, properties: Fields) -> Translation:
    told = _order("refund", call, properties)
    told.take("refund_id", call, "messageId")
    return told


def _reviewed(call: Fields, properties: Fields) -> Translation:
    told = _common("rating", call)
    told.take("rating", properties, "rating", by=number)
    told.take("product_id", properties, "product_id", "productId", by=identifier)
    told.take("category", properties, "category", by=text)
    return told


def _identify(call: Fields) -> Translation | None:
    if not call.get("userId"):
        return None  # an anonymous visitor's traits are nobody's
    told = _common("profile", call)
    traits = call.inner("traits")
    told.set("attributes", dict(_first(traits)), traits.path)
    return told


def _first(traits: Fields) -> Iterator[tuple[str, object]]:
    names = [name for name in traits if len(name) <= 256]  # noqa: PLR2004 - of an attribute's name
    return ((name, traits.get(name)) for name in names[:ATTRIBUTES_MAX])


_EVENTS: dict[str, Callable[[Fields, Fields], Translation]] = {
    "order completed": _completed,
    "order refunded": _refunded,
    "order cancelled": _refunded,
    "product reviewed": _reviewed,
}
