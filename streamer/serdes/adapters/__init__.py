"""Other systems' records, as our events: what a shop already sends need not be changed.

- An adapter is a pure function from one foreign JSON value and its headers to events on our wire.
- What it gives is decoded as if it had come from a backend; a fault is told by the foreign field.
- What it knows but nothing is scored of gives no event. Any bytes give events or ``Rejected``.
"""

from collections.abc import Mapping
from typing import NamedTuple

from streamer.records.dead_letters import Rejected
from streamer.records.events import CustomerEvent
from streamer.records.kafka import Record
from streamer.serdes.adapters import segment, shopify
from streamer.serdes.adapters.translation import Adapter, Foreign, Translation, encode
from streamer.serdes.events import EventDecoder

ADAPTERS: Mapping[str, Adapter] = {
    "segment": segment.translate,
    "rudderstack": segment.translate,  # they agree on the e-commerce events
    "shopify": shopify.translate,
}
"""By the names that the setting ``adapters`` gives."""


class Adapted(NamedTuple):
    """What a foreign record comes to."""

    events: list[tuple[bytes, CustomerEvent]]
    """Each as it stands on our wire, and decoded."""
    fault: Rejected | None
    """Of the first event that cannot be; the others count nevertheless."""


def adapt(adapter: Adapter, decoder: EventDecoder, record: Record, latest: int) -> Adapted:
    """Return the events in a foreign ``record``.

    Args:
        adapter: one of ``ADAPTERS``.
        decoder: of the shop's events.
        record: its headers' names may be in any case.
        latest: events behind this instant, microseconds since 1970, lie in the future.
    """
    adapted = Adapted([], None)
    try:
        for translated in adapter(_foreign(decoder, record)):
            try:
                adapted.events.append(_decoded(translated, decoder, latest))
            except Rejected as rejected:
                adapted = adapted._replace(fault=adapted.fault or rejected)
    except Rejected as rejected:
        adapted = adapted._replace(fault=adapted.fault or rejected)
    return adapted


def _foreign(decoder: EventDecoder, record: Record) -> Foreign:
    headers = {name.lower(): (raw or b"").decode(errors="replace") for name, raw in record.headers}
    key = (record.key or b"").decode(errors="replace")
    return Foreign(decoder.plain(record.value), headers, key)


def _decoded(
    translated: Translation | Rejected, decoder: EventDecoder, latest: int
) -> tuple[bytes, CustomerEvent]:
    if isinstance(translated, Rejected):
        raise translated
    value = encode(translated.event)
    try:
        event = decoder.decode(value)
        if event.occurred_at > latest:
            raise Rejected("future", "it is ahead of the clock", "occurred_at")
    except Rejected as rejected:
        field = translated.foreign_field(rejected.field)
        raise Rejected(rejected.reason, rejected.message, field) from None
    return value, event
