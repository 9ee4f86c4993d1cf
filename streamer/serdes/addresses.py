"""Where an event goes, told from its bytes: ``streamer send`` and a replay go by the same rule."""

from typing import NamedTuple

import msgspec
from msgspec import Struct

from streamer.records.kafka import TOPIC_OF_TYPE
from streamer.records.partitioning import partition_of

UNKEYED_PARTITION = 0
"""Of what names no customer. A fixed one, so that what was sent and replayed has equal offsets."""


class Address(NamedTuple):
    """The topic, without the prefix, its partition, and the record's key."""

    topic: str
    partition: int
    key: bytes | None


class _Addressed(Struct):
    """What of an event says where it goes."""

    type: str = "purchase"
    customer_id: str = ""


_decode = msgspec.json.Decoder(_Addressed).decode
_NOWHERE = _Addressed()


def address(value: bytes, partitions: int) -> Address:
    """Return the address of the event ``value``: by its type, and by murmur2 of its customer.

    What is no event goes to the purchases without a key: it becomes a dead letter there.

    >>> address(b'{"type": "referral", "customer_id": "anna"}', 4)
    Address(topic='referrals', partition=3, key=b'anna')
    >>> address(b"no event", 4)
    Address(topic='purchases', partition=0, key=None)
    """
    try:
        found = _decode(value)
        key = found.customer_id.encode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        found, key = _NOWHERE, b""
    topic = TOPIC_OF_TYPE.get(found.type, "purchases")
    if not key:
        return Address(topic, UNKEYED_PARTITION, None)
    return Address(topic, partition_of(key, partitions), key)
