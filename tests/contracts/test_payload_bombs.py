"""Payloads made to hurt: refused or harmless, never an exception, and quoted briefly."""

import json

import pytest

from streamer.records.dead_letters import MESSAGE_CHARS_MAX, Rejected
from streamer.records.kafka import Headers
from streamer.serdes.events import EventDecoder

LARGE = 1_000_000
DECODER = EventDecoder(bytes_max=1_048_576)
COMMON = {"event_id": "e", "customer_id": "c", "occurred_at": "2026-01-02T03:04:05Z"}
PURCHASE = {**COMMON, "type": "purchase", "order_id": "o", "amount": "1", "currency": "USD"}
BINARY_MODE: Headers = (("ce_specversion", b"1.0"),)


def purchase(amount: str = '"1"', more: str = "") -> bytes:
    text = json.dumps(PURCHASE).replace('"amount": "1"', f'"amount": {amount}')
    return f"{text[:-1]}{more}}}".encode()


def profile(attributes: str) -> bytes:
    text = json.dumps({**COMMON, "type": "profile"})
    return f'{text[:-1]}, "attributes": {attributes}}}'.encode()


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


REFUSED = {
    "nested deep": (profile(f'{{"a": {nested(LARGE // 2)}}}'), "malformed"),
    "nested deep where nobody looks": (purchase(more=f', "x": {nested(400_000)}'), "malformed"),
    "never closed": (b"[" * LARGE, "malformed"),
    "an integer of a million digits": (purchase("9" * LARGE), "invalid"),
    "one inside a map": (profile(f'{{"a": {"9" * LARGE}}}'), "invalid"),
    "a text of a million digits": (purchase('"' + "9" * LARGE + '"'), "invalid"),
    "an exponent of a thousand digits": (purchase("1e" + "9" * 1000), "invalid"),
    "80,000 attributes": (
        profile("{" + ",".join(f'"k{n}": 1' for n in range(80_000)) + "}"),
        "invalid",
    ),
    "one name 100,000 times": (
        profile("{" + ",".join('"k": 1' for _ in range(100_000)) + "}"),
        "malformed",
    ),
    "a name of a megabyte, twice": (purchase(more=f', "{"n" * 400_000}": 1' * 2), "malformed"),
    "20,000 items": (
        purchase(more=', "items": [' + '{"product_id":"p"},' * 20_000 + "1]"),
        "invalid",
    ),
    "a type of a megabyte": (
        json.dumps({**PURCHASE, "type": "t" * LARGE}).encode(),
        "unknown_type",
    ),
    "no UTF-8": (purchase()[:-1] + b"\xff" * LARGE, "malformed"),
}
HARMLESS = {
    "80,000 unknown fields": purchase(more="".join(f', "k{n}": 1' for n in range(80_000))),
    "a fraction of a million digits": purchase("0." + "9" * LARGE),
    "a second of a million digits": json.dumps(
        {**PURCHASE, "occurred_at": f"2026-01-02T03:04:05.{'9' * LARGE}Z"}
    ).encode(),
    "400,000 quotation marks": purchase(more=', "x": "' + '\\"' * 400_000 + '"'),
    "an attribute of a megabyte": profile(json.dumps({"a": "x" * LARGE})),
    "100 nested attributes": profile(
        "{" + ",".join(f'"k{n}": {nested(300)}' for n in range(100)) + "}"
    ),
    "integers of 4,000 digits": profile('{"a": [' + ",".join(["9" * 4000] * 200) + "]}"),
}
FIELD_OF_HEADER = {
    "ce_type": "type",
    "ce_id": "event_id",
    "ce_time": "occurred_at",
    "ce_subject": "customer_id",
    "ce_source": "source",
}


@pytest.mark.parametrize("headers", [(), BINARY_MODE], ids=["bare", "binary"])
@pytest.mark.parametrize("name", REFUSED)
def test_a_bomb_is_refused_and_its_verdict_is_short(name: str, headers: Headers) -> None:
    value, reason = REFUSED[name]
    with pytest.raises(Rejected) as refused:
        DECODER.decode(value, headers)
    assert refused.value.reason == reason
    assert len(refused.value.message) <= MESSAGE_CHARS_MAX
    assert len(refused.value.field) <= MESSAGE_CHARS_MAX


@pytest.mark.parametrize("headers", [(), BINARY_MODE], ids=["bare", "binary"])
@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_large_but_right_is_kept_small(name: str, headers: Headers) -> None:
    event = DECODER.decode(HARMLESS[name], headers)
    assert event.event_id == "e"
    assert len(repr(event)) < 4096


@pytest.mark.parametrize("value", [b"[" * 10_000_000, b"\xff" * 10_000_000, b" " * 1_048_577])
def test_what_is_too_long_is_refused_unread(value: bytes) -> None:
    with pytest.raises(Rejected) as refused:
        DECODER.decode(value)
    assert refused.value.reason == "too_large"


@pytest.mark.parametrize("name", FIELD_OF_HEADER)
def test_a_header_of_a_megabyte_is_refused_or_unused(name: str) -> None:
    stands_for = FIELD_OF_HEADER[name]
    value = json.dumps({k: text for k, text in PURCHASE.items() if k != stands_for}).encode()
    with pytest.raises(Rejected) as refused:
        DECODER.decode(value, (*BINARY_MODE, (name, b"x" * LARGE)))
    assert len(refused.value.message) <= MESSAGE_CHARS_MAX
