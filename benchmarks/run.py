"""READ THIS FIRST: one run, from an empty Kafka to the figures.

All that is compared is measured in turns, round after round: what else the machine does then falls
on all alike.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import read_limit, source, throughput
from benchmarks.contenders import Contender, Course
from benchmarks.contenders.plain_faust import PlainFaust
from benchmarks.contenders.streamer_worker import StreamerWorker
from benchmarks.errors import BenchmarkError
from benchmarks.figures import Latency, Results, Throughput
from benchmarks.latency import measure as latency
from benchmarks.plan import Part, Plan
from streamer.broker import EmbeddedKafka
from streamer.broker.ports import free_ports, is_free

if TYPE_CHECKING:
    from benchmarks.steady import Pace

OURS = StreamerWorker()
ON_TWO_CORES = StreamerWorker("streamer, 2 processes", processes=2)
PLAIN = PlainFaust("at_least_once"), PlainFaust("exactly_once")
PREFIX = "bench-"
READ_LIMIT = "read limit"

_HOST = "127.0.0.1"
_KAFKA = {
    # Each round deletes a gigabyte of topics.
    "log.segment.delete.delay.ms": "1000",
}

Tell = Callable[[str], None]
"""Takes a line about what is going on."""


def run(plan: Plan, tell: Tell) -> Results:
    """Measure what the plan asks for.

    Raises:
        BenchmarkError: Something did not run, or did not do its work in full.
    """
    with _kafka() as (bootstrap, folder):
        tell(f"writing {plan.events:,} purchases")
        asyncio.run(source.fill(bootstrap, f"{PREFIX}purchases", plan))
        bench = _Bench(plan, bootstrap, folder, tell)
        for number in range(plan.runs):
            bench.round(number)
        bench.latencies()
        return bench.results()


@contextmanager
def _kafka() -> Iterator[tuple[str, Path]]:
    """Run a Kafka at full speed; give its address and an empty folder."""
    with tempfile.TemporaryDirectory(prefix="streamer-bench-") as name:
        folder = Path(name)
        kafka = EmbeddedKafka(
            folder / "kafka", host=_HOST, heap="1g", fast_start=False, properties=_KAFKA
        )
        with kafka:
            yield kafka.bootstrap, folder


class _Bench:
    """What is measured on one Kafka, and the figures so far."""

    def __init__(self, plan: Plan, bootstrap: str, folder: Path, tell: Tell) -> None:
        self._plan = plan
        self._bootstrap = bootstrap
        self._folder = folder
        self._tell = tell
        self._courses = 0
        self._limits: list[Pace] = []
        self._paces: dict[Contender, list[Pace]] = {}
        self._without_worker: list[Latency] = []
        self._latencies: list[Latency] = []

    def round(self, number: int) -> None:
        """Measure each throughput once."""
        place = f"round {number + 1} of {self._plan.runs}"
        if Part.READ_LIMIT in self._plan.parts:
            self._tell(f"{place}: {READ_LIMIT} …")
            course = self._course()
            args = course.bootstrap, course.source, course.partitions, self._plan.events
            pace = read_limit.measure(*args, course.folder)
            self._limits.append(pace)
            self._tell(f"{place}: {READ_LIMIT}: {pace.events_per_second:,.0f} events/s")
        if Part.STREAMER in self._plan.parts:
            self._throughput(OURS, place)
            self._throughput(ON_TWO_CORES, place)
        if Part.PLAIN_FAUST in self._plan.parts:
            for peer in PLAIN:
                self._peer(peer, place)

    def _throughput(self, contender: Contender, place: str) -> None:
        plan = self._plan
        what = f"{place}: {contender.title}, {contender.guarantee}"
        self._tell(f"{what} …")
        events = plan.slow_events if contender.slow else plan.events
        pace = throughput.measure(contender, self._course(), events)
        self._paces.setdefault(contender, []).append(pace)
        self._tell(f"{what}: {pace.events_per_second:,.0f} events/s")

    def _peer(self, contender: Contender, place: str) -> None:
        """Measure a peer, whose failure is no reason to give up the figures of the others."""
        try:
            self._throughput(contender, place)
        except BenchmarkError as error:
            self._tell(str(error))

    def latencies(self) -> None:
        """Measure the latency at each pace, without a worker and with ours."""
        if Part.LATENCY not in self._plan.parts:
            return
        self._tell("latency …")
        for figure in latency.without_worker(self._course(), self._plan):
            self._without_worker.append(self._told(figure))
        for figure in latency.measure(OURS, self._course(), self._plan):
            self._latencies.append(self._told(figure))

    def _told(self, figure: Latency) -> Latency:
        p99 = figure.quantiles_ms["p99"].median
        self._tell(f"latency: {figure.title}, {figure.rate:,} events/s: p99 {p99:,.0f} ms")
        return figure

    def results(self) -> Results:
        """Return all figures."""
        limit = Throughput.of(READ_LIMIT, None, self._limits) if self._limits else None
        return Results(
            read_limit=limit,
            streamer=self._figure(OURS),
            streamer_on_two_cores=self._figure(ON_TWO_CORES),
            plain_faust=[figure for peer in PLAIN if (figure := self._figure(peer))],
            latency_without_worker=self._without_worker,
            latency=self._latencies,
        )

    def _figure(self, contender: Contender) -> Throughput | None:
        paces = self._paces.get(contender)
        return Throughput.of(contender.title, contender.guarantee, paces) if paces else None

    def _course(self) -> Course:
        self._courses += 1
        folder = self._folder / f"course-{self._courses}"
        folder.mkdir()
        return Course(
            bootstrap=self._bootstrap,
            prefix=PREFIX,
            partitions=self._plan.partitions,
            group_id=f"bench-group-{self._courses}",
            http_port=_free_pair(),
            folder=folder,
        )


def _free_pair() -> int:
    """Return a free port whose successor is free too: a second process listens there."""
    while True:
        first = free_ports(_HOST, 1)[0]
        if is_free(_HOST, first + 1):
            return first
