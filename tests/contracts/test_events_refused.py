"""Every way of making an event invalid is refused, with its reason and its field."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from streamer.records.dead_letters import Rejected
from streamer.serdes.events import EventDecoder
from tests.support.histories import RATES
from tests.support.schemas import (
    EVENT_TYPES,
    Schema,
    inlined,
    is_valid,
    load,
    parts,
    properties,
    required,
)

DECODER = EventDecoder("USD", RATES)
OF_TYPE = {"string": "text", "number": 7, "array": [], "object": {}, "null": None, "boolean": True}
GOOD = (
    b'{"event_id":"e","type":"purchase","customer_id":"c","occurred_at":"2026-01-02T03:04:05Z",'
    b'"order_id":"o","amount":"1","currency":"USD"}'
)


def full(kind: str) -> dict[str, Any]:
    """Return an event with every field there is: all examples of its schema in one."""
    event: dict[str, Any] = {"schema_version": 1, "source": "shop"}
    for example in load(f"{kind}.json")["examples"]:
        event |= example
    missing = properties(inlined(f"{kind}.json")).keys() - event.keys()
    assert not missing, f"no example of {kind} has {missing}"
    return event


def allowed_types(schema: Schema) -> set[str]:
    """Return the JSON types that may pass an inlined schema."""
    allowed = set(OF_TYPE)
    for part in parts(schema):
        if "type" in part:
            allowed &= {part["type"]} if isinstance(part["type"], str) else set(part["type"])
        if "anyOf" in part:
            allowed &= set().union(*map(allowed_types, part["anyOf"]))
        if "const" in part or "enum" in part:
            values = part.get("enum", [part.get("const")])
            allowed &= {"number" if value == 1 else "string" for value in values}
    return allowed


def wrong_values(schema: Schema) -> Iterator[Any]:
    """Yield values that break each rule of an inlined schema."""
    allowed = allowed_types(schema)
    yield from (value for of_type, value in OF_TYPE.items() if of_type not in allowed)
    for part in parts(schema):
        for choice in part.get("anyOf", ()):
            yield from (value for value in wrong_values(choice) if _types_of(value) & allowed)
        for rule, breaking in BREAKING.items():
            if rule in part:
                yield from breaking(part[rule])


BREAKING: dict[str, Callable[[Any], Sequence[Any]]] = {
    "minLength": lambda _: ("",),
    "maxLength": lambda most: ("X" * (most + 1),),
    "minimum": lambda least: (least - 1, least - 0.01),
    "exclusiveMinimum": lambda least: (least, least - 0.01),
    "exclusiveMaximum": lambda most: (most, most * 10),
    "pattern": lambda _: (
        "x",
        "-1",
        "1e5",
        "NaN",
        "usd",
        "12,5",
        "2026-01-02",
        "2026-1-2T03:04:05",
    ),
    "enum": lambda _: ("another", 2),
    "const": lambda _: ("another", 2),
    "maxItems": lambda most: ([{"product_id": "p"}] * (most + 1),),
    "maxProperties": lambda most: ({str(n): n for n in range(most + 1)},),
    "propertyNames": lambda of_name: ({"k" * (of_name["maxLength"] + 1): 1},),
}
"""By rule: what breaks it."""


def _types_of(value: Any) -> set[str]:
    return {of_type for of_type, sample in OF_TYPE.items() if type(sample) is type(value)} | (
        {"number"} if isinstance(value, float) else set()
    )


def spoilt(schema: Schema, whole: dict[str, Any], path: str) -> Iterator[tuple[Any, str]]:
    """Yield ``whole`` with one thing wrong in it, and the path of that."""
    for name in sorted(required(schema)):
        yield {k: v for k, v in whole.items() if k != name}, path + name
    for name, of_field in properties(schema).items():
        for wrong in wrong_values(of_field):
            yield {**whole, name: wrong}, path + name
        inner = whole.get(name)
        if isinstance(inner, dict) and name != "attributes":
            for broken, field in spoilt(of_field, inner, f"{path}{name}."):
                yield {**whole, name: broken}, field
        if isinstance(inner, list):
            lines = next(part["items"] for part in parts(of_field) if "items" in part)
            for broken, field in spoilt(lines, inner[-1], f"{path}{name}[{len(inner) - 1}]."):
                yield {**whole, name: [*inner[:-1], broken]}, field


def verdict_on(value: bytes) -> tuple[str, str]:
    with pytest.raises(Rejected) as caught:
        DECODER.decode(value)
    assert caught.value.message
    return caught.value.reason, caught.value.field


@pytest.mark.parametrize("kind", EVENT_TYPES)
def test_one_wrong_thing_is_refused_with_its_field(kind: str) -> None:
    whole = full(kind)
    assert is_valid(f"{kind}.json", whole)
    tried = 0
    for event, field in spoilt(inlined(f"{kind}.json"), whole, ""):
        if is_valid(f"{kind}.json", event):
            continue  # a text that breaks one pattern may keep another
        tried += 1
        unknown = field == "type" and isinstance(event.get("type"), str)
        expected = ("unknown_type" if unknown else "invalid", field)
        assert verdict_on(json.dumps(event).encode()) == expected, event
    assert tried > 30


def test_the_mutations_are_many() -> None:
    whole = full("purchase")
    fields = {field for _, field in spoilt(inlined("purchase.json"), whole, "")}
    assert {"items[1].product_id", "experiment.arm", "currency", "due_at", "cost"} <= fields


@pytest.mark.parametrize(
    ("value", "reason", "field"),
    [
        (None, "empty", ""),
        (b"", "empty", ""),
        (b" ", "malformed", ""),
        (b"[]", "invalid", ""),
        (b'"text"', "invalid", ""),
        (b"null", "invalid", ""),
        (b"{}", "invalid", "type"),
        (b'{"type":5}', "invalid", "type"),
        (GOOD[:-1], "malformed", ""),
        (GOOD + b"{}", "malformed", ""),
        (b"\xef\xbb\xbf" + GOOD, "malformed", ""),
        (GOOD.decode().encode("utf-16"), "malformed", ""),
        (GOOD.replace(b'"c"', b'"\xff"'), "malformed", ""),
        (GOOD.replace(b'"c"', b'"\xed\xa0\x80"'), "malformed", ""),
        (GOOD.replace(b'"c"', b'"\\ud800"'), "malformed", ""),
        (GOOD.replace(b'"1"', b"NaN"), "malformed", ""),
        (GOOD.replace(b'"1"', b"Infinity"), "malformed", ""),
        (GOOD.replace(b'"1"', b"01"), "malformed", ""),
        (GOOD.replace(b'"1"', b"1e999"), "invalid", "amount"),
        (GOOD.replace(b'"1"', b"-1"), "invalid", "amount"),
        (GOOD.replace(b'"1"', b"1" * 5000), "invalid", "amount"),
        (GOOD.replace(b'"USD"', b'"CHF"'), "unknown_currency", "currency"),
        (GOOD.replace(b'"purchase"', b'"sale"'), "unknown_type", "type"),
        (GOOD.replace(b'"purchase"', b'"x - at `$.amount`"'), "unknown_type", "type"),
        (GOOD[:-1] + b',"amount":"2"}', "malformed", "amount"),
        (GOOD[:-1] + b',"\\u0061mount":"2"}', "malformed", "amount"),
        (GOOD[:-1] + b',"customer_id":"d"}', "malformed", "customer_id"),
        (GOOD[:-1] + b',"a":' + b"[" * 5000 + b"]" * 5000 + b"}", "malformed", ""),
        (b"[" * 100_000, "malformed", ""),
        (GOOD[:-1] + b',"pad":"' + b"x" * 1_048_576 + b'"}', "too_large", ""),
    ],
)
def test_bytes_that_no_schema_sees(value: bytes | None, reason: str, field: str) -> None:
    with pytest.raises(Rejected) as caught:
        DECODER.decode(value)
    assert (caught.value.reason, caught.value.field) == (reason, field)


def test_two_types_are_a_name_twice() -> None:
    assert verdict_on(GOOD[:-1] + b',"type":"refund"}') == ("malformed", "type")


def test_converted_money_has_its_limit() -> None:
    value = GOOD.replace(b'"1"', b'"900000000000"').replace(b'"USD"', b'"EUR"')
    assert verdict_on(value) == ("out_of_range", "amount")


def test_a_megabyte_of_names_is_judged_quickly() -> None:
    names = b",".join(b'"%d":1' % n for n in range(90_000))
    value = GOOD[:-1] + b',"a":{"amount":1},"b":{"amount":2},' + names + b"}"
    assert DECODER.decode(value).event_id == "e"
