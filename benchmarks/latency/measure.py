"""Latency of one contender at several paces."""

import asyncio
from array import array
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import msgspec

from benchmarks import throughput, topics
from benchmarks.contenders import Contender, Course
from benchmarks.errors import BehindError
from benchmarks.figures import Latency, quantiles
from benchmarks.latency import loader, reader
from benchmarks.plan import Plan
from benchmarks.processes import Child, module, running

NS = 1_000_000_000
SPARE_SECONDS = 120.0


class Moments(NamedTuple):
    """When an event was sent and when its score was seen, nanoseconds of one clock."""

    sent_ns: int
    seen_ns: int


class Way(NamedTuple):
    """From which topic to which one an event's time is taken."""

    title: str
    source: str
    scores: str


def without_worker(course: Course, plan: Plan) -> Iterator[Latency]:
    """Measure how long an event itself takes to a reader: no score can come sooner."""
    topic = f"{course.group_id}-events"
    asyncio.run(topics.create(course.bootstrap, [topic], course.partitions))
    for rate in plan.rates:
        yield _at(rate, Way("no worker", topic, topic), course, plan)


def measure(contender: Contender, course: Course, plan: Plan) -> Iterator[Latency]:
    """Give a contender the whole input, then measure its latency at each pace.

    So it holds the rows of all customers and is warm. The input has grown by what was sent for
    others whose latency was measured before.

    Raises:
        BenchmarkError: A process failed, or scores are missing.
    """
    contender.prepare(course)
    command = contender.command(course)
    way = Way(contender.title, course.source, contender.scores(course))
    ends = asyncio.run(topics.end_offsets(course.bootstrap, course.source, course.partitions))
    with running(contender.title, command.arguments, course.folder, command.environment) as child:
        for _ in throughput.progress(contender, course, sum(ends.values()), child):
            pass
        for rate in plan.rates:
            yield _at(rate, way, course, plan)
            child.check_running()


def _at(rate: int, way: Way, course: Course, plan: Plan) -> Latency:
    folder = course.folder / f"at-{rate}"
    seconds = plan.warm_up_seconds + plan.runs * plan.run_seconds
    ready, sent_file, seen_file = (str(folder / name) for name in ("ready", "sent", "seen"))
    load = loader.Order(
        bootstrap=course.bootstrap,
        topic=way.source,
        partitions=course.partitions,
        customers=plan.customers,
        seed=rate,
        rate=rate,
        seconds=seconds,
        ready=ready,
        answer=sent_file,
    )
    read = reader.Order(
        bootstrap=course.bootstrap,
        topic=way.scores,
        partitions=course.partitions,
        events=load.events,
        ready=ready,
        answer=seen_file,
    )
    _run(load, read, folder, seconds + SPARE_SECONDS)
    sent = msgspec.json.decode(Path(sent_file).read_bytes(), type=loader.Sent)
    return condense(way.title, load, sent, moments_of(Path(seen_file).read_bytes()), plan)


def _run(load: loader.Order, read: reader.Order, folder: Path, seconds_max: float) -> None:
    with ExitStack() as stack:
        loading = stack.enter_context(
            running("the load generator", module(loader.__name__, load), folder)
        )
        reading = stack.enter_context(
            running("the reader of scores", module(reader.__name__, read), folder)
        )
        children: tuple[Child, ...] = loading, reading
        for child in children:
            child.wait(seconds_max)


def moments_of(content: bytes) -> list[Moments]:
    """Return the moments in the reader's answer."""
    numbers = array("q", content)
    return [Moments(*pair) for pair in zip(numbers[::2], numbers[1::2], strict=True)]


def condense(
    title: str, load: loader.Order, sent: loader.Sent, moments: Sequence[Moments], plan: Plan
) -> Latency:
    """Return the quantiles of each run of a pace, the warm-up left out."""
    runs: list[list[float]] = [[] for _ in range(plan.runs)]
    first_ns = sent.began_ns + plan.warm_up_seconds * NS
    for moment in moments:
        run = (moment.sent_ns - first_ns) // (plan.run_seconds * NS)
        if 0 <= run < plan.runs:
            runs[run].append((moment.seen_ns - moment.sent_ns) / 1e6)
    if not all(runs):
        raise BehindError(
            f"{title}: at {load.rate:,} events/s nothing was seen of what was sent in some "
            f"{plan.run_seconds} s, so it stands still or lies far behind: see with `streamer "
            "bench --only streamer` what it can do, and lower --rates."
        )
    return Latency(
        title,
        load.rate,
        sent.rate,
        events=sum(map(len, runs)),
        unseen=load.events - len(moments),
        quantiles_ms=quantiles(runs),
    )
