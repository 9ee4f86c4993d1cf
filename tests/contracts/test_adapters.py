"""What other systems send, in the shapes that they document, through the whole pipeline."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.engine.topics import TOPICS, topics_of
from streamer.pipeline import Configuration
from streamer.records.kafka import DEAD_LETTERS, REKEYED, TOPIC_NAMES, FileRecord, Headers
from streamer.serdes.adapters import ADAPTERS, adapt
from streamer.serdes.events import EventDecoder
from streamer.settings import ConfigurationError, load_settings
from tests.support.cluster import Cluster

SAMPLES = Path(__file__).parent / "adapters"
NAMES = sorted(file.stem for file in SAMPLES.glob("*.json"))
NEVER_FUTURE = 2**62
ORDER, CUSTOMER = "820982911946154508", "115310627314723954"


def sample(name: str, **changes: Any) -> bytes:
    value = json.loads((SAMPLES / f"{name}.json").read_text(), parse_float=Decimal)
    return json.dumps({**value, **changes}, default=float).encode()


def shopify(topic: str, event_id: str = "b54557e4-bdd9-4b37-8a5f-bf7d70bcd043") -> Headers:
    return ("X-Shopify-Topic", topic.encode()), ("x-shopify-event-id", event_id.encode())


def shop() -> Cluster:
    return Cluster(
        Configuration(
            EventDecoder(rates={"CAD": Decimal("0.5")}),
            partitions=3,
            adapters={"segment": "segment", "rudder": "rudderstack", "shopify": "shopify"},
        )
    )


def sums(cluster: Cluster) -> dict[str, tuple[int, Decimal, Decimal]]:
    """Return orders, revenue and refunds of each customer."""
    return {
        customer: (row.orders, Decimal(row.revenue) / 10**6, Decimal(row.refunded) / 10**6)
        for customer, row in cluster.rows().items()
    }


def headers_of(record: FileRecord) -> dict[str, str]:
    return {name: (raw or b"").decode() for name, raw in record.headers}


def refusals(cluster: Cluster) -> list[tuple[str, str]]:
    """Return reason and field of each dead letter."""
    told = map(headers_of, cluster.log(DEAD_LETTERS))
    return [(one["streamer.error.reason"], one["streamer.error.field"]) for one in told]


def segment_year(cluster: Cluster, copies: int = 1) -> None:
    for name in NAMES * copies:
        if not name.startswith("shopify"):
            topic = "rudder" if name.startswith("rudder") else "segment"
            cluster.produce(topic, 1, sample(name), headers=(("ce_specversion", b"1.0"),))


@pytest.mark.parametrize("copies", [1, 2])
def test_segments_calls_are_counted_once_and_to_the_cent(copies: int) -> None:
    cluster = shop()
    segment_year(cluster, copies)
    cluster.settle()
    assert sums(cluster) == {
        "AiUGstSDIg": (2, Decimal("27.6"), Decimal("19.1")),
        "019mr8mf4r": (1, Decimal("0.3"), Decimal(0)),
    }
    assert not refusals(cluster)
    rows = cluster.rows()
    purchases = [json.loads(record.value or b"") for record in cluster.log(REKEYED)]
    monopoly = next(one for one in purchases if one["event_id"].startswith("ajs-f8"))
    assert [item["quantity"] for item in monopoly["items"]] == [1, 2]
    assert (monopoly["amount"], monopoly["channel"]) == ("27.5", "newsletter")
    engagement = rows["AiUGstSDIg"].engagement
    assert engagement is not None
    assert cluster.counts["adapted"] == 5 * copies


def shopify_story(cluster: Cluster) -> None:
    create, paid, updated = (shopify(f"orders/{name}", name) for name in ("create", "paid", "u"))
    for headers in (create, create, paid, shopify("orders/updated", "other")):
        cluster.produce("shopify", 0, sample("shopify_orders_create"), headers=headers)
    refund = json.loads(sample("shopify_refunds_create"))
    told = {"refunds": [refund], "updated_at": refund["created_at"]}
    cluster.produce("shopify", 1, sample("shopify_orders_create", **told), headers=updated)
    key = CUSTOMER.encode()
    cluster.produce(
        "shopify", 2, sample("shopify_refunds_create"), key, shopify("refunds/create", "r")
    )
    # Long after, an update of the same order tells the refund again.
    late = {"refunds": [refund], "updated_at": "2026-09-01T00:00:00Z"}
    late_headers = shopify("orders/fulfilled", "f")
    cluster.produce("shopify", 1, sample("shopify_orders_create", **late), headers=late_headers)


def test_shopifys_orders_and_refunds_are_counted_once_and_to_the_cent() -> None:
    cluster = shop()
    shopify_story(cluster)
    cluster.settle()
    assert sums(cluster) == {CUSTOMER: (1, Decimal("398.1"), Decimal(199))}
    assert not refusals(cluster)
    purchase = json.loads(cluster.log(REKEYED)[0].value or b"")
    assert purchase["event_id"] == "create"
    assert purchase["order_id"] == ORDER
    assert purchase["items"] == [{"product_id": "632910392", "quantity": 2, "price": "199.00"}]
    score = next(cluster.scores("ltv-updates"))
    assert score["cause"]["topic"] == "shopify"


def test_a_refund_without_a_customer_counts_once_its_customer_is_added() -> None:
    """By whoever forwards webhooks, or by `dlq replay --edit`; told by the order too, it is one."""
    cluster = shop()
    cluster.produce("shopify", 0, sample("shopify_orders_create"), headers=shopify("orders/create"))
    bare = sample("shopify_refunds_create")
    for key in (None, b"820982911946154508", b"890088186047892319"):  # its order's id, and its own
        cluster.produce("shopify", 1, bare, key, shopify("refunds/create", "r"))
    cluster.settle()
    assert refusals(cluster) == [("invalid", "customer.id")] * 3
    assert sums(cluster)[CUSTOMER][2] == 0
    added = sample("shopify_refunds_create", customer={"id": int(CUSTOMER)})
    cluster.produce("shopify", 2, added, None, shopify("refunds/create", "r"))
    refund = json.loads(bare)
    told = {"refunds": [refund], "updated_at": refund["created_at"]}
    updated = sample("shopify_orders_create", **told)
    cluster.produce("shopify", 1, updated, headers=shopify("orders/updated", "u"))
    cluster.settle()
    assert sums(cluster) == {CUSTOMER: (1, Decimal("398.1"), Decimal(199))}
    assert len(refusals(cluster)) == 3


def test_what_shopify_sends_as_a_test_is_skipped() -> None:
    cluster = shop()
    value = sample("shopify_orders_create", test=True)
    cluster.produce("shopify", 0, value, headers=shopify("orders/create"))
    cluster.produce("shopify", 0, b'{"id": 1}', headers=shopify("products/update"))
    cluster.settle()
    assert (sums(cluster), refusals(cluster), cluster.counts["ignored"]) == ({}, [], 2)


@pytest.mark.parametrize(
    ("status", "refunded"), [("voided", "398.1"), ("pending", "398.1"), ("refunded", "0")]
)
def test_a_cancelled_order_that_was_never_paid_is_taken_back(status: str, refunded: str) -> None:
    cluster = shop()
    created = sample("shopify_orders_create")
    cluster.produce("shopify", 0, created, headers=shopify("orders/create", "one"))
    cancelled = sample(
        "shopify_orders_create", financial_status=status, cancelled_at="2026-03-02T00:00:00Z"
    )
    cluster.produce("shopify", 0, cancelled, headers=shopify("orders/cancelled", "two"))
    cluster.settle()
    assert sums(cluster) == {CUSTOMER: (1, Decimal("398.1"), Decimal(refunded))}


@pytest.mark.parametrize(
    ("topic", "value", "headers", "field"),
    [
        ("segment", sample("segment_order_completed", userId=None), (), "userId"),
        ("segment", sample("segment_order_completed", messageId=""), (), "messageId"),
        (
            "segment",
            sample("segment_order_refunded", properties={"order_id": "o", "total": -3}),
            (),
            "properties.total",
        ),
        (
            "segment",
            sample(
                "segment_order_completed",
                properties={"order_id": 7, "total": 1, "products": [{"sku": "s", "price": "x"}]},
            ),
            (),
            "properties.products[0].price",
        ),
        ("segment", sample("segment_product_reviewed", properties=[]), (), "properties"),
        (
            "segment",
            sample("segment_product_reviewed", properties={"rating": 6}),
            (),
            "properties.rating",
        ),
        ("shopify", sample("shopify_orders_create"), (), "X-Shopify-Topic"),
        (
            "shopify",
            sample("shopify_orders_create", customer=None),
            shopify("orders/create"),
            "customer.id",
        ),
        (
            "shopify",
            sample("shopify_orders_create", total_price="1,000.00"),
            shopify("orders/create"),
            "total_price",
        ),
        (
            "shopify",
            sample("shopify_refunds_create"),
            shopify("refunds/create"),
            "customer.id",
        ),
    ],
)
def test_a_fault_is_told_by_the_foreign_field(
    topic: str, value: bytes, headers: Headers, field: str
) -> None:
    cluster = shop()
    record = cluster.produce(topic, 2, value, b"as it was", headers)
    cluster.settle()
    assert refusals(cluster) == [("invalid", field)]
    (letter,) = cluster.log(DEAD_LETTERS)
    assert (letter.key, letter.value, letter.partition) == (record.key, record.value, 2)
    assert headers_of(letter)["streamer.error.topic"] == topic


def test_what_is_good_in_a_batch_counts_though_one_call_is_at_fault() -> None:
    cluster = shop()
    batch = json.loads(sample("segment_batch"))
    batch["batch"][2]["properties"]["revenue"] = "much"
    cluster.produce("segment", 0, json.dumps(batch).encode())
    cluster.settle()
    assert refusals(cluster) == [("invalid", "batch[2].properties.revenue")]
    assert sums(cluster)["AiUGstSDIg"][1] == Decimal("0.1")
    # Corrected and replayed, what counted before is a duplicate.
    cluster.produce("segment", 0, sample("segment_batch"))
    cluster.settle()
    assert sums(cluster)["AiUGstSDIg"][1] == Decimal("0.1")
    assert sums(cluster)["019mr8mf4r"][1] == Decimal("0.3")


@pytest.mark.parametrize("text", ["1234567890.123456", "0.000001", "123456789012345678", "7e2"])
def test_no_digit_of_an_amount_is_lost(text: str) -> None:
    value = sample("segment_order_refunded").replace(b"19.0", text.encode())
    record = FileRecord("segment", 0, 0, 0, None, value)
    events, fault = adapt(ADAPTERS["segment"], EventDecoder(), record, NEVER_FUTURE)
    if Decimal(text) >= 10**12:
        assert fault is not None
    else:
        assert Decimal(json.loads(events[0][0])["amount"]) == Decimal(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "event", "properties", "batch", "userId", "products", "traits", "customer",
             "refunds", "transactions", "line_items", "id", "total", "amount", "created_at",
             "refund_line_items", "line_item", "discount_codes", "updated_at"]
        ),
        inner | st.sampled_from(["track", "identify", "Order Completed", "refund", "success"]),
        max_size=6,
    ),
    max_leaves=12,
)  # fmt: skip


@given(
    value=JSON,
    name=st.sampled_from(sorted(ADAPTERS)),
    topic=st.sampled_from(["orders/create", "orders/paid", "orders/cancelled", "refunds/create"]),
)
def test_any_json_gives_events_or_a_fault(value: Any, name: str, topic: str) -> None:
    raw = json.dumps(value).encode()
    record = FileRecord("t", 0, 0, 0, None, raw, shopify(topic))
    adapted = adapt(ADAPTERS[name], EventDecoder(), record, NEVER_FUTURE)
    for wire, event in adapted.events:
        assert EventDecoder().decode(wire) == event


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of all that is in ``value``."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [*([path] if path else []), *(p for k, one in inner for p in places(one, (*path, k)))]


ODD = JSON | st.sampled_from(
    [{}, [], [[]], {"a": []}, "", "x" * 300, -1, 1e308, 10**40, True, "1e999999999", "NaN"]
)


@given(data=st.data(), name=st.sampled_from(NAMES), odd=ODD)
def test_a_call_with_one_odd_value_gives_events_or_a_fault(
    data: st.DataObject, name: str, odd: Any
) -> None:
    value = json.loads(sample(name))
    *above, last = data.draw(st.sampled_from(places(value)))
    target = value
    for step in above:
        target = target[step]
    target[last] = odd
    topic = name.partition("_")[2].replace("_", "/")
    record = FileRecord("t", 0, 0, 0, b"7", json.dumps(value).encode(), shopify(topic))
    adapted = adapt(ADAPTERS[name.partition("_")[0]], EventDecoder(), record, NEVER_FUTURE)
    for wire, event in adapted.events:
        assert EventDecoder().decode(wire) == event


def test_numbers_of_thousands_of_digits_are_a_fault() -> None:
    for digits in ("9" * 5000, "1." + "9" * 5000, "1e" + "9" * 50):
        for name, topic in (
            ("shopify_orders_create", "orders/create"),
            ("shopify_refunds_create", "refunds/create"),
        ):
            value = json.loads(sample(name))
            value["id"] = value["total_price"] = "HERE"
            for one in value.get("transactions", []):
                one["amount"] = "HERE"
            raw = json.dumps(value).replace('"HERE"', digits).encode()
            record = FileRecord("t", 0, 0, 0, b"7", raw, shopify(topic))
            assert adapt(ADAPTERS["shopify"], EventDecoder(), record, NEVER_FUTURE).fault


@given(value=st.binary(max_size=40))
def test_any_bytes_give_events_or_a_fault(value: bytes) -> None:
    record = FileRecord("t", 0, 0, 0, None, value, shopify("orders/create"))
    for adapter in ADAPTERS.values():
        adapt(adapter, EventDecoder(), record, NEVER_FUTURE)


def test_an_adapters_topic_is_made_beside_the_others_and_is_none_of_them() -> None:
    settings = load_settings(adapters={"webhooks": "shopify"})
    assert set(topics_of(settings)) - set(TOPICS) == {"webhooks"}
    assert set(TOPIC_NAMES) == set(TOPICS)
    for wrong in ({"purchases": "shopify"}, {"webhooks": "magento"}):
        with pytest.raises(ConfigurationError):
            load_settings(adapters=wrong)
