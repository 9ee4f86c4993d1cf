"""Whatever stands in a record, it becomes an event or a dead letter, never an exception."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Partition
from streamer.records.dead_letters import REASONS, Rejected
from streamer.records.events import CustomerEvent
from streamer.records.kafka import DEAD_LETTERS, SOURCE_TOPICS, FileRecord, Headers
from streamer.serdes.events import EventDecoder
from tests.support.cluster import NOW, processed
from tests.support.histories import configuration

NAMES = [
    "event_id",
    "type",
    "schema_version",
    "customer_id",
    "occurred_at",
    "source",
    "order_id",
    "amount",
    "currency",
    "cost",
    "items",
    "product_id",
    "quantity",
    "price",
    "refund_id",
    "referred_customer_id",
    "status",
    "rating",
    "scale",
    "network",
    "attributes",
    "experiment",
    "experiment_id",
    "id",
    "arm",
    "specversion",
    "data",
    "time",
    "subject",
    "kind",
    "referrer",
    "joined",
    "revenue",
    "orders",
    "customers",
    "events",
    "checkout_seconds",
    "due_at",
]
TYPES = [
    "purchase",
    "refund",
    "payment",
    "referral",
    "rating",
    "share",
    "acquisition_cost",
    "profile",
    "experiment",
    "erasure",
    "com.shop.purchase.v1",
    "Purchase",
    "link",
    "credit",
]
HEADER_NAMES = [
    "ce_specversion",
    "ce_id",
    "ce_type",
    "ce_time",
    "ce_subject",
    "ce_source",
    "content-type",
    "streamer.origin",
    "streamer.error.attempt",
    "streamer.error.reason",
    "traceparent",
]
TEXTS = ["c-1", "", "x" * 129, "12.34", "1e5", "-1", "USD", "EUR", "XXX", "joined", "1.0", "\x00"]
TEXTS += ["2026-01-02T03:04:05Z", "9999-12-31T23:59:59-23:59", "1969-12-31T00:00:00Z", *TYPES]


def values() -> st.SearchStrategy[Any]:
    """JSON values that come near what events hold."""
    leaves = (
        st.sampled_from(TEXTS)
        | st.text(max_size=8)
        | st.integers()
        | st.floats()
        | st.sampled_from([None, True, False, 10**400, 1, 0])
    )
    names = st.sampled_from(NAMES) | st.text(max_size=5)
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
        max_leaves=8,
    )


def near_events() -> st.SearchStrategy[dict[str, Any]]:
    """Purchases and messages between rows, with some fields replaced, added or missing."""
    purchase = {
        "event_id": "e",
        "type": "purchase",
        "customer_id": "c-1",
        "occurred_at": "2026-01-02T03:04:05Z",
        "order_id": "o",
        "amount": "12.34",
        "currency": "USD",
    }
    credit = {
        "kind": "credit",
        "event_id": "e",
        "customer_id": "c-1",
        "occurred_at": 1,
        "referred_customer_id": "c-2",
        "revenue": 1,
        "orders": 1,
        "customers": 1,
        "events": 1,
    }
    changes = st.dictionaries(st.sampled_from(NAMES), values(), max_size=3)
    dropped = st.sets(st.sampled_from(NAMES), max_size=1)
    return st.builds(
        lambda event, changed, gone: {
            k: v for k, v in {**event, **changed}.items() if k not in gone
        },
        st.sampled_from([purchase, credit]),
        changes,
        dropped,
    )


def payloads() -> st.SearchStrategy[bytes | None]:
    """Record values, from noise to nearly right, some of them cut or with a byte changed."""
    documents = (near_events() | values()).map(json.dumps)
    repeated = st.lists(st.tuples(st.sampled_from(NAMES), values()), min_size=2, max_size=4).map(
        lambda pairs: "{" + ",".join(f"{json.dumps(k)}:{json.dumps(v)}" for k, v in pairs) + "}"
    )
    texts = documents | repeated
    spoilt = st.builds(
        lambda text, place, byte: (
            (raw := text.encode())[: place % (len(raw) + 1)] + byte + raw[place % (len(raw) + 1) :]
        ),
        texts,
        st.integers(0, 300),
        st.sampled_from([b"\x00", b"\xff", b"{", b"\\ud800", b'"', b"\xed\xa0\x80", b""]),
    )
    cut = st.builds(lambda text, place: text.encode()[:place], texts, st.integers(0, 200))
    return st.none() | st.binary(max_size=40) | texts.map(str.encode) | spoilt | cut


def headers() -> st.SearchStrategy[Headers]:
    """Headers as a broker hands them on: a value may be null or no UTF-8."""
    known = st.sampled_from([text.encode() for text in TEXTS] + [b"purchases/0/1", b"9" * 5000])
    header = st.tuples(
        st.sampled_from(HEADER_NAMES) | st.text(max_size=5), known | st.binary(max_size=6)
    )
    null: st.SearchStrategy[Any] = st.tuples(st.sampled_from(HEADER_NAMES), st.none())
    return st.lists(header | header | null, max_size=5).map(tuple)


@settings(max_examples=400, deadline=None)
@given(payloads(), headers())
def test_decoding_gives_an_event_or_a_verdict(value: bytes | None, given_headers: Headers) -> None:
    event = decoded(value, given_headers)
    if isinstance(event, Rejected):
        assert event.reason in REASONS
        assert event.message
        return
    assert isinstance(event, CustomerEvent)
    assert 1 <= len(event.customer_id) <= 128
    assert 1 <= len(event.event_id) <= 128
    assert event.occurred_at >= 0


def decoded(value: bytes | None, given_headers: Headers) -> CustomerEvent | Rejected:
    try:
        return EventDecoder(bytes_max=2000).decode(value, given_headers)
    except Rejected as rejected:
        return rejected


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(SOURCE_TOPICS),
            st.sampled_from([None, b"", b"c-1", b"c-2", b"\xff"]),
            payloads(),
            headers(),
        ),
        min_size=1,
        max_size=4,
    ),
    st.booleans(),
)
def test_a_partition_takes_any_record(
    given_records: list[tuple[str, bytes | None, bytes | None, Headers]], every_event: bool
) -> None:
    partition = Partition(0, configuration(partitions=2, every_event=every_event))
    for offset, (topic, key, value, record_headers) in enumerate(given_records):
        record = FileRecord(topic, 0, offset, 0, key, value, record_headers)
        unit = processed(partition, [record], NOW)
        partition.commit(unit)
        fates = ("events", "duplicates", "replayed", "rekeyed", "erased", "erasures")
        assert sum(unit.counts[fate] for fate in fates) + unit.refused.total() == 1
        letters = unit.messages.get((DEAD_LETTERS, 0), [])
        assert len(letters) == unit.refused.total()
        for letter in letters:
            assert (letter.key, letter.value) == (key, value)
    assert b"" not in (customer.encode() for customer in partition.rows)
