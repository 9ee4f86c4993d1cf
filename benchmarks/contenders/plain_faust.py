"""Faust as its documentation shows it: `plain_faust_app`, started by Faust's own command."""

import asyncio
import sys
from dataclasses import dataclass
from typing import Literal

from benchmarks import probe, topics
from benchmarks.contenders import Command, Course
from benchmarks.errors import BenchmarkError
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES

CONSUMED = "plain_faust_events_total"
APP = "benchmarks.contenders.plain_faust_app"


@dataclass(frozen=True, slots=True)
class PlainFaust:
    """One worker of Faust's under one of its processing guarantees."""

    processing: Literal["at_least_once", "exactly_once"] = "at_least_once"
    title: str = "plain Faust"
    slow: bool = True

    @property
    def guarantee(self) -> str:
        """What it promises."""
        return self.processing.replace("_", " ")

    def prepare(self, course: Course) -> None:
        """Make its output topics; they are of this run only, as the group is."""
        names = [self.scores(course), f"{course.group_id}-{CHURN_RISK_UPDATES}"]
        asyncio.run(topics.create(course.bootstrap, names, course.partitions))

    def command(self, course: Course) -> Command:
        """Return the command of Faust's worker."""
        arguments = ["--datadir", str(course.folder), "worker", "--loglevel", "info"]
        environment = {
            "PLAIN_FAUST_BROKER": f"kafka://{course.bootstrap}",
            "PLAIN_FAUST_ID": course.group_id,
            "PLAIN_FAUST_SOURCE": course.source,
            "PLAIN_FAUST_PARTITIONS": str(course.partitions),
            "PLAIN_FAUST_PORT": str(course.http_port),
            "PLAIN_FAUST_GUARANTEE": self.processing,
        }
        return Command([sys.executable, "-m", "faust", "--app", APP, *arguments], environment)

    def consumed(self, course: Course) -> int | None:
        """Return what its metrics say."""
        count = probe.counter(course.http_port, CONSUMED)
        return None if count is None else int(count)

    def scores(self, course: Course) -> str:
        """Return the topic of the value scores."""
        return f"{course.group_id}-{LTV_UPDATES}"

    def check(self, course: Course, events: int) -> None:
        """Count the scores: one of each event, and it may have gone further than asked."""
        topic, partitions = self.scores(course), course.partitions
        ends = asyncio.run(topics.end_offsets(course.bootstrap, topic, partitions))
        written = sum(ends.values())
        if written < events:
            raise BenchmarkError(
                f"Plain Faust wrote {written} scores of {events} events: its figures count for "
                "nothing before that is put right."
            )
