"""Least privilege: each part has exactly the rights that docs/security.md lists, and works."""

import asyncio
import json
from pathlib import Path

import pytest
import pytest_asyncio
from aiokafka.admin import AIOKafkaAdminClient

from streamer.broker import EmbeddedKafka
from streamer.engine import permissions
from streamer.engine.acls import Acl, acls
from streamer.engine.clients import connection
from streamer.settings import Settings, load_settings
from tests.support.documented import documented
from tests.support.safe import USERS, SafeKafka
from tests.support.stage import Stage
from tests.support.worker import Worker

PREFIX = "acl."
GROUP = "acl-group"
ROLES = {"worker": "scorer", "admin": "maker", "producer": "shop", "operator": "watcher"}
EVENT = {
    "event_id": "e1",
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": "2026-01-01T10:00:00Z",
    "order_id": "o1",
    "amount": "20.00",
    "currency": "USD",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def granted(safe_kafka: SafeKafka) -> SafeKafka:
    """Kafka with each role played by a user who may do what the page says, and nothing else."""
    for role, user in ROLES.items():
        await safe_kafka.allow(user, documented(role, prefix=PREFIX, group=GROUP))
    return safe_kafka


def corner_of(kafka: SafeKafka, role: str, folder: Path) -> Stage:
    own: dict[str, object] = {
        "topic_prefix": PREFIX,
        "group_id": GROUP,
        "create_topics": False,
        "clock": "stream",
    }
    own |= {"partitions": 2, "programme_interval_seconds": 0.3}
    return Stage(kafka.bootstrap, folder, {**own, **kafka.settings(ROLES[role])})


def settings_of(kafka: SafeKafka, role: str) -> Settings:
    return kafka.loaded(ROLES[role], topic_prefix=PREFIX, group_id=GROUP, partitions=2)


async def found_missing(settings: Settings) -> list[Acl]:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        return await permissions.missing(admin, acls("worker", settings))
    finally:
        await admin.close()


@pytest.mark.timeout(400)  # a worker starts twice
async def test_each_part_does_its_work_with_the_documented_rights(
    granted: SafeKafka, tmp_path: Path
) -> None:
    admin, shop, watcher = (
        corner_of(granted, role, tmp_path) for role in ("admin", "producer", "operator")
    )
    assert "14 of them new" in admin.create_topics()
    assert admin.command("topics", "check").returncode == 0
    events = [EVENT, {**EVENT, "event_id": "e2", "amount": "x"}]
    sent = shop.command("send", "-", stdin="".join(json.dumps(event) + "\n" for event in events))
    assert sent.returncode == 0, sent.stderr
    assert shop.command("customer", "ann").returncode == 1

    worker = corner_of(granted, "worker", tmp_path).worker("worker")
    with worker:
        await worker.ready()
        await scored(worker, watcher, "20.00")
        for command in ("topics check", "dlq list", "doctor", "programme"):
            await done(watcher, command)
        # With a member in the group Kafka's answers are longer.
        assert await found_missing(settings_of(granted, "worker")) == []
        await a_right_taken_away(granted, worker, shop, watcher)
    assert not [word for word in USERS.values() if word in worker.log]


async def done(watcher: Stage, command: str) -> None:
    """Run ``command`` until it succeeds: the shop's figures come some seconds after the scores."""
    said = ""
    for _ in range(30):
        ended = await asyncio.to_thread(watcher.command, *command.split())
        if ended.returncode == 0:
            return
        said = ended.stdout + ended.stderr
        await asyncio.sleep(1)
    raise AssertionError(command + said)


async def a_right_taken_away(
    granted: SafeKafka, worker: Worker, shop: Stage, watcher: Stage
) -> None:
    """A worker at work ends, says why, and has not gone past the event."""
    right = Acl("Write", "topic", f"{PREFIX}ltv-updates")
    await granted.withdraw(ROLES["worker"], [right])
    third = json.dumps({**EVENT, "event_id": "e3", "order_id": "o3"})
    assert shop.command("send", "-", stdin=third).returncode == 0
    worker.may_leave = True
    assert await worker.ended(60) != 0
    assert "TopicAuthorizationFailed" in worker.log
    assert right.name in worker.log
    await granted.allow(ROLES["worker"], [right])
    worker.start()
    await worker.ready()
    await scored(worker, watcher, "40.00")
    assert await worker.stop() == 0, worker.told("did not end well")


async def test_a_kafka_without_acls_allows_everything(kafka: EmbeddedKafka) -> None:
    assert await found_missing(load_settings(brokers=kafka.bootstrap)) == []


def test_a_broker_that_tells_nothing_refuses_nothing() -> None:
    assert permissions._named(-(2**31)) is None
    assert permissions._named(1 << 3 | 1 << 8) == {"Read", "Describe"}


async def test_the_right_that_is_missing_is_named(granted: SafeKafka, tmp_path: Path) -> None:
    """Each of them is taken away in turn, and given back."""
    settings = settings_of(granted, "worker")
    user = ROLES["worker"]
    assert await found_missing(settings) == []
    for right in acls("worker", settings):
        await granted.withdraw(user, [right])
        assert await found_missing(settings) == [right]
        await granted.allow(user, [right])


@pytest.mark.parametrize("resource", ["topic", "group", "transactional-id"])
async def test_a_worker_without_a_right_says_which_and_does_not_start(
    granted: SafeKafka, tmp_path: Path, resource: str
) -> None:
    settings = settings_of(granted, "worker")
    right = next(acl for acl in acls("worker", settings) if acl.resource == resource)
    await granted.withdraw(ROLES["worker"], [right])
    done = await asyncio.to_thread(corner_of(granted, "worker", tmp_path).command, "worker")
    await granted.allow(ROLES["worker"], [right])
    said = " ".join(done.stderr.split())
    assert done.returncode == 1
    assert said.startswith(f"streamer: Kafka does not allow this worker: {right}. Allow it")


async def test_a_user_without_any_right_is_refused_by_every_command(
    granted: SafeKafka, tmp_path: Path
) -> None:
    corner = corner_of(granted, "producer", tmp_path)
    for command in (["worker"], ["topics", "create"], ["customer", "ann"], ["dlq", "list"]):
        done = await asyncio.to_thread(corner.command, *command)
        assert done.returncode == 1, command
        assert done.stderr.startswith("streamer: "), done.stderr
        assert "Traceback" not in done.stderr


async def scored(worker: Worker, watcher: Stage, worth: str) -> None:
    """Wait until this life of the worker has committed a score, and read it."""
    async with asyncio.timeout(90):
        while not (await worker.figures()).get("streamer_scores_total"):
            await asyncio.sleep(0.1)
    done = await asyncio.to_thread(watcher.command, "customer", "ann", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["ltv"]["historic_clv"] == worth
