"""Which partition a customer lives in: Kafka's default partitioner for keyed records."""

from functools import lru_cache

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
