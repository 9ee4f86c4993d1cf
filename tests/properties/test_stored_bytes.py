"""Whatever stands in streamer's own topics, it is read or named as unreadable: no other exception.

Only streamer writes there. But disks rot, operators restore the wrong topic, and rights are given
too widely.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamer.errors import StreamerError
from streamer.pipeline import Partition
from streamer.records.dead_letters import Rejected
from streamer.records.kafka import Headers
from streamer.scoring.programme.tallies import Tally
from streamer.serdes.addresses import address
from streamer.serdes.dead_letters import readable_dead_letter
from streamer.serdes.measures import decode_shop_measure
from streamer.serdes.models import decode_model_params
from streamer.serdes.origins import decode_origin
from streamer.serdes.partials import decode_partial, decode_partial_key
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    MODEL_KEY,
    decode_checkpoint,
    decode_internal,
    decode_model,
    decode_row,
    decode_told,
    told_key,
)
from streamer.state.row import Row
from tests.support.greedy import greedy_row
from tests.support.histories import configuration

DEEP = 100_000
ROW = greedy_row(days=2)
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.sampled_from([0, -1, 2**62])


def changed(value: bytes) -> st.SearchStrategy[bytes]:
    """``value`` cut, or with some bytes replaced, put in or left out."""
    place = st.integers(0, len(value))
    edits = st.lists(st.tuples(place, place, st.binary(max_size=6)), min_size=1, max_size=4)

    def apply(made: list[tuple[int, int, bytes]]) -> bytes:
        raw = value
        for start, length, by in made:
            raw = raw[:start] + by + raw[start + length % 8 :]
        return raw

    return edits.map(apply) | place.map(lambda end: value[:end])


def with_field(value: bytes, name: str, content: Any) -> bytes:
    """``value`` with a field replaced by what no event gives."""
    fields = msgspec.msgpack.decode(value[1:])
    fields[Row.__struct_fields__.index(name)] = content
    return value[:1] + msgspec.msgpack.encode(fields)


def packed() -> st.SearchStrategy[bytes]:
    """Msgpack of anything, behind the byte of a version."""
    leaves = (
        st.none()
        | st.booleans()
        | NUMBERS
        | st.floats()
        | st.text(max_size=6)
        | st.binary(max_size=6)
    )
    values = st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=4), inner),
        max_leaves=12,
    )
    return st.builds(
        lambda version, value: version + msgspec.msgpack.encode(value),
        st.sampled_from([b"\x01", b"\x01", b"\x02", b""]),
        values,
    )


STORED = changed(ROW) | packed() | st.binary(max_size=30)
NESTED = b"\x01" + b"\x91" * DEEP
READERS: list[Callable[[bytes], Any]] = [
    decode_row,
    decode_checkpoint,
    decode_told,
    decode_model,
]


@pytest.mark.parametrize("read", READERS, ids=lambda read: read.__name__)
@settings(max_examples=300, deadline=None)
@given(value=STORED)
@example(value=NESTED)
@example(value=b"\x01\x91\xa1\xff")
def test_a_stored_value_is_read_or_named(read: Callable[[bytes], Any], value: bytes) -> None:
    with suppress(StreamerError):
        read(value)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                [CHECKPOINT_KEY, MODEL_KEY, told_key("ann"), b"ann", b"\xc3", b"\xfe\xff"]
            ),
            st.none() | STORED,
        ),
        max_size=4,
    )
)
@example([(b"\xc3", ROW)])
@example([(b"ann", with_field(ROW, "last_purchase_at", 2**63))])
@example([(b"ann", with_field(ROW, "watermarks", [2**63, 1, 1]))])
@example([(b"\xfe\xff", b"\x01\x90")])
def test_a_partition_recovers_or_says_why_not(
    changelog: list[tuple[bytes, bytes | None]],
) -> None:
    partition = Partition(0, configuration())
    with suppress(StreamerError):
        partition.restore(changelog)
        partition.restored()


JSON_TEXTS = (
    st.recursive(
        st.none() | NUMBERS | st.text(max_size=5) | st.sampled_from(["1", "USD", "link", "credit"]),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.text(max_size=4) | st.sampled_from(["kind", "measure"]), inner)
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=20)
    | st.sampled_from([b"[" * DEEP, b'{"a":' * DEEP, b'["\xff"]', b'"\\ud800"', b""])
)


@pytest.mark.parametrize(
    "read",
    [
        decode_shop_measure,
        decode_model_params,
        decode_partial_key,
        lambda value: decode_partial(value, Tally),
        decode_internal,
    ],
    ids=["measure", "model", "partial key", "partial", "internal"],
)
@settings(max_examples=200, deadline=None)
@given(value=JSON_TEXTS)
@example(value=b"[" * DEEP)
@example(value=b'{"a":' * DEEP)
@example(value=b'["\xff"]')
def test_a_stored_document_is_read_or_named(read: Callable[[bytes], Any], value: bytes) -> None:
    with suppress(StreamerError, Rejected):
        read(value)


HEADERS: st.SearchStrategy[Headers] = st.lists(
    st.tuples(
        st.sampled_from(["streamer.origin", "streamer.error.partition", "streamer.error.offset"])
        | st.text(max_size=5),
        st.none()
        | st.binary(max_size=12)
        | st.sampled_from([b"purchases/0/1/-1", b"9" * 5000, "a/٣/1/1".encode(), b"\xff/0/0/0"]),
    ),
    max_size=5,
).map(tuple)


@settings(max_examples=300, deadline=None)
@given(st.none() | st.binary(max_size=10), JSON_TEXTS, HEADERS)
def test_headers_and_addresses_are_read_whatever_they_hold(
    key: bytes | None, value: bytes, headers: Headers
) -> None:
    origin = decode_origin(headers)
    assert origin is None or origin.partition >= 0
    letter = readable_dead_letter(key, value, headers, None)
    assert letter.partition >= -1
    assert json.loads(msgspec.json.encode(letter))
    assert 0 <= address(value, 4).partition < 4
