"""What each of streamer's parts must be allowed to do in Kafka, and nothing more.

docs/security.md shows it; the tests run a worker that has been given exactly this. Reading and
writing include describing, in Kafka's own rules.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from streamer.engine.topics import topics_of
from streamer.records.kafka import (
    CHANGELOG,
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    EVENT_TOPICS,
    LTV_UPDATES,
    MODEL_PARAMS,
    PROGRAMME_MEASURES,
    PROGRAMME_PARTIALS,
    RECOMMENDED_ACTIONS,
    REFERRAL_CREDITS,
    REKEYED,
    SCORE_TOPICS,
    SEGMENT_CHANGES,
    WEBHOOK_DEAD_LETTERS,
)
from streamer.settings import Settings

Resource = Literal["topic", "group", "transactional-id", "cluster"]
Role = Literal["worker", "admin", "producer", "operator", "webhooks"]

CLUSTER_NAME = "kafka-cluster"

READ, WRITE, BOTH = ("Read",), ("Write",), ("Read", "Write")

WORKER: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(EVENT_TOPICS, READ),
    REKEYED: BOTH,
    REFERRAL_CREDITS: BOTH,
    CHANGELOG: BOTH,
    LTV_UPDATES: WRITE,
    CHURN_RISK_UPDATES: WRITE,
    SEGMENT_CHANGES: WRITE,
    RECOMMENDED_ACTIONS: WRITE,
    MODEL_PARAMS: READ,
    PROGRAMME_MEASURES: BOTH,
    PROGRAMME_PARTIALS: BOTH,
    DEAD_LETTERS: WRITE,
}


class Acl(NamedTuple):
    """One operation allowed on one resource; ``prefixed`` if on all whose names begin so."""

    operation: str
    resource: Resource
    name: str
    prefixed: bool = False

    def __str__(self) -> str:
        """Say it as the options of ``kafka-acls``."""
        name = " --cluster" if self.resource == "cluster" else f" --{self.resource} {self.name}"
        pattern = " --resource-pattern-type prefixed" if self.prefixed else ""
        return f"--operation {self.operation}{name}{pattern}"


def acls(role: Role, settings: Settings) -> list[Acl]:
    """Return what ``role`` needs with these settings, in the order of the topics."""
    return list(_OF_ROLE[role](settings))


def _worker(settings: Settings) -> Iterator[Acl]:
    wanted = WORKER | dict.fromkeys(settings.adapters, READ)
    if settings.takes_events:
        wanted |= dict.fromkeys(EVENT_TOPICS, BOTH)
    if settings.fit_interval_hours:
        wanted |= {MODEL_PARAMS: BOTH}
    for topic, operations in wanted.items():
        for operation in operations:
            yield Acl(operation, "topic", settings.topics[topic])
    yield Acl("Read", "group", settings.group_id)
    # One producer a partition, and one for the figures of the shop.
    transactions = f"{settings.group_id}-{settings.topic_prefix}"
    yield Acl("Write", "transactional-id", transactions, prefixed=True)


def _admin(settings: Settings) -> Iterator[Acl]:
    for topic in topics_of(settings):
        for operation in ("Create", "Describe", "DescribeConfigs"):
            yield Acl(operation, "topic", settings.topics[topic])


def _producer(settings: Settings) -> Iterator[Acl]:
    for topic in settings.event_topics:
        yield Acl("Write", "topic", settings.topics[topic])


def _operator(settings: Settings) -> Iterator[Acl]:
    # `dlq replay` writes to whatever topic a record was refused from.
    written = (*settings.source_topics, MODEL_PARAMS, PROGRAMME_MEASURES)
    for topic in topics_of(settings):
        for operation in ("Read", "DescribeConfigs", *(WRITE if topic in written else ())):
            yield Acl(operation, "topic", settings.topics[topic])
    yield Acl("Describe", "group", settings.group_id)
    yield Acl("Describe", "cluster", CLUSTER_NAME)


def _webhooks(settings: Settings) -> Iterator[Acl]:
    wanted = {output for endpoint in settings.endpoints for output in endpoint.outputs}
    for topic in SCORE_TOPICS:
        if topic in wanted:
            yield Acl("Read", "topic", settings.topics[topic])
    yield Acl("Write", "topic", settings.topics[WEBHOOK_DEAD_LETTERS])
    for endpoint in settings.endpoints:
        yield Acl("Read", "group", settings.webhook_group_id(endpoint.name))


_OF_ROLE = {
    "worker": _worker,
    "admin": _admin,
    "producer": _producer,
    "operator": _operator,
    "webhooks": _webhooks,
}
