"""What keeps a worker from writing to one of its topics, and how it goes away again."""

from collections.abc import Awaitable, Callable

from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from tests.support.administration import COMPACTED, admin, configure

AUTHORIZER = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": "true",
}
"""Properties of a broker that asks what clients may do."""

EVERYBODY = "User:ANONYMOUS"
TOPIC, LITERAL = 2, 3
ALL, WRITE = 2, 4
DENY, ALLOW = 2, 3
KAFKAS_MAX = "1048588"

Obstacle = Callable[[str, str], Awaitable[None]]
"""Of a bootstrap address and a compacted topic."""


async def take_small_messages_only(bootstrap: str, topic: str) -> None:
    await _limit(bootstrap, topic, "100")


async def take_usual_messages(bootstrap: str, topic: str) -> None:
    await _limit(bootstrap, topic, KAFKAS_MAX)


async def _limit(bootstrap: str, topic: str, bytes_max: str) -> None:
    await configure(bootstrap, topic, {**COMPACTED, "max.message.bytes": bytes_max})


async def deny_writing(bootstrap: str, topic: str) -> None:
    # A topic of which some rule speaks is closed to all that no rule allows.
    for operation, permission in ((ALL, ALLOW), (WRITE, DENY)):
        rule = (TOPIC, topic, LITERAL, EVERYBODY, "*", operation, permission)
        async with admin(bootstrap) as client:
            answer = await client._send_request(CreateAclsRequest(*rule))
        assert answer.creation_responses[0][0] == 0, answer


async def allow_writing(bootstrap: str, topic: str) -> None:
    rule = (TOPIC, topic, LITERAL, EVERYBODY, "*", WRITE, DENY)
    async with admin(bootstrap) as client:
        answer = await client._send_request(DeleteAclsRequest(*rule))
    assert answer.filter_responses[0][0] == 0, answer
