"""A CloudEvent, binary or structured, is the event that its bare JSON is."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.dead_letters import Rejected
from streamer.records.kafka import Headers
from streamer.serdes.events import EventDecoder
from tests.support.histories import RATES
from tests.support.schemas import EVENT_TYPES, load

DECODER = EventDecoder("USD", RATES)
ATTRIBUTE_OF = {
    "event_id": "id",
    "type": "type",
    "customer_id": "subject",
    "occurred_at": "time",
    "source": "source",
}
EXAMPLES = [example for kind in EVENT_TYPES for example in load(f"{kind}.json")["examples"]]
EXAMPLES_BY_ID = pytest.mark.parametrize("event", EXAMPLES, ids=[e["event_id"] for e in EXAMPLES])
PREFIXES = st.sampled_from(["", "com.example.", "shop."])
SUFFIXES = st.sampled_from(["", ".v1", ".v12"])


def bare(event: dict[str, Any]) -> Any:
    return DECODER.decode(json.dumps(event).encode())


def attributes(event: dict[str, Any], moved: set[str]) -> dict[str, str]:
    """Return the CloudEvents attributes of the fields in ``moved``."""
    return {"specversion": "1.0"} | {
        attribute: event[field]
        for field, attribute in ATTRIBUTE_OF.items()
        if field in moved and field in event
    }


def binary(
    event: dict[str, Any], moved: set[str], changes: dict[str, str]
) -> tuple[bytes, Headers]:
    data = {name: value for name, value in event.items() if name not in moved}
    told = attributes(event, moved) | changes
    headers = tuple((f"ce_{name}", text.encode()) for name, text in told.items())
    return json.dumps(data).encode(), (("content-type", b"application/json"), *headers)


def structured(event: dict[str, Any], moved: set[str], changes: dict[str, str]) -> bytes:
    data = {name: value for name, value in event.items() if name not in moved}
    return json.dumps({**attributes(event, moved), **changes, "data": data}).encode()


@settings(max_examples=200, deadline=None)
@given(
    event=st.sampled_from(EXAMPLES),
    moved=st.sets(st.sampled_from(sorted(ATTRIBUTE_OF))),
    prefix=PREFIXES,
    suffix=SUFFIXES,
)
def test_both_modes_give_the_bare_event(
    event: dict[str, Any], moved: set[str], prefix: str, suffix: str
) -> None:
    changes = {"type": f"{prefix}{event['type']}{suffix}"} if "type" in moved else {}
    value, headers = binary(event, moved, changes)
    assert DECODER.decode(value, headers) == bare(event)
    assert DECODER.decode(structured(event, moved, changes)) == bare(event)


@EXAMPLES_BY_ID
def test_fields_of_the_data_go_before_attributes(event: dict[str, Any]) -> None:
    others = {"id": "another", "subject": "another", "time": "2020-01-01T00:00:00Z"}
    value, headers = binary(event, set(), others)
    assert DECODER.decode(value, headers) == bare(event)
    assert DECODER.decode(structured(event, set(), others)) == bare(event)


@EXAMPLES_BY_ID
def test_attributes_beyond_ours_are_ignored(event: dict[str, Any]) -> None:
    others = {"dataschema": "https://x", "traceparent": "00-1", "datacontenttype": "text/json"}
    everything = set(ATTRIBUTE_OF)
    value, headers = binary(event, everything, others)
    assert DECODER.decode(value, headers) == bare(event)
    assert DECODER.decode(structured(event, everything, others)) == bare(event)


@pytest.mark.parametrize(
    ("value", "headers", "reason", "field"),
    [
        (b"[]", (("ce_specversion", b"1.0"),), "invalid", "data"),
        (b'"text"', (("ce_specversion", b"1.0"),), "invalid", "data"),
        (b"{", (("ce_specversion", b"1.0"),), "malformed", ""),
        (b"{}", (("ce_specversion", b"1.0"), ("ce_id", b"\xff")), "malformed", ""),
        (b"{}", (("ce_specversion", b"1.0"), ("ce_type", None)), "unknown_type", "type"),
        (b"{}", (("ce_specversion", b"1.0"), ("ce_type", b"a.sale.v1")), "unknown_type", "type"),
        (b"{}", (("ce_specversion", b"1.0"), ("ce_type", b"erasure")), "invalid", "event_id"),
        (b'{"specversion":"1.0"}', (), "invalid", "data"),
        (b'{"specversion":"1.0","data":[]}', (), "invalid", "data"),
        (b'{"specversion":"1.0","data_base64":"e30="}', (), "invalid", "data"),
        (b'{"specversion":"1.0","data":{}}', (), "invalid", "type"),
        (b'{"specversion":"1.0","id":7,"type":"erasure","data":{}}', (), "invalid", "event_id"),
        (b'{"specversion":"1.0","id":"","type":"erasure","data":{}}', (), "invalid", "event_id"),
    ],
)
def test_a_cloud_event_that_is_none_of_ours(
    value: bytes, headers: Headers, reason: str, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        DECODER.decode(value, headers)
    assert (caught.value.reason, caught.value.field) == (reason, field)
