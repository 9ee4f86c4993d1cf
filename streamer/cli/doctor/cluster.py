"""The checks that ask Kafka: topics, the group's lag, the clock, what producers do."""

import asyncio
import time
import zlib
from collections import Counter
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError, GroupLoadInProgressError

from streamer.cli.doctor.quorum import clock_skew_seconds
from streamer.cli.doctor.verdicts import Verdict
from streamer.cli.reading import Offsets, partitions_of, ranges, read
from streamer.cli.showing import counted
from streamer.engine.topics import check_topics, topics_of
from streamer.records.kafka import REKEYED
from streamer.records.partitioning import partition_of
from streamer.serdes.origins import decode_origin
from streamer.settings import Settings

REPLICAS = 3
SKEW_SECONDS_MAX = 5.0
LAG_SECONDS_MAX = 60.0
RECORD_SECONDS_MAX = 2.0
DAY_MS = 86_400_000
REKEYED_RECORDS_MAX = 10_000
"""As many of the last day's re-keyed records are looked at, in each partition."""

MOST = 0.9
"""This share of a topic's re-keyed records tells the producer's way."""


async def topics(settings: Settings) -> list[Verdict]:
    """Look for the topics and how they are set up."""
    findings = await check_topics(settings)
    if not findings:
        number = len(topics_of(settings))
        text = f"all {number} topics are as needed, {settings.partitions} partitions each"
        return [Verdict("topics", True, text)]
    alike: dict[tuple[str, str], list[str]] = {}
    for topic, fault, remedy in findings:
        alike.setdefault((fault, remedy), []).append(topic)
    return [
        Verdict("topics", False, f"{', '.join(names)}: {fault}", remedy)
        for (fault, remedy), names in alike.items()
    ]


async def replication(settings: Settings, admin: AIOKafkaAdminClient, brokers: int) -> Verdict:
    """Look whether topics outlive the loss of a broker, where there is more than one."""
    names = [settings.topics[name] for name in topics_of(settings)]
    fewest = {
        topic["topic"]: min(len(partition["replicas"]) for partition in topic["partitions"])
        for topic in await admin.describe_topics(names)
    }
    single = [topic for topic, replicas in fewest.items() if replicas == 1]
    if brokers == 1:
        text = "one broker, so one replica: for a machine of one's own, not for production"
        return Verdict("replication", True, text)
    if not single:
        text = f"{min(fewest.values())} replicas or more of each topic"
        return Verdict("replication", True, text)
    text = f"{counted(len(single), 'topic')} of one replica on {brokers} brokers: {single[0]}, …"
    remedy = (
        f"set STREAMER_REPLICATION_FACTOR={min(brokers, REPLICAS)} before topics are made, and "
        "raise these by kafka-reassign-partitions: else a lost broker takes their records along"
    )
    return Verdict("replication", False, text, remedy)


async def clock(admin: AIOKafkaAdminClient) -> Verdict:
    """Compare this machine's clock with the brokers'."""
    skew = await clock_skew_seconds(admin)
    if skew is None:
        return Verdict("clock", True, "not compared: the cluster does not tell its time")
    text = f"{abs(skew):.1f} s {'ahead of' if skew > 0 else 'behind'} the brokers' clock"
    if abs(skew) <= SKEW_SECONDS_MAX:
        return Verdict("clock", True, text)
    remedy = (
        "let NTP set both: else silence is told of at the wrong time, and events lie in the future"
    )
    return Verdict("clock", False, text, remedy)


# -- the group --------------------------------------------------------------------------------


async def group(
    settings: Settings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
) -> Verdict:
    """Look whether workers run and keep up."""
    workers = await members(admin, settings.group_id)
    committed, ends = await _positions(settings, admin, consumer)
    behind = {tp: ends[tp] - committed[tp] for tp in ends if ends[tp] > committed[tp]}
    waited = await waited_seconds(consumer, {tp: committed[tp] for tp in behind})
    text = f"group {settings.group_id}: {counted(workers, 'worker')}, "
    text += f"{counted(sum(behind.values()), 'record')} behind" if waited else "nothing behind"
    if waited:
        text += f", the oldest written {waited:,.0f} s ago"
    if not workers:
        return Verdict("group", False, text, "start `streamer worker`, or set STREAMER_GROUP_ID")
    if waited > LAG_SECONDS_MAX:
        remedy = f"add workers, up to {settings.partitions}, or see their logs and /metrics"
        return Verdict("group", False, text, remedy)
    return Verdict("group", True, text)


