"""Topics as an administrator changes them: their settings, and what of a changelog is kept."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from tests.support.topics import last_per_key, read_topic

COMPACTED = {"cleanup.policy": "compact"}
COMPACTED_AT_ONCE = {
    **COMPACTED,
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "0",
}
POLL_SECONDS = 0.5


@asynccontextmanager
async def admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def configure(bootstrap: str, topic: str, settings: dict[str, str]) -> None:
    """Give a topic these settings and no others of its own."""
    async with admin(bootstrap) as client:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=settings)
        (answer,) = await client.alter_configs([resource])
    assert answer.resources[0][0] == 0, answer


async def compacted(bootstrap: str, topic: str, records_max: int, seconds_max: float) -> int:
    """Wait until a topic has no more records than that; return how many."""
    deadline = time.monotonic() + seconds_max
    while (records := len(await read_topic(bootstrap, topic))) > records_max:
        assert time.monotonic() < deadline, f"{topic} has {records} records, not {records_max}"
        await asyncio.sleep(POLL_SECONDS)
    return records


async def trim(bootstrap: str, topic: str) -> dict[TopicPartition, int]:
    """Delete the beginning of a compacted topic, all of it superseded; return where it begins."""
    found: dict[TopicPartition, list[ConsumerRecord]] = {}
    for record in await read_topic(bootstrap, topic):
        place = TopicPartition(record.topic, record.partition)
        found.setdefault(place, []).append(record)
    begins = {
        place: min(record.offset for record in last_per_key(records).values())
        for place, records in found.items()
    }
    await configure(bootstrap, topic, {"cleanup.policy": "delete", "retention.ms": "-1"})
    async with admin(bootstrap) as client:
        await client.delete_records({p: RecordsToDelete(at) for p, at in begins.items()})
    await configure(bootstrap, topic, COMPACTED)
    return begins
