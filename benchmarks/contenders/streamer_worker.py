"""This project: `streamer worker`, exactly once as always, scoring by a fitted model."""

import asyncio
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from benchmarks import probe, topics
from benchmarks.contenders import Command, Course
from benchmarks.errors import BenchmarkError
from benchmarks.processes import run
from benchmarks.shop import fitted
from streamer.engine.models import publish
from streamer.records.kafka import CHANGELOG, LTV_UPDATES
from streamer.serdes.rows import CHECKPOINT_KEY, decode_checkpoint, decode_row, is_row
from streamer.settings import load_settings

CONSUMED = "streamer_events_total"
"""Counted with the commit; `streamer_records_consumed_total` runs ahead of it."""


@dataclass(frozen=True, slots=True)
class StreamerWorker:
    """One worker with the settings that a user starts with, who has fitted a model.

    Its ``announcements`` (segments, recommended actions) are off: peers make the scores only.
    """

    title: str = "streamer"
    guarantee: str = "exactly once"
    slow: bool = False
    processes: int = 1
    announcements: bool = False

    def prepare(self, course: Course) -> None:
        """Make its topics anew: its progress is kept in them, not in the group."""
        asyncio.run(topics.delete(course.bootstrap, course.prefix, kept=course.source))
        command = [_streamer(), "topics", "create"]
        run("streamer topics create", command, course.folder, _settings(course))
        settings = load_settings(
            brokers=course.bootstrap, topic_prefix=course.prefix, partitions=course.partitions
        )
        asyncio.run(publish(settings, fitted()))

    def command(self, course: Course) -> Command:
        """Return the command of a worker that is configured by its environment."""
        environment = {
            **_settings(course),
            "STREAMER_PROCESSES": str(self.processes),
            "STREAMER_ANNOUNCEMENTS": str(self.announcements),
        }
        return Command([_streamer(), "worker"], environment)

    def consumed(self, course: Course) -> int | None:
        """Return what its metrics say."""
        ports = range(course.http_port, course.http_port + self.processes)
        counts = [probe.counter(port, CONSUMED) for port in ports]
        return None if None in counts else int(sum(filter(None, counts)))

    def scores(self, course: Course) -> str:
        """Return the topic of the value scores."""
        return course.prefix + LTV_UPDATES

    def check(self, course: Course, events: int) -> None:
        """Recount the committed rows and checkpoints."""
        counted, consumed = asyncio.run(_recount(course))
        if counted != events or consumed != events:
            raise BenchmarkError(
                f"The worker's checkpoints stand at {consumed} events and its rows hold {counted}, "
                f"of {events}: its figures count for nothing before that is put right."
            )


async def _recount(course: Course) -> tuple[int, int]:
    """Return the events that the rows have seen, and the offsets that the checkpoints stand at."""
    seen: dict[bytes, int] = {}
    consumed: dict[int, int] = {}
    changelog = course.prefix + CHANGELOG
    async for records in topics.committed(course.bootstrap, changelog, course.partitions):
        for record in records:
            if record.key == CHECKPOINT_KEY:
                checkpoint = decode_checkpoint(record.value)
                consumed[record.partition] = checkpoint.next_offsets.get(course.source, 0)
            elif is_row(record.key):
                seen[record.key] = decode_row(record.value).events_seen
    return sum(seen.values()), sum(consumed.values())


def _streamer() -> str:
    return str(Path(sysconfig.get_path("scripts"), "streamer"))


def _settings(course: Course) -> dict[str, str]:
    return {
        "STREAMER_BROKERS": course.bootstrap,
        "STREAMER_GROUP_ID": course.group_id,
        "STREAMER_TOPIC_PREFIX": course.prefix,
        "STREAMER_PARTITIONS": str(course.partitions),
        "STREAMER_HTTP_PORT": str(course.http_port),
        "STREAMER_DATA_DIR": str(course.folder),
    }
