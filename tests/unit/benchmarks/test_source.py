import orjson

from benchmarks.plan import Plan
from benchmarks.source import all_customers_first, placed, purchases
from streamer.records.partitioning import partition_of


def test_each_purchase_stands_where_its_customer_lives() -> None:
    records = list(purchases(Plan(events=1_000, customers=50, partitions=4)))
    assert len(records) == 1_000
    assert {record.partition for record in records} == {0, 1, 2, 3}
    for partition, key, value in records:
        assert key.decode() == orjson.loads(value)["customer_id"]
        assert partition == partition_of(key, 4)


def test_skewed_customers_differ() -> None:
    keys = [record.key for record in purchases(Plan(events=1_000, customers=50, skew=1.0))]
    assert keys.count(b"c0000000") > 5 * keys.count(b"c0000040")


def test_each_customer_comes_first_once_where_scale_is_measured() -> None:
    records = list(all_customers_first(Plan(events=30), 20))
    assert [record.key for record in records[:20]] == [b"c%07d" % n for n in range(20)]
    assert len(records) == 50
    events = [orjson.loads(record.value) for record in records]
    assert len({event["event_id"] for event in events}) == 50
    assert {event["customer_id"] for event in events} == {f"c{n:07d}" for n in range(20)}


def test_a_purchase_keeps_its_bytes() -> None:
    value = b'{"event_id":"1","customer_id":"anna","amount":"1"}'
    assert list(placed([value], 1)) == [(0, b"anna", value)]
