"""Bare, binary or structured: the same event, or refused all the same."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.dead_letters import Rejected
from streamer.records.events import CustomerEvent
from streamer.records.kafka import Headers
from streamer.serdes.events import EventDecoder
from tests.properties.test_decoding import near_events
from tests.support.greedy import greedy

BINARY_MODE: Headers = (("ce_specversion", b"1.0"),)
DECODER = EventDecoder()
VARIED = st.sampled_from(list(greedy(days=3, busy_days=0)))


def outcome(value: bytes, headers: Headers = ()) -> CustomerEvent | None:
    """Return the event in ``value``; None if it is refused."""
    try:
        return DECODER.decode(value, headers)
    except Rejected:
        return None


def with_a_change(event: dict[str, Any], name: str, change: Any) -> dict[str, Any]:
    return event | {name: change}


CHANGES = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
)
NAMES = st.sampled_from(sorted({name for event in greedy(1, 0) for name in event}))


@settings(max_examples=400, deadline=None)
@given(
    near_events() | VARIED | st.builds(with_a_change, VARIED, NAMES, CHANGES | st.lists(CHANGES))
)
def test_all_modes_give_the_same_event(event: dict[str, Any]) -> None:
    if "specversion" in event or "data" in event:
        return  # a bare event of that name is a CloudEvent
    bare = json.dumps(event).encode()
    expected = outcome(bare)
    assert outcome(bare, BINARY_MODE) == expected
    assert outcome(json.dumps({"specversion": "1.0", "data": event}).encode()) == expected
