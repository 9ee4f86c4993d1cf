"""Bytes that earlier versions wrote can be read, and gone on from, today."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamer.pipeline import Partition, Shop
from streamer.records.dead_letters import Rejected
from streamer.records.instants import from_datetime
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    EVENT_TOPICS,
    LTV_UPDATES,
    PROGRAMME_MEASURES,
    PROGRAMME_PARTIALS,
    REFERRAL_CREDITS,
    FileRecord,
)
from streamer.records.measures import key_of
from streamer.serdes.measures import decode_shop_measure
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    VERSION,
    UnreadableRowError,
    decode_checkpoint,
    decode_internal,
    decode_row,
    encode_row,
)
from tests.contracts.golden.make import UNTIL, configuration
from tests.support.cluster import Changelog, processed
from tests.support.counting import measures_of
from tests.support.schemas import validator

FOLDER = Path(__file__).parent / "golden"
VERSIONS = pytest.mark.parametrize("version", sorted(path.name for path in FOLDER.glob("rows-*")))
NUMBERS = pytest.mark.parametrize("number", range(configuration().partitions))


@cache
def lines(version: str, name: str) -> list[dict[str, Any]]:
    text = (FOLDER / version / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def changelog(version: str, number: int) -> Changelog:
    entries = lines(version, f"changelog-{number}")
    return [(entry["key"].encode(), bytes.fromhex(entry["value"])) for entry in entries]


def restored(version: str, number: int) -> Partition:
    partition = Partition(number, configuration())
    partition.restore(changelog(version, number))
    partition.restored()
    return partition


def test_this_version_has_its_golden_bytes() -> None:
    assert (FOLDER / f"rows-{VERSION}").is_dir()


@NUMBERS
@VERSIONS
def test_rows_and_checkpoints_read_as_they_were_written(version: str, number: int) -> None:
    for entry in lines(version, f"changelog-{number}"):
        key, value = entry["key"].encode(), bytes.fromhex(entry["value"])
        struct = decode_checkpoint(value) if key == CHECKPOINT_KEY else decode_row(value)
        found = {name: getattr(struct, name) for name in entry["holds"]}
        # through JSON, where the keys of `recent` are texts
        assert json.loads(msgspec.json.encode(found)) == entry["holds"]


@NUMBERS
@VERSIONS
def test_a_partition_goes_on_from_them(version: str, number: int) -> None:
    partition = restored(version, number)
    before = dict(partition.rows)
    assert before
    unit = processed(partition, [], UNTIL, silence_until=from_datetime(UNTIL))
    told = {topic for topic, _ in unit.messages}
    assert told == {configuration().topics["customers-changelog"]}, "all silence had been told of"
    for customer, value in before.items():
        rewritten = decode_row(encode_row(decode_row(value)))
        assert rewritten == decode_row(value), customer


@NUMBERS
@VERSIONS
def test_their_customers_go_on_buying(version: str, number: int) -> None:
    partition = restored(version, number)
    before = {customer: decode_row(value) for customer, value in partition.rows.items()}
    unit = processed(partition, [purchase(customer, number, 1000) for customer in before], UNTIL)
    assert not unit.refused
    partition.commit(unit)
    after = {customer: decode_row(value) for customer, value in partition.rows.items()}
    assert {customer: row.orders for customer, row in after.items()} == {
        customer: row.orders + 1 for customer, row in before.items()
    }
    again = processed(partition, [purchase(customer, number, 2000) for customer in before], UNTIL)
    assert again.counts["duplicates"] == len(before)


def purchase(customer: str, number: int, offset: int) -> FileRecord:
    event = {
        "event_id": f"today-{customer}",
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": UNTIL.isoformat(),
        "order_id": f"today-{customer}",
        "amount": "12.50",
        "currency": "USD",
    }
    key = customer.encode()
    return FileRecord("purchases", number, offset, 0, key, json.dumps(event).encode(), ())


@VERSIONS
def test_referral_messages_read_as_they_were_written(version: str) -> None:
    messages = lines(version, REFERRAL_CREDITS)
    assert {json.loads(line["value"])["kind"] for line in messages} == {"link", "credit"}
    for line in messages:
        event = decode_internal(line["value"].encode())
        told = json.loads(line["value"])
        assert {name: getattr(event, name) for name in told if name != "kind"} == {
            name: value for name, value in told.items() if name != "kind"
        }


@VERSIONS
def test_producers_of_that_time_are_understood(version: str) -> None:
    refused = 0
    for topic in EVENT_TOPICS:
        for line in lines(version, topic):
            headers = tuple((name, text.encode()) for name, text in line["headers"])
            try:
                configuration().decoder.decode(line["value"].encode(), headers)
            except Rejected:
                refused += 1
    assert refused == len(lines(version, DEAD_LETTERS))


@pytest.mark.parametrize("name", [LTV_UPDATES, CHURN_RISK_UPDATES])
@VERSIONS
def test_subscribers_can_read_old_updates_by_the_schema_of_today(version: str, name: str) -> None:
    updates = lines(version, name)
    assert {json.loads(line["value"])["cause"]["kind"] for line in updates} == {"event", "silence"}
    for line in updates:
        validator(f"{name.removesuffix('s')}.json").validate(json.loads(line["value"]))


@pytest.mark.parametrize(
    "value", [b"", bytes([VERSION + 1, 0x90]), b"{}", bytes([VERSION]), bytes([VERSION, 0xC1])]
)
def test_what_a_later_version_wrote_is_no_guesswork(value: bytes) -> None:
    for decode in (decode_row, decode_checkpoint):
        with pytest.raises(UnreadableRowError, match=r"changelog"):
            decode(value)


def without_words(told: Any) -> Any:
    """Return all but the sentences, whose wording is no part of the contract."""
    if isinstance(told, dict):
        return {name: without_words(one) for name, one in told.items() if name != "sentence"}
    return [without_words(one) for one in told] if isinstance(told, list) else told


@pytest.mark.parametrize("version", sorted(path.name for path in FOLDER.glob("measures-*")))
def test_measures_of_then_are_read_and_made_as_then(version: str) -> None:
    shop = Shop(configuration().scoring.currency, {})
    for line in lines(version, PROGRAMME_PARTIALS):
        key, value = (line[name] and line[name].encode() for name in ("key", "value"))
        shop.take(line["partition"], key, value)
    then = lines(version, PROGRAMME_MEASURES)
    assert {measure["measure"] for measure in then} == {"programme", "experiment"}
    for measure in then:
        validator("programme-measure.json").validate(measure)
        assert key_of(decode_shop_measure(json.dumps(measure).encode()))
    for now, measure in zip(measures_of(shop).values(), then, strict=True):
        found = {name: now[name] for name in measure}
        assert without_words(found) == without_words(measure), "later fields may come"
