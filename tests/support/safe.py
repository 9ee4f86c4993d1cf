"""A Kafka that asks for TLS and passwords and allows nothing unless told to."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.admin import CreateAclsRequest, DeleteAclsRequest

from streamer.broker import EmbeddedKafka, Security
from streamer.engine.acls import Acl
from streamer.engine.clients import connection
from streamer.settings import Settings, load_settings
from tests.support.authority import Authority

HOST = "127.0.0.1"
ROOT = "root"
USERS = {
    name: f"{name}-{uuid.uuid4().hex}" for name in (ROOT, "scorer", "maker", "shop", "watcher")
}
RESOURCES = {"topic": 2, "group": 3, "cluster": 4, "transactional-id": 5}
OPERATIONS = {"Read": 3, "Write": 4, "Create": 5, "Describe": 8, "DescribeConfigs": 10}
LITERAL, PREFIXED = 3, 4
ALLOW = 3


class SafeKafka:
    """The broker, its authority, and who may do what; of ``USERS`` only root may do anything."""

    def __init__(self, kafka: EmbeddedKafka, authority: Authority) -> None:
        self.kafka = kafka
        self.authority = authority

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    def settings(self, user: str, **more: object) -> dict[str, object]:
        """Return what a client must set to be ``user``."""
        return {
            "security_protocol": "SASL_SSL",
            "ssl_ca_file": self.authority.file,
            "sasl_username": user,
            "sasl_password": USERS[user],
            **more,
        }

    def loaded(self, user: str, **more: object) -> Settings:
        return load_settings(brokers=self.bootstrap, **self.settings(user, **more))

    async def allow(self, user: str, acls: Iterable[Acl]) -> None:
        admin = await self._root()
        try:
            for acl in acls:
                done = await admin._send_to_controller(CreateAclsRequest(*told(user, acl)))
                ((error, message),) = done.creation_responses
                assert not error, message
        finally:
            await admin.close()

    async def withdraw(self, user: str, acls: Iterable[Acl]) -> None:
        admin = await self._root()
        try:
            for acl in acls:
                done = await admin._send_to_controller(DeleteAclsRequest(*told(user, acl)))
                ((error, message, matched),) = done.filter_responses
                assert (error, len(matched)) == (0, 1), message
        finally:
            await admin.close()

    async def _root(self) -> AIOKafkaAdminClient:
        admin = AIOKafkaAdminClient(**connection(self.loaded(ROOT)))
        await admin.start()
        return admin


def told(user: str, acl: Acl) -> tuple[int, str, int, str, str, int, int]:
    """Return an ACL as Kafka's protocol has it."""
    pattern = PREFIXED if acl.prefixed else LITERAL
    operation = OPERATIONS[acl.operation]
    return RESOURCES[acl.resource], acl.name, pattern, f"User:{user}", "*", operation, ALLOW


@contextmanager
def safe_broker(folder: Path, authority: Authority, **security: object) -> Iterator[EmbeddedKafka]:
    """Run a broker with a certificate of ``authority``."""
    asked = Security(authority.certificate(HOST), authority.file, users=USERS, **security)  # type: ignore[arg-type]
    with EmbeddedKafka(folder / "kafka", host=HOST, security=asked) as kafka:
        yield kafka
