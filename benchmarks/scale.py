"""Many customers on one machine: memory for each, and how long a worker takes to have them back.

``python -m benchmarks.scale --customers 5000000`` writes the changelog that a worker would have
left behind that has seen a purchase of each customer, and starts workers on it: one that keeps rows
in memory, one whose local store is empty, and one that finds it filled. Printed are, of each, the
time and processor time until it is ready, its memory then, and the pace of further purchases.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from aiokafka import AIOKafkaProducer
from msgspec.structs import replace

from benchmarks import probe, source, topics
from benchmarks.contenders import Course
from benchmarks.contenders.streamer_worker import CONSUMED, StreamerWorker
from benchmarks.errors import BenchmarkError
from benchmarks.plan import Plan
from benchmarks.processes import Child, running
from benchmarks.run import free_pair, kafka
from streamer.engine.topics import create_topics
from streamer.pipeline import Configuration, Message, Partition
from streamer.records.kafka import CHANGELOG, FileRecord
from streamer.settings import load_settings

PARTITIONS = 4
UNIT_CUSTOMERS = 2_000
IN_FLIGHT_MAX = 64
WAIT_SECONDS_MAX = 3_600.0
PREFIX = "scale-"
OURS = StreamerWorker()
DROPPED = "streamer_duplicates_dropped_total"
"""A purchase may have the number of its customer's first."""
PAGE_BYTES = 4_096


def changelog(customers: int, configuration: Configuration) -> Iterator[tuple[int, list[Message]]]:
    """Give what units of work write that see each customer once, by partition.

    All purchases stand at offset 0, and the checkpoint says that nothing was read: so the worker
    reads the whole input topic, and takes all but its first record for new.
    """
    now = datetime.now(UTC)
    waiting: dict[int, list[FileRecord]] = {number: [] for number in range(PARTITIONS)}
    plan = Plan(events=0, partitions=PARTITIONS)
    for number, key, value in source.all_customers_first(plan, customers):
        waiting[number].append(FileRecord(f"{PREFIX}purchases", number, 0, 0, key, value))
        if len(waiting[number]) == UNIT_CUSTOMERS:
            yield number, _unit(number, waiting[number], configuration, now)
            waiting[number] = []
    for number, records in waiting.items():
        yield number, _unit(number, records, configuration, now)


def _unit(
    number: int, records: list[FileRecord], configuration: Configuration, now: datetime
) -> list[Message]:
    partition = Partition(number, configuration)
    work = partition.begin(records, now, next_offsets={f"{PREFIX}purchases": 0})
    return work.finish({}).messages[PREFIX + CHANGELOG, number]


async def fill(bootstrap: str, customers: int, configuration: Configuration) -> None:
    """Write that changelog."""
    topic, sent = PREFIX + CHANGELOG, set[asyncio.Future[object]]()
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=900_000, max_request_size=1_000_000
    ) as producer:
        for number, messages in changelog(customers, configuration):
            batch = producer.create_batch()
            for message in messages:
                if batch.append(key=message.key, value=message.value, timestamp=None) is None:
                    sent.add(await producer.send_batch(batch, topic, partition=number))
                    batch = producer.create_batch()
                    batch.append(key=message.key, value=message.value, timestamp=None)
            sent.add(await producer.send_batch(batch, topic, partition=number))
            if len(sent) > IN_FLIGHT_MAX:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)


def measure(
    title: str, course: Course, plan: Plan, purchases: Iterator[source.Placed], store: str
) -> None:
    """Start a worker, wait until it has all rows, then send it purchases."""
    command, customers = OURS.command(course), plan.customers
    environment = {**command.environment, "STREAMER_STORE": store}
    with running(title, command.arguments, course.folder, environment) as child:
        _wait(child, lambda: probe.counter(course.http_port, "streamer_ready") is not None)
        begun, before = time.monotonic(), child.cpu_seconds() or 0.0
        print(f"{title}: {_resident(child) / 2**20:,.0f} MiB before the first row")
        _wait(child, lambda: probe.counter(course.http_port, "streamer_ready") == 1)
        seconds, cpu = time.monotonic() - begun, (child.cpu_seconds() or 0.0) - before
        read = _count(course, "streamer_recovered_rows_total")
        print(
            f"{title}: {read:,.0f} records read, ready after {seconds:,.1f} s, {cpu:,.1f} s of "
            f"processor time: {customers / cpu:,.0f} rows a second of it; "
            f"{_resident(child) / customers:,.0f} B a customer",
            flush=True,
        )
        begun, before = time.monotonic(), child.cpu_seconds() or 0.0
        events = islice(purchases, plan.events)
        asyncio.run(source.write(course.bootstrap, course.source, events))
        wanted = plan.events - PARTITIONS  # see `changelog`
        _wait(child, lambda: sum(_count(course, name) for name in (CONSUMED, DROPPED)) >= wanted)
        seconds, cpu = time.monotonic() - begun, (child.cpu_seconds() or 0.0) - before
        print(
            f"{title}: {plan.events / seconds:,.0f} purchases/s, {cpu / plan.events * 1e6:,.0f} us "
            f"of processor time each; {_resident(child) / customers:,.0f} B a customer then",
            flush=True,
        )


def _wait(child: Child, holds: Callable[[], bool]) -> None:
    until = time.monotonic() + WAIT_SECONDS_MAX
    while not holds():
        child.check_running()
        if time.monotonic() > until:
            raise BenchmarkError(f"{child.name} takes too long: give it fewer customers.")
        time.sleep(0.2)


def _count(course: Course, name: str) -> float:
    return probe.counter(course.http_port, name) or 0


def _resident(child: Child) -> int:
    return int(Path(f"/proc/{child.pid}/statm").read_text().split()[1]) * PAGE_BYTES


def main(
    customers: Annotated[int, typer.Option(min=1)] = 5_000_000,
    events: Annotated[int, typer.Option(min=1, help="Purchases worked off each time.")] = 200_000,
) -> None:
    """Measure and print."""
    with kafka() as (bootstrap, folder):
        course = Course(
            bootstrap=bootstrap,
            prefix=PREFIX,
            partitions=PARTITIONS,
            group_id=f"{PREFIX}memory",
            http_port=free_pair(),
            folder=folder,
        )
        plan = Plan(events=events, customers=customers, partitions=PARTITIONS)
        settings = load_settings(
            brokers=bootstrap, topic_prefix=PREFIX, partitions=PARTITIONS, announcements=False
        )
        asyncio.run(create_topics(settings))
        begun = time.process_time()
        asyncio.run(fill(bootstrap, customers, settings.configuration()))
        ends = asyncio.run(topics.end_offsets(bootstrap, PREFIX + CHANGELOG, PARTITIONS))
        print(f"{sum(ends.values()):,} records, {time.process_time() - begun:,.0f} s of processor")
        # Each worker gets others: what comes again is a duplicate.
        purchases = source.purchases(replace(plan, events=3 * events))
        measure("local store, empty", course, plan, purchases, "rocksdb")
        measure("local store, filled", course, plan, purchases, "rocksdb")
        measure("in memory", course, plan, purchases, "memory")


if __name__ == "__main__":
    typer.run(main)
