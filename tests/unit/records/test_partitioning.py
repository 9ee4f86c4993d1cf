"""The oracles are aiokafka's murmur2 and the values in Kafka's own UtilsTest."""

import pytest
from aiokafka.partitioner import murmur2 as aiokafka_murmur2
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.partitioning import murmur2, partition_of, partitions_of

KEYS = st.binary(max_size=40) | st.text(max_size=30).map(str.encode)


@pytest.mark.parametrize(
    ("key", "signed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_hashes_are_kafkas(key: bytes, signed: int) -> None:
    assert murmur2(key) == signed % 2**32


@settings(max_examples=500, deadline=None)
@given(KEYS)
def test_hashes_are_aiokafkas(key: bytes) -> None:
    assert murmur2(key) == aiokafka_murmur2(key) % 2**32


@settings(max_examples=200, deadline=None)
@given(st.lists(KEYS, max_size=30), st.integers(1, 1000))
def test_many_at_once_are_each_one(keys: list[bytes], partitions: int) -> None:
    expected = [(aiokafka_murmur2(key) & 0x7FFFFFFF) % partitions for key in keys]
    assert partitions_of(keys, partitions) == expected
    assert [partition_of(key, partitions) for key in keys] == expected
