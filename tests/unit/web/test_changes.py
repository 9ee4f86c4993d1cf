"""What a listener hears of the records that pass, and where its ids say that it is."""

import json
from typing import Any

from aiokafka import TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from streamer.records.kafka import FileRecord
from streamer.settings import Settings
from streamer.web.changes import Changes
from streamer.web.cursors import CHARS_MAX, cursor_of, positions_of
from streamer.web.listeners import WAITING_MAX, Filter, Subscription

TPS = [TopicPartition(topic, number) for topic in ("a", "b") for number in range(3)]
SETTINGS = Settings(partitions=2)


def record(offset: int, topic: str = "ltv-updates", key: bytes = b"ann") -> Any:
    return FileRecord(topic, 0, offset, 0, key, b'{"n":%d}' % offset)


def told(event: bytes | None) -> dict[str, str]:
    assert event is not None
    return dict(line.split(": ", 1) for line in event.decode().strip().split("\n"))


@given(st.lists(st.integers(0, 10**19 - 1), min_size=6, max_size=6))
def test_an_id_says_where_one_is(offsets: list[int]) -> None:
    positions = dict(zip(TPS, offsets, strict=True))
    cursor = cursor_of(TPS, positions)
    assert cursor is not None
    assert positions_of(TPS, cursor) == positions
    assert positions_of(TPS[:5], cursor) is None
    assert positions_of([*reversed(TPS)], cursor) is None


@given(st.text(max_size=40))
def test_what_is_no_id_is_none(text: str) -> None:
    assert positions_of(TPS, text) is None


def test_an_id_that_no_header_could_carry_is_left_out() -> None:
    many = [TopicPartition("a", number) for number in range(CHARS_MAX)]
    assert cursor_of(many, dict.fromkeys(many, 10)) is None


def subscription(
    kind: Any = None, customer_id: str | None = None, *, begins: bool = True
) -> Subscription:
    one = Subscription(Changes(SETTINGS), Filter(SETTINGS, kind, customer_id))
    if begins:
        one.begin(dict.fromkeys(Filter(SETTINGS, kind, customer_id).tps, 5))
    return one


async def test_each_event_says_where_one_is_behind_it() -> None:
    one = subscription(kind="ltv")
    tps = Filter(SETTINGS, "ltv", None).tps
    place = told(await one.next(1))
    assert positions_of(tps, place["id"]) == dict.fromkeys(tps, 5)
    for offset in (5, 9):
        one.offer(record(offset))
    one.offer(record(3, "churn-risk-updates"))
    for offset in (5, 9):
        event = told(await one.next(1))
        assert (event["event"], json.loads(event["data"])) == ("ltv", {"n": offset})
        assert positions_of(tps, event["id"]) == {tps[0]: offset + 1, tps[1]: 5}


async def test_who_is_too_slow_is_told_how_many_are_missing_and_can_have_them() -> None:
    one = subscription(kind="ltv")
    place = told(await one.next(1))
    for offset in range(5, 5 + WAITING_MAX + 7):
        one.offer(record(offset))
    first = told(await one.next(1))
    skipped = told(await one.next(1))
    assert (skipped["event"], json.loads(skipped["data"])) == ("skipped", {"skipped": 7})
    assert "id" not in skipped, "the last id stays that of before"
    heard = [json.loads(told(await one.next(1))["data"])["n"] for _ in range(WAITING_MAX - 1)]
    assert heard == list(range(6, 5 + WAITING_MAX))
    assert first["id"] != place["id"]


async def test_who_has_caught_up_hears_nothing_twice_and_misses_nothing() -> None:
    """It has waited at the shared reader from 5 on, while it read up to 8 by itself."""
    one = subscription(kind="ltv", begins=False)
    for offset in (5, 7):
        one.offer(record(offset))
    one.begin(dict.fromkeys(Filter(SETTINGS, "ltv", None).tps, 8))
    for offset in (6, 7, 8, 9):  # the shared reader may be behind, too
        one.offer(record(offset))
    assert [json.loads(told(await one.next(1))["data"])["n"] for _ in range(2)] == [8, 9]
    assert not one.has_missed


async def test_one_customer_is_of_one_partition() -> None:
    assert len(Filter(SETTINGS, None, "bob").tps) == 4
    wanted = Filter(SETTINGS, None, "bob")
    assert wanted.takes(record(5, key=b"bob"))
    assert not wanted.takes(record(5))
