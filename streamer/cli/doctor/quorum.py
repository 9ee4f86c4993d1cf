"""The brokers' clock, without writing anything: Kafka's DescribeQuorum tells what time it is there.

Of the controllers' leader the answer says that it has caught up with itself just now, and when that
is. Clients have no other request whose answer has the brokers' time in it. (KIP-595, KIP-836; API
key 55, version 1. aiokafka does not know it.)
"""

import time

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import (
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Int64,
    Schema,
    TaggedFields,
)

API_KEY = 55
API_VERSION = 1
TOPIC, PARTITION = "__cluster_metadata", 0

_TAGS = ("tags", TaggedFields)
_REPLICAS = CompactArray(
    ("replica_id", Int32),
    ("log_end_offset", Int64),
    ("last_fetch_timestamp", Int64),
    ("last_caught_up_timestamp", Int64),
    _TAGS,
)


class _Response(Response):  # type: ignore[misc] # aiokafka ships no types
    API_KEY = API_KEY
    API_VERSION = API_VERSION
    SCHEMA = Schema(
        ("error_code", Int16),
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                (
                    "partitions",
                    CompactArray(
                        ("index", Int32),
                        ("error_code", Int16),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("high_watermark", Int64),
                        ("voters", _REPLICAS),
                        ("observers", _REPLICAS),
                        _TAGS,
                    ),
                ),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _RequestStruct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = API_KEY
    API_VERSION = API_VERSION
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("name", CompactString("utf-8")),
                ("partitions", CompactArray(("index", Int32), _TAGS)),
                _TAGS,
            ),
        ),
        _TAGS,
    )


class _Request(Request[_RequestStruct]):  # type: ignore[misc]
    API_KEY = API_KEY

    def build(self, request_struct_class: type[_RequestStruct]) -> _RequestStruct:
        return request_struct_class([(TOPIC, [(PARTITION, {})], {})], {})


async def clock_skew_seconds(admin: AIOKafkaAdminClient) -> float | None:
    """Return how far this machine's clock is ahead of the controller's; None if it cannot be told.

    It is exact to half of the time that the answer takes.
    """
    asked_at = time.time()
    response = await admin._client.send(admin._client.get_random_node(), _Request())  # noqa: SLF001 - it has no public way to send a request of ours
    here = (asked_at + time.time()) / 2
    for _, partitions, _ in response.topics:
        for _, error_code, leader_id, _, _, voters, _, _ in partitions:
            for replica_id, _, _, caught_up_ms, _ in voters:
                if not error_code and replica_id == leader_id and caught_up_ms > 0:
                    return here - float(caught_up_ms) / 1000
    return None
