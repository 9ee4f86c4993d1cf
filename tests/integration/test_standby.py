"""A worker that stands by has the rows at hand when their holder dies."""

import asyncio
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
from aiokafka.errors import OffsetOutOfRangeError

from streamer.broker import EmbeddedKafka
from streamer.engine import changelog
from streamer.pipeline import Partition
from streamer.records.kafka import CHANGELOG
from streamer.settings import Settings
from tests.support.audit import Audit, auditing
from tests.support.load import Event, send_all, wire_of
from tests.support.oracle import count
from tests.support.stage import Stage, stage
from tests.support.topics import read_topic
from tests.support.worker import Worker

CUSTOMERS = 40
DAYS = 6
ERASED = "c7"


def purchase(number: int, day: int) -> Event:
    return {
        "event_id": f"e{number}-{day}",
        "type": "purchase",
        "customer_id": f"c{number}",
        "occurred_at": f"2026-09-{day:02}T10:00:00Z",
        "order_id": f"o{number}-{day}",
        "amount": "10.00",
        "currency": "USD",
    }


ERASURE: Event = {
    "event_id": "forget-me",
    "type": "erasure",
    "customer_id": ERASED,
    "occurred_at": "2026-09-30T10:00:00Z",
}


async def until(worker: Worker, name: str, holds: Callable[[float], bool]) -> float:
    """Wait for a figure and return it."""
    deadline = time.monotonic() + 60
    while not holds(found := (await worker.figures()).get(name, 0.0)):
        assert time.monotonic() < deadline, worker.told(f"says {name} is {found}")
        await asyncio.sleep(0.1)
    return found


async def both_ready(corner: Stage) -> tuple[Worker, Worker]:
    """Return the holder of the one partition, and who stands by for it."""
    holder, other = corner.worker("holder"), corner.worker("other")
    for worker in (holder, other):
        worker.start()
        await worker.ready()
    return holder, other


async def send(corner: Stage, audit: Audit, events: list[Event]) -> None:
    await send_all(corner.bootstrap, map(wire_of, events), corner.prefix)
    await audit.consumed()


async def test_a_standby_takes_over_without_reading_all_anew(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    days = [[purchase(number, day) for number in range(CUSTOMERS)] for day in range(1, DAYS + 1)]
    later = [purchase(number, 29) for number in range(CUSTOMERS) if f"c{number}" != ERASED]
    settings = {"partitions": 1, "standby_replicas": 1, "clock": "stream"}
    with stage(kafka.bootstrap, tmp_path, **settings) as corner:
        holder, other = await both_ready(corner)
        async with auditing(corner) as audit:
            for day in days:
                await send(corner, audit, day)
            await until(other, "streamer_standby_rows", lambda rows: rows == CUSTOMERS)
            await send(corner, audit, [ERASURE])
            await until(other, "streamer_standby_rows", lambda rows: rows == CUSTOMERS - 1)
            written = len(await read_topic(corner.bootstrap, corner.prefix + CHANGELOG))
            holder.kill()
            await until(other, "streamer_rows", lambda rows: rows == CUSTOMERS - 1)
            told = await other.figures()
            assert "streamer_standby_rows" not in told, "it is its own partition now"
            assert told["streamer_recovered_rows_total"] < written / 10
            await send(corner, audit, later)
            assert await other.stop() == 0, other.told("did not end well")
            await audit.read()
    assert ERASED not in audit.rows
    sent = chain(*days, later)
    audit.check(count(event for event in sent if event["customer_id"] != ERASED))


async def test_what_was_deleted_behind_a_standbys_back_is_noticed(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=1) as corner:
        settings = Settings(_env_file=None, brokers=kafka.bootstrap, topic_prefix=corner.prefix)
        partition = Partition(0, settings.configuration("test"))
        topic = settings.topics[CHANGELOG]
        with pytest.raises(OffsetOutOfRangeError):
            await changelog.restore(partition, topic, settings, lambda *_: None, since=9)
