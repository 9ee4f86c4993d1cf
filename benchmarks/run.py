"""READ THIS FIRST: one run, from an empty Kafka to the figures.

All that is compared is measured in turns, round after round: what else the machine does then falls
on all alike.
"""

import asyncio
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import read_limit, source, throughput, topics
from benchmarks.contenders import Contender, Course
from benchmarks.contenders.bytewax import Bytewax
from benchmarks.contenders.kafka_streams import KafkaStreams
from benchmarks.contenders.plain_faust import PlainFaust
from benchmarks.contenders.quix import QuixStreams
from benchmarks.contenders.streamer_worker import StreamerWorker
from benchmarks.errors import BehindError
from benchmarks.figures import Latency, Results, Scaled, Throughput
from benchmarks.latency import measure as latency
from benchmarks.plan import Part, Plan
from benchmarks.steady import WARM_UP_SHARE
from streamer.broker import EmbeddedKafka
from streamer.broker.ports import free_ports, is_free
from streamer.errors import StreamerError

if TYPE_CHECKING:
    from benchmarks.steady import Pace

OURS = StreamerWorker("streamer, 1 process")
ON_TWO_CORES = StreamerWorker("streamer, 2 processes", processes=2)
ANNOUNCING = StreamerWorker(
    "streamer, 2 processes, with segments and actions", processes=2, announcements=True
)
STREAMS = KafkaStreams("Kafka Streams, 1 thread")
CONTENDERS: Mapping[Part, tuple[Contender, ...]] = {
    Part.STREAMER: (OURS, ON_TWO_CORES, ANNOUNCING),
    Part.KAFKA_STREAMS: (STREAMS, KafkaStreams("Kafka Streams, 2 threads", threads=2)),
    Part.QUIX: (QuixStreams(), QuixStreams("Quix Streams, 2 processes", processes=2)),
    Part.BYTEWAX: (Bytewax(), Bytewax("Bytewax, 2 processes", processes=2)),
    Part.PLAIN_FAUST: (PlainFaust("at_least_once"), PlainFaust("exactly_once")),
}
"""Whose throughput is measured."""
PROMPT = OURS, ON_TWO_CORES
"""Whose latency is measured."""
PROMPT_PEERS = (
    KafkaStreams("Kafka Streams, commit every 100 ms (default)"),
    KafkaStreams("Kafka Streams, commit every 10 ms", commit_ms=10),
)
"""Whose latency is measured beside it."""
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
    with kafka() as (bootstrap, folder):
        tell(f"writing {plan.events:,} purchases")
        records = source.purchases(plan)
        asyncio.run(source.fill(bootstrap, f"{PREFIX}purchases", records, plan.partitions))
        bench = _Bench(plan, bootstrap, folder, tell)
        for number in range(plan.runs):
            bench.round(number)
        bench.latencies()
        bench.scales()
        return bench.results()


