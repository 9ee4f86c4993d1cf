"""The topics streamer needs, and making or checking them."""

from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from streamer.engine.clients import DEAD_LETTER_BYTES_MAX, connection
from streamer.errors import StreamerError
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
    SEGMENT_CHANGES,
    WEBHOOK_DEAD_LETTERS,
)
from streamer.settings import Settings

COMPACTED = {"cleanup.policy": "compact"}
KEPT = {"retention.ms": "-1"}
LARGE = {"max.message.bytes": str(DEAD_LETTER_BYTES_MAX)}

TOPICS: dict[str, dict[str, str]] = {
    **dict.fromkeys(EVENT_TOPICS, KEPT),
    REKEYED: {**KEPT, **LARGE},
    REFERRAL_CREDITS: KEPT,
    CHANGELOG: COMPACTED,
    LTV_UPDATES: COMPACTED,
    CHURN_RISK_UPDATES: COMPACTED,
    SEGMENT_CHANGES: COMPACTED,
    RECOMMENDED_ACTIONS: COMPACTED,
    MODEL_PARAMS: COMPACTED,
    PROGRAMME_MEASURES: COMPACTED,
    PROGRAMME_PARTIALS: COMPACTED,
    DEAD_LETTERS: {**KEPT, **LARGE},
}


def topics_of(settings: Settings) -> dict[str, dict[str, str]]:
    """Return all topics of these settings, without the prefix, and how they are configured."""
    refused = [WEBHOOK_DEAD_LETTERS] if settings.webhook_urls else []
    return TOPICS | {name: {**KEPT, **LARGE} for name in (*settings.adapters, *refused)}


class Finding(NamedTuple):
    """What is wrong with a topic, and what to do."""

    topic: str
    fault: str
    remedy: str


class TopicError(StreamerError):
    """A topic is missing or not as needed."""


async def create_topics(settings: Settings) -> list[str]:
    """Make every topic that is missing; return the names of those made.

    Raises:
        TopicError: the broker refused.
    """
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        existing = set(await admin.list_topics())
        missing = [name for name in topics_of(settings) if settings.topics[name] not in existing]
        response = await admin.create_topics([_new_topic(settings, name) for name in missing])
        _check(response.topic_errors)
        return [settings.topics[name] for name in missing]
    finally:
        await admin.close()


def _new_topic(settings: Settings, name: str) -> NewTopic:
    return NewTopic(
        settings.topics[name],
        num_partitions=settings.partitions,
        replication_factor=settings.replication_factor,
        topic_configs=topics_of(settings)[name],
    )


def _check(errors: list[tuple[object, ...]]) -> None:
    for topic, code, *rest in errors:
        if code and code != TopicAlreadyExistsError.errno:
            reason = (rest and rest[0]) or for_code(code).__name__
            raise TopicError(f"the broker would not make {topic}: {reason}")


async def check_topics(settings: Settings) -> list[Finding]:
    """Return what is wrong with the topics; empty when all is well."""
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        needed = topics_of(settings)
        names = [settings.topics[name] for name in needed]
        described = {topic["topic"]: topic for topic in await admin.describe_topics(names)}
        findings = []
        for name, wanted in needed.items():
            topic = settings.topics[name]
            found = described.get(topic)
            if not found or found["error_code"]:
                findings.append(Finding(topic, "is missing", "run `streamer topics create`"))
            else:
                findings += _compare(settings, topic, found)
                findings += await _compare_policy(admin, topic, wanted)
        return findings
    finally:
        await admin.close()


def _compare(
    settings: Settings, topic: str, found: dict[str, list[dict[str, list[int]]]]
) -> list[Finding]:
    partitions = found["partitions"]
    findings = []
    if len(partitions) != settings.partitions:
        findings.append(
            Finding(
                topic,
                f"has {len(partitions)} partitions, not {settings.partitions}",
                "set STREAMER_PARTITIONS to the number that all input topics have, or make the "
                "topics anew under another STREAMER_TOPIC_PREFIX",
            )
        )
    replicas = min((len(partition["replicas"]) for partition in partitions), default=0)
    if replicas < settings.replication_factor:
        findings.append(
            Finding(
                topic,
                f"has {replicas} replicas, not {settings.replication_factor}",
                "raise it with kafka-reassign-partitions",
            )
        )
    return findings


async def _compare_policy(
    admin: AIOKafkaAdminClient, topic: str, wanted: dict[str, str]
) -> list[Finding]:
    policy = wanted.get("cleanup.policy", "delete")
    response = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    found = {entry[0]: entry[1] for entry in response[0].resources[0][4]}
    if found.get("cleanup.policy") == policy:
        return []
    return [
        Finding(
            topic,
            f"has cleanup.policy={found.get('cleanup.policy')}, not {policy}",
            f"kafka-configs --alter --entity-type topics --entity-name {topic} "
            f"--add-config cleanup.policy={policy}",
        )
    ]
