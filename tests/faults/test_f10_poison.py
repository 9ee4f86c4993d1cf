"""F10: a flood of poison among good events. The worker lives, each bad record is accounted for."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from streamer.broker import EmbeddedKafka
from tests.support.audit import Audit, auditing
from tests.support.load import TOPIC_OF_TYPE, Event, Headers, Wire, send_all, wire_of
from tests.support.oracle import count
from tests.support.stage import stage

NOW = datetime.now(UTC)
CUSTOMERS = 7
PARTITIONS = 3
ERROR = "streamer.error."
TOLD = "reason message field topic partition offset attempt failed_at version"
OWN_HEADERS: Headers = (("trace", b"\x00\xff"), ("trace", b"again"), ("empty", b""))


def purchase(number: int, **changes: object) -> Event:
    return {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": f"c{number % CUSTOMERS}",
        "occurred_at": (NOW - timedelta(hours=1, seconds=-number)).isoformat(),
        "order_id": f"o{number}",
        "amount": "10.00",
        "currency": "USD",
    } | changes


def text(number: int, old: str = "", new: str = "", **changes: object) -> bytes:
    """Return a purchase as JSON, with something in it replaced that no encoder would write."""
    whole = json.dumps(purchase(number, **changes))
    assert old in whole
    return whole.replace(old, new).encode()


VALUES: list[tuple[str, str, Callable[[int], bytes | None]]] = [
    ("null value", "empty", lambda n: None),
    ("empty value", "empty", lambda n: b""),
    ("blanks", "malformed", lambda n: b"  \n"),
    ("truncated", "malformed", lambda n: text(n)[:-9]),
    ("trailing garbage", "malformed", lambda n: text(n) + b"}"),
    ("two at once", "malformed", lambda n: text(n) + text(n)),
    ("garbage of 900 KB", "malformed", lambda n: b"\x00garbage\n" * 100_000),
    ("invalid UTF-8", "malformed", lambda n: text(n).replace(b'"o', b'"\xff')),
    ("UTF-16", "malformed", lambda n: text(n).decode().encode("utf-16")),
    ("byte order mark", "malformed", lambda n: b"\xef\xbb\xbf" + text(n)),
    ("lone surrogate in the customer", "malformed", lambda n: text(n, ': "c', ': "\\ud800')),
    ("lone surrogate in the id", "malformed", lambda n: text(n, ': "e', ': "\\udfff')),
    ("deep objects", "malformed", lambda n: b'{"a":' * 100_000),
    ("deep field", "malformed", lambda n: text(n, "}", f',"x":{"[" * 100_000 + "]" * 100_000}}}')),
    ("deep lists", "malformed", lambda n: b"[" * 100_000),
    ("NaN", "malformed", lambda n: text(n, amount=float("nan"))),
    ("Infinity", "malformed", lambda n: text(n, amount=float("inf"))),
    ("1e999", "invalid", lambda n: text(n, '"10.00"', "1e999")),
    ("5,000 digits", "invalid", lambda n: text(n, '"10.00"', "1" * 5000)),
    ("trillion", "invalid", lambda n: text(n, amount="1000000000000")),
    ("name twice", "malformed", lambda n: text(n, "}", ',"amount":"1.00"}')),
    ("type twice", "malformed", lambda n: text(n, "}", ',"type":"refund"}')),
    ("a list", "invalid", lambda n: b"[" + text(n) + b"]"),
    ("null", "invalid", lambda n: b"null"),
    ("empty object", "invalid", lambda n: b"{}"),
    ("number for text", "invalid", lambda n: text(n, customer_id=17)),
    ("text for number", "invalid", lambda n: text(n, checkout_seconds="soon")),
    ("object for money", "invalid", lambda n: text(n, amount={"value": 1})),
    ("true for money", "invalid", lambda n: text(n, amount=True)),
    ("negative money", "invalid", lambda n: text(n, amount="-1.00")),
    ("comma in money", "invalid", lambda n: text(n, amount="1,50")),
    ("empty customer", "invalid", lambda n: text(n, customer_id="")),
    ("customer of 129", "invalid", lambda n: text(n, customer_id="c" * 129)),
    ("no event id", "invalid", lambda n: text(n, event_id=None)),
    ("later version", "invalid", lambda n: text(n, schema_version=2)),
    ("no offset", "invalid", lambda n: text(n, occurred_at="2025-01-01T00:00:00")),
    ("30 February", "invalid", lambda n: text(n, occurred_at="2025-02-30T00:00:00Z")),
    ("ancient", "out_of_range", lambda n: text(n, occurred_at="0001-01-01T00:00:00+23:59")),
    ("before 1970", "out_of_range", lambda n: text(n, occurred_at="1969-12-31T23:59:59Z")),
    ("future", "future", lambda n: text(n, occurred_at=(NOW + timedelta(days=3)).isoformat())),
    ("far future", "future", lambda n: text(n, occurred_at="9999-12-31T23:59:59-23:59")),
    ("late", "late", lambda n: text(n, occurred_at=(NOW - timedelta(days=40)).isoformat())),
    ("unknown type", "unknown_type", lambda n: text(n, type="purchased")),
    ("unknown currency", "unknown_currency", lambda n: text(n, currency="XTS")),
    ("no currency", "invalid", lambda n: text(n, currency="dollars")),
    (
        "self-referral",
        "self_referral",
        lambda n: text(n, type="referral", referred_customer_id=f"c{n % CUSTOMERS}"),
    ),
    ("zero refund", "invalid", lambda n: text(n, type="refund", refund_id="r", amount="0.00")),
    ("2 MB", "too_large", lambda n: text(n, padding="x" * 2_000_000)),
    ("10 MB", "too_large", lambda n: text(n, padding="x" * 10_000_000)),
]
"""What it is, the reason of its dead letter, and how to make it."""

HEADERS: list[tuple[str, Headers]] = [
    ("forged origin", (("streamer.origin", b"x"),)),
    ("forged origin with numbers", (("streamer.origin", b"purchases/zero/one"),)),
    ("no UTF-8 in the origin", (("streamer.origin", b"\xff/1/1"),)),
    ("endless attempts", ((f"{ERROR}attempt", b"1" * 5000),)),
    ("null headers", (("streamer.origin", None), (f"{ERROR}attempt", None), ("x", None))),
    ("CloudEvent of nulls", (("ce_id", None), ("ce_type", None))),
]
"""Headers that must not matter, to a good event or a bad one."""


def bad_values() -> Iterator[Wire]:
    """Give every bad value once, each between good events of the same customer."""
    number = 100
    for _ in range(CUSTOMERS):  # what is late is late behind these
        yield wire_of(purchase(number))
        number += 1
    for _, reason, make in VALUES:
        key = f"c{number % CUSTOMERS}".encode()
        stamp = 1_600_000_000_000 + number
        yield Wire(
            "purchases", key, make(number), headers=OWN_HEADERS, timestamp_ms=stamp, reason=reason
        )
        yield wire_of(purchase(number + CUSTOMERS))
        number += CUSTOMERS + 1
    yield Wire("purchases", None, None, reason="empty")
    for topic in ("rekeyed", "referral-credits"):  # not theirs to write
        yield Wire(topic, b"c0", b"garbage", reason="malformed")
        yield Wire(topic, None, None, reason="empty" if topic == "rekeyed" else "malformed")


def hostile_headers() -> Iterator[Wire]:
    """Give good and bad values with headers that would mislead whoever trusts them."""
    for number, (_, headers) in enumerate(HEADERS):
        yield replace(wire_of(purchase(number)), headers=headers)
        yield Wire("purchases", b"c0", b"bad", headers=headers, reason="malformed")


def misplaced() -> Iterator[Wire]:
    """Give good events in other topics, under wrong keys and in wrong partitions."""
    number = 100
    for topic in TOPIC_OF_TYPE.values():  # the type decides, not the topic
        yield replace(wire_of(purchase(number)), topic=topic)
        number += 1
    for key in (None, b"", b"somebody else", b"\xff\x00", f"c{number % CUSTOMERS}".encode()):
        for partition in range(PARTITIONS):
            for padding in ("", "x" * 900_000 if partition == 1 else "y"):
                wire = wire_of(purchase(number, padding=padding))
                yield replace(wire, key=key, partition=partition)
                number += 1


@pytest.mark.parametrize("flood", [bad_values, hostile_headers, misplaced])
async def test_bad_records_become_dead_letters_and_nothing_else_suffers(
    kafka: EmbeddedKafka, tmp_path: Path, flood: Callable[[], Iterator[Wire]]
) -> None:
    sent = list(flood())
    with stage(kafka.bootstrap, tmp_path, partitions=PARTITIONS) as corner:
        worker = corner.worker("worker")
        worker.start()
        await worker.ready()
        async with auditing(corner) as audit:
            stood = await send_all(kafka.bootstrap, sent, corner.prefix)
            await audit.consumed()
            assert await worker.stop() == 0, worker.told("did not end well")
            await audit.read()
    audit.check(count(wire.event for wire in sent if wire.event is not None))
    check_letters(audit, dict(zip(places(stood), sent, strict=True)))


Place = tuple[str, int, int]


def places(stood: list[ConsumerRecord]) -> list[Place]:
    return [(record.topic, record.partition, record.offset) for record in stood]


def check_letters(audit: Audit, sent: dict[Place, Wire]) -> None:
    """One dead letter of each bad record, as it was, with the reason and the place."""
    expected = {place: wire for place, wire in sent.items() if wire.reason}
    found = {place_told(letter): letter for letter in audit.dead_letters}
    assert len(found) == len(audit.dead_letters), "a dead letter is there twice"
    told = {place: error_of(letter)["reason"] for place, letter in found.items()}
    assert told == {place: wire.reason.encode() for place, wire in expected.items()}
    for place, wire in expected.items():
        check_letter(found[place], wire)


def error_of(letter: ConsumerRecord) -> dict[str, bytes]:
    return {
        name.removeprefix(ERROR): value for name, value in letter.headers if name.startswith(ERROR)
    }


def place_told(letter: ConsumerRecord) -> Place:
    error = error_of(letter)
    return error["topic"].decode(), int(error["partition"]), int(error["offset"])


def check_letter(letter: ConsumerRecord, wire: Wire) -> None:
    own = tuple(header for header in letter.headers if not header[0].startswith(ERROR))
    kept = tuple(header for header in wire.headers if not header[0].startswith(ERROR))
    assert (letter.key, letter.value, own) == (wire.key, wire.value, kept)
    if wire.timestamp_ms is not None:
        assert letter.timestamp == wire.timestamp_ms
    names = [name.removeprefix(ERROR) for name, _ in letter.headers if name.startswith(ERROR)]
    assert names == TOLD.split()
    error = error_of(letter)
    assert error["attempt"] == b"1" or any(name == f"{ERROR}attempt" for name, _ in wire.headers)
    assert len(error["attempt"]) < 10
    assert datetime.fromisoformat(error["failed_at"].decode()).tzinfo
    assert error["message"]
    assert b"Traceback" not in error["message"]
    assert b"\n" not in error["message"]
    assert len(error["message"]) < 1000
