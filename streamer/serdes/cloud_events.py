"""CloudEvents to events: in binary mode, where the attributes are headers, and in structured mode.

``data`` may be left out where the attributes tell all that an event needs, as an erasure's do.
"""

import re
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import msgspec

from streamer.records.dead_letters import Rejected
from streamer.records.kafka import Headers
from streamer.serdes import wire
from streamer.serdes.names import refuse_repeated_names

_decode_any = msgspec.json.Decoder().decode


def is_binary(headers: Headers) -> bool:
    """Return whether ``headers`` are those of a CloudEvent in binary mode."""
    return any(name == "ce_specversion" for name, _ in headers)


def of_binary(value: bytes | None, headers: Headers) -> wire.WireEvent:
    """Return the event whose data is ``value``, if any, and whose attributes are ``headers``.

    Raises:
        Rejected: it is none of ours; or what parsing raises.
    """
    attributes = {
        name[3:]: (raw or b"").decode() for name, raw in headers if name.startswith("ce_")
    }
    return _event(attributes, _parsed(value) if value else None)


def of_structured(envelope: Any) -> wire.WireEvent:
    """Return the event in ``envelope``.

    Raises:
        Rejected: it is none of ours; or what parsing raises.
    """
    if not isinstance(envelope, dict):
        raise Rejected("invalid", "not an object")
    data = envelope.get("data")
    if data is None and (coded := envelope.get("data_base64")) is not None:
        data = _parsed(_bytes(coded))
    return _event(envelope, data)


def _bytes(coded: Any) -> bytes:
    try:
        return b64decode(coded, validate=True)
    except (ValueError, TypeError):
        raise Rejected("invalid", "this is no base64", "data_base64") from None


def _parsed(value: bytes) -> Any:
    refuse_repeated_names(value)
    return _decode_any(value)


def _event(attributes: Mapping[str, Any], data: Any) -> wire.WireEvent:
    """Return the event whose fields are ``data``, and for those it lacks the attributes."""
    if data is None and "specversion" in attributes:
        data = {}
    if not isinstance(data, dict):
        raise Rejected("invalid", "a CloudEvent carries the event as a JSON object", "data")
    attribute_of = {
        "event_id": attributes.get("id"),
        "occurred_at": attributes.get("time"),
        "customer_id": attributes.get("subject"),
        "source": attributes.get("source"),
        "type": _short_type(attributes.get("type")),
    }
    known = {name: value for name, value in attribute_of.items() if value is not None}
    event: wire.WireEvent = msgspec.convert({**known, **data}, wire.WireEvent)
    return event


def _short_type(name: Any) -> Any:
    """Return ``purchase`` of ``com.example.purchase.v1``."""
    if not isinstance(name, str):
        return name
    parts = [part for part in name.split(".") if not re.fullmatch(r"v\d+", part)]
    return parts[-1] if parts else name
