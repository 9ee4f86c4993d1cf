"""What the schemas let through, the decoder takes; and what it refuses, no schema could say."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streamer.records.dead_letters import Rejected
from streamer.serdes.events import EventDecoder
from tests.support.generating import instances
from tests.support.histories import RATES
from tests.support.schemas import EVENT_TYPES, inlined, is_valid, load, properties
from tests.support.verdicts import beyond_schema

DECODER = EventDecoder("USD", RATES)
KINDS = pytest.mark.parametrize("kind", EVENT_TYPES)
FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
ODD: list[Any] = [
    None, True, False, 0, -1, 1, 1.0, 0.5, -0.0, 1e-9, -1e-9, 10**12, 10**12 - 1, 999999999999.9994,
    1e300, 10**30, "", "0", "1", "-1", "00012.5", "12.", ".5", "1e5", "٣", "12.34\n", "9" * 12,
    "9" * 13,
    "0" * 64, "0" * 65, "999999999999.9999995", "0.0000005", "0.00000051", "x" * 128, "x" * 129,
    "y" * 256, "y" * 257, "\U0001f600" * 128, "\U0001f600" * 129, "EUR", "EUR\n", "eur", "EURO",
    "XXX", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05.123456789+0530", "2026-02-30T00:00:00Z",
    "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "1970-01-01T00:00:00+00:01",
    "1969-12-31T23:59:59-00:01", "2026-01-02T03:04:05", "2026-01-02", "2026-01-02T24:00:00Z",
    "2026-01-02T03:04:60Z", "2026-01-02T03:04:05+24:00", "2026-01-02T03:04:05Z\n", "joined",
    "invited", [], {}, [{}], [{"product_id": "p"}], [{"product_id": ""}],
    [{"product_id": "p", "quantity": 0}], [{"product_id": "p", "quantity": None}],
    [{"product_id": "p", "price": True}], {"id": "e", "arm": "a"}, {"id": "e"}, {"k" * 257: 1},
    {"k" * 256: {"deep": [None]}}, {str(n): n for n in range(101)},
    [{"product_id": "p"}] * 1000, [{"product_id": "p"}] * 1001,
]  # fmt: skip


def verdict_on(event: dict[str, Any], *, escaped: bool = True) -> tuple[str, str] | None:
    """Return the decoder's reason and field, None if it takes the event."""
    value = json.dumps(event, ensure_ascii=escaped).encode()
    try:
        decoded = DECODER.decode(value)
    except Rejected as rejected:
        return rejected.reason, rejected.field
    assert (decoded.type, decoded.event_id) == (event["type"], event["event_id"])
    assert decoded.customer_id == event["customer_id"]
    return None


def assert_agrees(kind: str, event: dict[str, Any], *, escaped: bool = True) -> None:
    """The decoder takes an event exactly if the schema, and the rules beyond it, do."""
    verdict = verdict_on(event, escaped=escaped)
    if not is_valid(f"{kind}.json", event):
        assert verdict is not None, "the decoder takes what the schema refuses"
        # of two faults the decoder may name the one that no schema could say
        assert verdict[0] in ("invalid", "out_of_range", "unknown_currency")
    elif beyond := beyond_schema(event):
        assert verdict in beyond
    else:
        assert verdict is None, "the decoder refuses what the schema takes"


@KINDS
@FEW
@given(data=st.data(), fixed=st.booleans(), escaped=st.booleans())
def test_what_the_schema_lets_through_decodes(
    kind: str, data: st.DataObject, fixed: bool, escaped: bool
) -> None:
    event = data.draw(instances(inlined(f"{kind}.json")))
    if fixed:  # few generated currencies have a rate, and many days do not exist
        event["occurred_at"] = "2026-01-02T03:04:05.678+01:00"
        if "currency" in event:
            event["currency"] = data.draw(st.sampled_from(["USD", "EUR", "JPY"]))
    assert_agrees(kind, event, escaped=escaped)


@KINDS
@settings(FEW, max_examples=150)
@given(data=st.data(), example=st.integers(0, 9), odd=st.sampled_from(ODD), twice=st.booleans())
def test_one_odd_value_is_judged_alike(
    kind: str, data: st.DataObject, example: int, odd: Any, twice: bool
) -> None:
    examples = load(f"{kind}.json")["examples"]
    event = dict(examples[example % len(examples)])
    fields = sorted(properties(inlined(f"{kind}.json")).keys() - {"type"})
    event[data.draw(st.sampled_from(fields))] = odd
    if twice:
        event[data.draw(st.sampled_from(fields))] = data.draw(st.sampled_from(ODD))
    assert_agrees(kind, event)


@KINDS
def test_every_odd_value_in_every_field_is_judged_alike(kind: str) -> None:
    example = load(f"{kind}.json")["examples"][0]
    for field in properties(inlined(f"{kind}.json")).keys() - {"type"}:
        for odd in ODD:
            assert_agrees(kind, {**example, field: odd})
