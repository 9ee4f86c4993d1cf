"""A name twice in one object is refused, wherever it stands; a name in two objects is not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.records.dead_letters import Rejected
from streamer.serdes.names import refuse_repeated_names

TEXTS = st.text(alphabet='a"\\é\n:{ ', max_size=3)
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.lists(st.tuples(TEXTS, inner), max_size=4),
    max_leaves=8,
)


def written(value: Any, *, escaped: bool) -> str:
    """Write lists of pairs as objects, whose names may then repeat."""
    if isinstance(value, list) and value and isinstance(value[0], tuple):
        members = (
            f"{json.dumps(name, ensure_ascii=escaped)} : {written(one, escaped=escaped)}"
            for name, one in value
        )
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{','.join(written(one, escaped=escaped) for one in value)}]"
    return json.dumps(value, ensure_ascii=escaped)


def repeats(value: Any) -> bool:
    """Tell by the structure itself whether a name is there twice."""
    if not isinstance(value, list):
        return False
    if value and isinstance(value[0], tuple):
        names = [name for name, _ in value]
        return len(set(names)) < len(names) or any(repeats(one) for _, one in value)
    return any(map(repeats, value))


@given(value=VALUES, escaped=st.booleans())
def test_exactly_what_repeats_is_refused(value: Any, escaped: bool) -> None:
    text = written(value, escaped=escaped).encode()
    if repeats(value):
        with pytest.raises(Rejected, match="twice"):
            refuse_repeated_names(text)
    else:
        refuse_repeated_names(text)