@contextmanager
def kafka() -> Iterator[tuple[str, Path]]:
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
        self._latencies: dict[Contender, list[Latency]] = {}
        self._scales: dict[Contender, list[Scaled]] = {}

    def round(self, number: int) -> None:
        """Measure each throughput once."""
        place = f"round {number + 1} of {self._plan.runs}"
        if Part.READ_LIMIT in self._plan.parts:
            self._read_limit(place)
        for part, contenders in CONTENDERS.items():
            for contender in contenders if part in self._plan.parts else ():
                with self._spared(contender):
                    self._throughput(contender, place)

    def _read_limit(self, place: str) -> None:
        self._tell(f"{place}: {READ_LIMIT} …")
        course = self._course()
        args = course.bootstrap, course.source, course.partitions, self._plan.events
        pace = read_limit.measure(*args, course.folder)
        self._limits.append(pace)
        self._tell(f"{place}: {READ_LIMIT}: {pace.events_per_second:,.0f} events/s")

    def _throughput(self, contender: Contender, place: str) -> None:
        plan = self._plan
        what = f"{place}: {contender.title}, {contender.guarantee}"
        self._tell(f"{what} …")
        events = plan.slow_events if contender.slow else plan.events
        pace = throughput.measure(contender, self._course(), events)
        self._paces.setdefault(contender, []).append(pace)
        self._tell(f"{what}: {pace.events_per_second:,.0f} events/s")

    @contextmanager
    def _spared(self, contender: Contender) -> Iterator[None]:
        """Let a peer fail, and anyone fall behind: others' figures are not given up for it."""
        try:
            yield
        except StreamerError as error:
            if isinstance(contender, StreamerWorker) and not isinstance(error, BehindError):
                raise
            self._tell(f"left out: {error}")

    def latencies(self) -> None:
        """Measure the latency at each pace, without a worker, with ours, and with the peers."""
        plan = self._plan
        if Part.LATENCY not in plan.parts:
            return
        self._tell("latency …")
        for figure in latency.without_worker(self._course(), plan):
            self._without_worker.append(self._told(figure))
        peers = PROMPT_PEERS if Part.KAFKA_STREAMS in plan.parts else ()
        for contender in (*PROMPT, *peers):
            with self._spared(contender):
                for figure in latency.measure(contender, self._course(), plan):
                    self._latencies.setdefault(contender, []).append(self._told(figure))

    def _told(self, figure: Latency) -> Latency:
        p99 = figure.quantiles_ms["p99"].median
        self._tell(f"latency: {figure.title}, {figure.rate:,} events/s: p99 {p99:,.0f} ms")
        return figure

    def scales(self) -> None:
        """Measure the throughput once all customers have their rows, few of them and many."""
        plan = self._plan
        if Part.SCALE not in plan.parts:
            return
        peers = (STREAMS,) if Part.KAFKA_STREAMS in plan.parts else ()
        for customers in plan.scale_customers:
            prefix = f"scale-{customers}-"
            self._tell(f"scale: writing a purchase of each of {customers:,} customers first …")
            records = source.all_customers_first(plan, customers)
            topic = f"{prefix}purchases"
            asyncio.run(source.fill(self._bootstrap, topic, records, plan.partitions))
            for contender in (OURS, *peers):
                with self._spared(contender):
                    self._scale(contender, customers, prefix)
            asyncio.run(topics.delete(self._bootstrap, prefix, kept=""))

    def _scale(self, contender: Contender, customers: int, prefix: str) -> None:
        course, events = self._course(prefix), customers + self._plan.events
        warm_up = customers + round(WARM_UP_SHARE * self._plan.events)
        pace = throughput.measure(contender, course, events, warm_up)
        figure = Throughput.of(contender.title, contender.guarantee, [pace])
        self._scales.setdefault(contender, []).append(Scaled(customers, figure))
        self._tell(
            f"scale: {contender.title}, {customers:,} customers: "
            f"{pace.events_per_second:,.0f} events/s"
        )

    def results(self) -> Results:
        """Return all figures."""
        limit = Throughput.of(READ_LIMIT, None, self._limits) if self._limits else None
        return Results(
            read_limit=limit,
            streamer=next(iter(self._figures((OURS,))), None),
            streamer_on_two_cores=next(iter(self._figures((ON_TWO_CORES,))), None),
            streamer_announcing=next(iter(self._figures((ANNOUNCING,))), None),
            kafka_streams=self._figures(CONTENDERS[Part.KAFKA_STREAMS]),
            quix=self._figures(CONTENDERS[Part.QUIX]),
            bytewax=self._figures(CONTENDERS[Part.BYTEWAX]),
            plain_faust=self._figures(CONTENDERS[Part.PLAIN_FAUST]),
            latency_without_worker=self._without_worker,
            latency=self._latencies_of(PROMPT),
            latency_of_peers=self._latencies_of(PROMPT_PEERS),
            scale=self._scales.get(OURS, []),
            scale_of_peers=self._scales.get(STREAMS, []),
        )

    def _latencies_of(self, contenders: Iterable[Contender]) -> list[Latency]:
        return [at for contender in contenders for at in self._latencies.get(contender, [])]

    def _figures(self, contenders: Iterable[Contender]) -> list[Throughput]:
        return [
            Throughput.of(contender.title, contender.guarantee, paces)
            for contender in contenders
            if (paces := self._paces.get(contender))
        ]

    def _course(self, prefix: str = PREFIX) -> Course:
        self._courses += 1
        folder = self._folder / f"course-{self._courses}"
        folder.mkdir()
        return Course(
            bootstrap=self._bootstrap,
            prefix=prefix,
            partitions=self._plan.partitions,
            group_id=f"{prefix}group-{self._courses}",
            http_port=free_pair(),
            folder=folder,
        )


def free_pair() -> int:
    """Return a free port whose successor is free too: a second process listens there."""
    while True:
        first = free_ports(_HOST, 1)[0]
        if is_free(_HOST, first + 1):
            return first
