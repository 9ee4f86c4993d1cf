"""A CloudEvent, binary or structured, is the event that its bare JSON is."""

import json
from base64 import b64encode
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


ERASURE = {
    "event_id": "e1",
    "type": "erasure",
    "customer_id": "ann",
    "occurred_at": "2026-01-01T00:00:00Z",
}
PURCHASE = next(example for example in EXAMPLES if example["type"] == "purchase")


@pytest.mark.parametrize("nothing", [None, b"", b"null"])
def test_an_erasure_needs_no_data_in_binary_mode(nothing: bytes | None) -> None:
    _, headers = binary(ERASURE, set(ERASURE), {"type": "com.example.erasure.v1"})
    assert DECODER.decode(nothing, headers) == bare(ERASURE)


def test_an_erasure_needs_no_data_in_structured_mode() -> None:
    envelope = attributes(ERASURE, set(ERASURE))
    for told in (envelope, {**envelope, "data": None}):
        assert DECODER.decode(json.dumps(told).encode()) == bare(ERASURE)


def test_of_others_without_data_the_missing_field_is_told() -> None:
    _, headers = binary(PURCHASE, set(ATTRIBUTE_OF), {})
    envelope = json.dumps(attributes(PURCHASE, set(ATTRIBUTE_OF))).encode()
    for value, told in ((None, headers), (envelope, ())):
        with pytest.raises(Rejected) as caught:
            DECODER.decode(value, told)
        assert (caught.value.reason, caught.value.field) == ("invalid", "order_id")


@EXAMPLES_BY_ID
def test_data_may_stand_in_base64(event: dict[str, Any]) -> None:
    envelope = {"specversion": "1.0", "data_base64": b64encode(json.dumps(event).encode()).decode()}
    assert DECODER.decode(json.dumps(envelope).encode()) == bare(event)


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
        (b"", (("ce_specversion", b"1.0"),), "invalid", "type"),
        (None, (("ce_specversion", b"1.0"), ("ce_type", b"erasure")), "invalid", "event_id"),
        (None, (("ce_id", b"e1"), ("ce_type", b"erasure")), "empty", ""),
        (b'{"specversion":"1.0"}', (), "invalid", "type"),
        (b'{"specversion":"1.0","data":[]}', (), "invalid", "data"),
        (b'{"specversion":"1.0","data_base64":"e30="}', (), "invalid", "type"),
        (b'{"specversion":"1.0","data_base64":"W10="}', (), "invalid", "data"),
        (b'{"specversion":"1.0","data_base64":"e30"}', (), "invalid", "data_base64"),
        (b'{"specversion":"1.0","data_base64":7}', (), "invalid", "data_base64"),
        ('{"specversion":"1.0","data_base64":"é"}'.encode(), (), "invalid", "data_base64"),
        (b'{"specversion":"1.0","data_base64":"/w=="}', (), "malformed", ""),
        (b'{"specversion":"1.0","data_base64":"eyJhIjoxLCJhIjoyfQ=="}', (), "malformed", "a"),
        (b'{"type":"erasure","note":{"specversion":1}}', (), "invalid", "data"),
        (b'{"specversion":"1.0","data":{}}', (), "invalid", "type"),
        (b'{"specversion":"1.0","id":7,"type":"erasure","data":{}}', (), "invalid", "event_id"),
        (b'{"specversion":"1.0","id":"","type":"erasure","data":{}}', (), "invalid", "event_id"),
    ],
)
def test_a_cloud_event_that_is_none_of_ours(
    value: bytes | None, headers: Headers, reason: str, field: str
) -> None:
    with pytest.raises(Rejected) as caught:
        DECODER.decode(value, headers)
    assert (caught.value.reason, caught.value.field) == (reason, field)