async def members(admin: AIOKafkaAdminClient, group_id: str) -> int:
    """Return how many members the group has."""
    for _ in range(20):
        try:
            (response,) = await admin.describe_consumer_groups([group_id])
        except (GroupCoordinatorNotAvailableError, GroupLoadInProgressError):
            await asyncio.sleep(0.25)  # a new cluster makes the coordinators' topic only now
        else:
            members: list[Any] = response.groups[0][5]
            return len(members)
    raise GroupCoordinatorNotAvailableError


async def _positions(
    settings: Settings, admin: AIOKafkaAdminClient, consumer: AIOKafkaConsumer
) -> tuple[Offsets, Offsets]:
    """Return what the group has committed, or the first offsets, and the ends."""
    partitions = [tp for topic in settings.source_topics for tp in partitions_of(settings, topic)]
    firsts, ends = await ranges(consumer, partitions)
    offsets = await admin.list_consumer_group_offsets(settings.group_id)
    committed = {tp: offsets[tp].offset if tp in offsets else -1 for tp in partitions}
    return {tp: max(committed[tp], firsts[tp]) for tp in partitions}, ends


async def waited_seconds(consumer: AIOKafkaConsumer, starts: Offsets) -> float:
    """Return for how long the oldest of the first records from ``starts`` on has waited.

    0 where there are none: what lies between may be transactions' markers.
    """
    consumer.assign(list(starts))
    oldest = now = time.time()
    for tp, offset in starts.items():
        consumer.seek(tp, offset)
    for tp in starts:
        try:
            record = await asyncio.wait_for(consumer.getone(tp), RECORD_SECONDS_MAX)
        except TimeoutError:
            continue
        oldest = min(oldest, record.timestamp / 1000)
    return now - oldest


# -- producers --------------------------------------------------------------------------------


async def producers(settings: Settings, consumer: AIOKafkaConsumer) -> list[Verdict]:
    """Look in the last day's re-keyed records for who keys or partitions in another way."""
    partitions = partitions_of(settings, REKEYED)
    firsts, ends = await ranges(consumer, partitions)
    yesterday = round(time.time() * 1000) - DAY_MS
    since = await consumer.offsets_for_times(dict.fromkeys(partitions, yesterday))
    starts = {
        tp: max(found.offset, firsts[tp], ends[tp] - REKEYED_RECORDS_MAX)
        for tp, found in since.items()
        if found is not None
    }
    foreign = {settings.topics[name] for name in settings.adapters}  # all of theirs is re-keyed
    ways: Counter[tuple[str, str]] = Counter()
    async for records in read(consumer, starts, ends):
        ways.update(way for way in ways_of(records, settings.partitions) if way[0] not in foreign)
    by_topic: dict[str, Counter[str]] = {}
    for (topic, way), number in ways.items():
        by_topic.setdefault(topic, Counter())[way] += number
    return [producer_verdict(topic, found) for topic, found in sorted(by_topic.items())] or [
        Verdict("producers", True, "no record of the last day had to change its partition")
    ]


def ways_of(records: Iterable[ConsumerRecord], partitions: int) -> Iterable[tuple[str, str]]:
    """Give the producer's topic of each re-keyed record and how it seems to have been placed."""
    for record in records:
        topic, place, _, _ = decode_origin(record.headers) or ("?", -1, -1, -1)
        if place == partition_of(record.key, partitions):
            yield topic, "key"
        elif place == zlib.crc32(record.key) % partitions:
            yield topic, "crc32"
        else:
            yield topic, "other"


_REMEDIES = {
    "key": ("their key is not their customer_id", "key each record by its customer_id, bare text"),
    "crc32": (
        "they are placed by CRC32, librdkafka's default",
        "set partitioner=murmur2_random in that producer",
    ),
    "other": (
        "they have no key, or lie elsewhere than murmur2 puts them",
        "key each record by its customer_id and place it by murmur2, as Java's default does",
    ),
}


def producer_verdict(topic: str, ways: Counter[str]) -> Verdict:
    """Return what is wrong with who writes to ``topic``, by what most of its records show."""
    way, number = ways.most_common(1)[0]
    fault, remedy = _REMEDIES[way if number >= MOST * ways.total() else "other"]
    text = f"{counted(ways.total(), 'record')} of {topic} went to another partition: {fault}"
    return Verdict("producers", False, text, remedy)
