"""Which partition a customer lives in: Kafka's default partitioner for keyed records."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return the 32-bit murmur2 hash (Appleby) with the seed of Kafka's ``Utils.murmur2``.

    >>> murmur2(b"21") == (-973932308) & 0xFFFFFFFF
    True
    """
    length = len(data)
    h = 0x9747B28C ^ length
    whole = length - length % 4
    for place in range(0, whole, 4):
        k = int.from_bytes(data[place : place + 4], "little") * _M & _MASK
        k = (k ^ k >> 24) * _M & _MASK
        h = h * _M & _MASK ^ k
    if whole < length:
        h = (h ^ int.from_bytes(data[whole:], "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15


@lru_cache(maxsize=65_536)
def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition, 0 to ``partitions`` - 1, in which ``key`` lives.

    Java's default partitioner: toPositive(murmur2(key)) mod partitions.
    """
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def partitions_of(keys: Sequence[bytes], partitions: int) -> list[int]:
    """Return ``partition_of`` each of ``keys``: for many keys, an array operation a word."""
    found = np.empty(len(keys), dtype=np.int64)
    lengths = np.fromiter(map(len, keys), dtype=np.int64, count=len(keys))
    for length in map(int, np.unique(lengths)):
        places = np.flatnonzero(lengths == length).tolist()
        joined = b"".join([keys[place] for place in places])
        table = np.frombuffer(joined, dtype=np.uint8).reshape(len(places), length)
        found[places] = (_murmur2_rows(table) & 0x7FFFFFFF) % partitions
    numbers: list[int] = found.tolist()
    return numbers


def _murmur2_rows(
    table: np.ndarray[tuple[int, int], np.dtype[np.uint8]],
) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """Return ``murmur2`` of each row of bytes; 32-bit arithmetic wraps by itself."""
    rows, length = table.shape
    whole = length - length % 4
    m = np.uint32(_M)
    h = np.full(rows, 0x9747B28C ^ length, dtype=np.uint32)
    words = np.ascontiguousarray(table[:, :whole]).view("<u4")
    for place in range(whole // 4):
        k = words[:, place] * m
        h = h * m ^ (k ^ k >> np.uint32(24)) * m
    if whole < length:
        tail = np.zeros((rows, 4), dtype=np.uint8)
        tail[:, : length - whole] = table[:, whole:]
        h = (h ^ tail.view("<u4")[:, 0]) * m
    h = (h ^ h >> np.uint32(13)) * m
    return h ^ h >> np.uint32(15)
