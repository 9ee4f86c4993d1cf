"""The schemas keep to what the last release promised; a breaking change is refused."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.support.compatibility import breaks, inlined, read
from tests.support.schemas import EVENT_TYPES, FOLDER

RELEASED = read(Path(__file__).parent / "golden" / "schemas-1")
INPUTS = frozenset(f"{name}.json" for name in EVENT_TYPES)
Schemas = dict[str, dict[str, Any]]
Change = Callable[[Schemas], None]

PURCHASE = {
    "event_id": "e1",
    "type": "purchase",
    "schema_version": 1,
    "customer_id": "c1",
    "occurred_at": "2026-05-01T10:00:00Z",
    "order_id": "o1",
    "amount": "10.00",
    "currency": "USD",
    "channel": "email",
    "checkout_seconds": 30,
}
RATING = {
    "event_id": "e1",
    "type": "rating",
    "customer_id": "c1",
    "occurred_at": "2026-05-01T10:00:00Z",
    "rating": 4,
}


def test_the_schemas_keep_to_what_was_released() -> None:
    assert breaks(RELEASED, read(FOLDER), INPUTS) == [], (
        "other programs depend on this: add, or make a new major version (CONTRIBUTING.md)"
    )


def changed(change: Change) -> Schemas:
    schemas = copy.deepcopy(RELEASED)
    change(schemas)
    assert schemas != RELEASED
    return schemas


def within(schemas: Schemas, file: str, *path: str) -> dict[str, Any]:
    node: Any = schemas[file]
    for name in path:
        node = node[name]
    assert isinstance(node, dict)
    return node


def put(file: str, *path: str, **words: Any) -> Change:
    """Return the change that sets ``words`` at a place of a schema."""
    return lambda schemas: within(schemas, file, *path).update(words)


def drop(file: str, *path: str) -> Change:
    """Return the change that removes the last name of ``path``."""
    return lambda schemas: within(schemas, file, *path[:-1]).__delitem__(path[-1])


def require(file: str, name: str) -> Change:
    return lambda schemas: schemas[file]["required"].append(name)


def waive(file: str, name: str) -> Change:
    return lambda schemas: schemas[file]["required"].remove(name)


NARROWED: dict[str, tuple[Change, str, dict[str, Any]]] = {
    "a field that becomes required": (
        require("purchase.json", "channel"),
        "purchase.json",
        {name: value for name, value in PURCHASE.items() if name != "channel"},
    ),
    "a shorter text": (
        put("purchase.json", "properties", "channel", maxLength=3),
        "purchase.json",
        PURCHASE,
    ),
    "another type": (
        put("purchase.json", "properties", "checkout_seconds", type="string"),
        "purchase.json",
        PURCHASE,
    ),
    "a greater minimum": (
        put("rating.json", "properties", "rating", minimum=5),
        "rating.json",
        RATING,
    ),
    "a pattern where none was": (
        put("purchase.json", "properties", "order_id", pattern="^[0-9]+$"),
        "purchase.json",
        PURCHASE,
    ),
    "a part that must hold besides": (
        put("rating.json", allOf=[{"required": ["product_id"]}]),
        "rating.json",
        RATING,
    ),
    "no unknown fields any more": (
        put("rating.json", additionalProperties=False),
        "rating.json",
        {**RATING, "own": 1},
    ),
}
"""Changes of events in, and what was allowed before them and is not behind them."""


@pytest.mark.parametrize("name", NARROWED)
def test_an_event_that_was_right_must_stay_right(name: str) -> None:
    change, file, event = NARROWED[name]
    schemas = changed(change)
    assert Draft202012Validator(inlined(RELEASED, file)).is_valid(event)
    assert not Draft202012Validator(inlined(schemas, file)).is_valid(event)
    assert any(fault.startswith(file) for fault in breaks(RELEASED, schemas, INPUTS))


LTV, CHURN = "ltv-update.json", "churn-risk-update.json"
BREAKING: dict[str, Change] = {
    "a schema is gone": lambda schemas: schemas.__delitem__("refund.json"),
    "a field that is read no more": drop("purchase.json", "properties", "coupon"),
    "a field that is told no more": drop(LTV, "properties", "historic_clv"),
    "a field that may be left out now": waive(LTV, "historic_clv"),
    "a field that lies in no topic yet is required": lambda schemas: (
        within(schemas, LTV, "properties").update(new={"type": "string"}),
        schemas[LTV]["required"].append("new"),
    )[0],
    "a number becomes a text": put(CHURN, "properties", "churn_probability", type="string"),
    "a number may be greater": put(CHURN, "properties", "churn_probability", maximum=100),
    "a value that no reader knows": lambda schemas: within(
        schemas, "dead-letter-headers.json", "properties", "streamer.error.reason"
    )["enum"].append("new"),
    "all that share a part": lambda schemas: within(
        schemas, "common.json", "$defs", "riskBand"
    ).update(enum=["low", "high"]),
    "a longer id, which comes out too": put("common.json", "$defs", "id", maxLength=10_000),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_change_that_breaks_readers_or_senders_is_refused(name: str) -> None:
    assert breaks(RELEASED, changed(BREAKING[name]), INPUTS)


ADDITIVE: dict[str, Change] = {
    "a new optional field in": put("purchase.json", "properties", gift={"type": "boolean"}),
    "a new optional field out": put(LTV, "properties", mood={"type": "string"}),
    "a new type of event": lambda schemas: schemas.update({"visit.json": {"type": "object"}}),
    "a smaller minimum in": put("rating.json", "properties", "rating", minimum=-1),
    "a field in that may be left out now": waive("rating.json", "rating"),
    "another word of explanation": put(LTV, title="Worth"),
    "a limit in that holds no more": drop("rating.json", "properties", "rating", "minimum"),
}


@pytest.mark.parametrize("name", ADDITIVE)
def test_an_additive_change_is_taken(name: str) -> None:
    assert breaks(RELEASED, changed(ADDITIVE[name]), INPUTS) == []
