"""What Kafka says that this client may do (KIP-430). aiokafka does not know these answers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    IncompatibleBrokerVersion,
    NodeNotReadyError,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
)
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Bytes, Int16, Int32, Schema, String

from streamer.engine.acls import Acl

TEXT = String("utf-8")
BITS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
"""Operation → its bit in Kafka's answers."""

UNTOLD = -(2**31)
"""Stands where a broker does not tell."""

GROUP, TRANSACTION = 0, 1
"""A coordinator's kind, when one is asked for."""

NOT_YET = (GroupCoordinatorNotAvailableError, NodeNotReadyError)
COORDINATOR_SECONDS_MAX = 10.0
"""A new cluster makes its coordinators' topics when the first client asks."""


class _TopicsResponse(Response):  # type: ignore[misc] # aiokafka ships no types
    API_KEY = 3
    API_VERSION = 8
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        ("brokers", Array(("node_id", Int32), ("host", TEXT), ("port", Int32), ("rack", TEXT))),
        ("cluster_id", TEXT),
        ("controller_id", Int32),
        (
            "topics",
            Array(
                ("error_code", Int16),
                ("name", TEXT),
                ("is_internal", Boolean),
                (
                    "partitions",
                    Array(
                        ("error_code", Int16),
                        ("index", Int32),
                        ("leader_id", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", Array(Int32)),
                        ("in_sync", Array(Int32)),
                        ("offline", Array(Int32)),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
        ("cluster_operations", Int32),
    )


class _TopicsStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 3
    API_VERSION = 8
    RESPONSE_TYPE = _TopicsResponse
    SCHEMA = Schema(
        ("topics", Array(TEXT)),
        ("may_create", Boolean),
        ("with_cluster_operations", Boolean),
        ("with_topic_operations", Boolean),
    )


class _TopicsRequest(Request[_TopicsStruct]):  # type: ignore[misc]
    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[_TopicsStruct]) -> _TopicsStruct:
        return request_struct_class(
            topics=self._topics,
            may_create=False,
            with_cluster_operations=False,
            with_topic_operations=True,
        )


class _GroupResponse(Response):  # type: ignore[misc]
    API_KEY = 15
    API_VERSION = 3
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "groups",
            Array(
                ("error_code", Int16),
                ("group", TEXT),
                ("state", TEXT),
                ("protocol_type", TEXT),
                ("protocol", TEXT),
                (
                    "members",
                    Array(
                        ("member_id", TEXT),
                        ("client_id", TEXT),
                        ("client_host", TEXT),
                        ("metadata", Bytes),
                        ("assignment", Bytes),
                    ),
                ),
                ("operations", Int32),
            ),
        ),
    )


class _GroupStruct(RequestStruct):  # type: ignore[misc]
    API_KEY = 15
    API_VERSION = 3
    RESPONSE_TYPE = _GroupResponse
    SCHEMA = Schema(("groups", Array(TEXT)), ("with_operations", Boolean))


class _GroupRequest(Request[_GroupStruct]):  # type: ignore[misc]
    API_KEY = 15

    def __init__(self, group: str) -> None:
        self._group = group

    def build(self, request_struct_class: type[_GroupStruct]) -> _GroupStruct:
        return request_struct_class(groups=[self._group], with_operations=True)


async def missing(admin: AIOKafkaAdminClient, wanted: list[Acl]) -> list[Acl]:
    """Return those of ``wanted`` that Kafka surely does not allow; it is not asked of the cluster.

    That a topic does not exist, or a coordinator takes long to come, is no want of rights. Brokers
    that do not know the question allow everything, as far as is known.
    """
    with suppress(IncompatibleBrokerVersion, NotImplementedError):
        return await _missing(admin, wanted)
    return []


async def _missing(admin: AIOKafkaAdminClient, wanted: list[Acl]) -> list[Acl]:
    names = sorted({acl.name for acl in wanted if acl.resource == "topic"})
    on_topics = await _on_topics(admin, names)
    refused = []
    for acl in wanted:
        allowed: set[str] | None = None
        match acl.resource:
            case "topic":
                allowed = on_topics.get(acl.name)
            case "group":
                allowed = await _on_group(admin, acl.name)
            case "transactional-id":
                allowed = await _on_transaction(admin, acl.name)
        if allowed is not None and acl.operation not in allowed:
            refused.append(acl)
    return refused


async def _on_topics(admin: AIOKafkaAdminClient, names: list[str]) -> dict[str, set[str] | None]:
    node = admin._client.get_random_node()  # noqa: SLF001 - it has no public way to send these
    response = await admin._client.send(node, _TopicsRequest(names))  # noqa: SLF001
    allowed: dict[str, set[str] | None] = {}
    for error, name, _, _, operations in response.topics:
        if error in (0, TopicAuthorizationFailedError.errno):
            allowed[name] = set() if error else _named(operations)
    return allowed


async def _on_group(admin: AIOKafkaAdminClient, group: str) -> set[str] | None:
    async for _ in _attempts():
        with suppress(*NOT_YET):
            try:
                node = await admin.find_coordinator(group, GROUP)
            except GroupAuthorizationFailedError:
                return set()
            response = await admin._client.send(node, _GroupRequest(group))  # noqa: SLF001
            ((error, *_, operations),) = response.groups
            if error == GroupAuthorizationFailedError.errno:
                return set()
            if not error:
                return _named(operations)
    return None


async def _on_transaction(admin: AIOKafkaAdminClient, prefix: str) -> set[str] | None:
    """Ask for a coordinator, which changes nothing. Kafka tells no operations on these."""
    async for _ in _attempts():
        with suppress(*NOT_YET):
            try:
                await admin.find_coordinator(f"{prefix}0", TRANSACTION)
            except TransactionalIdAuthorizationFailed:
                return set()
            return set(BITS)
    return None


async def _attempts() -> AsyncIterator[None]:
    """Give attempts until it is too late to go on asking."""
    deadline = asyncio.get_running_loop().time() + COORDINATOR_SECONDS_MAX
    while asyncio.get_running_loop().time() < deadline:
        yield
        await asyncio.sleep(0.1)


def _named(operations: int) -> set[str] | None:
    return (
        None
        if operations == UNTOLD
        else {name for name, bit in BITS.items() if operations & 1 << bit}
    )
