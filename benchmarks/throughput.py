"""Measures the pace at which a contender works off a backlog."""

import time
from collections.abc import Iterator

from benchmarks import steady
from benchmarks.contenders import Contender, Course
from benchmarks.processes import Child, running

SAMPLE_SECONDS = 0.2
STANDSTILL_SECONDS_MAX = 60.0


def measure(
    contender: Contender, course: Course, events: int, warm_up: int | None = None
) -> steady.Pace:
    """Let a contender consume the first `events` of the input; return its steady pace.

    That is, behind the first `warm_up` of them, or `steady.WARM_UP_SHARE` of all.

    Raises:
        BenchmarkError: It ended, stood still, or did not write all it had to.
    """
    contender.prepare(course)
    command = contender.command(course)
    with running(contender.title, command.arguments, course.folder, command.environment) as child:
        samples = list(progress(contender, course, events, child))
    contender.check(course, events)
    return steady.pace(samples, events, warm_up)


def progress(
    contender: Contender, course: Course, events: int, child: Child
) -> Iterator[steady.Sample]:
    """Give the events consumed a few times a second until it is all of them.

    Raises:
        BenchmarkError: The contender ended or stood still.
    """
    moved = steady.Sample(time.monotonic(), 0)
    while moved.events < events:
        child.check_running()
        events_now = contender.consumed(course) or 0
        sample = steady.Sample(time.monotonic(), events_now, child.cpu_seconds())
        if sample.events > moved.events:
            moved = sample
        elif sample.seconds - moved.seconds > STANDSTILL_SECONDS_MAX:
            raise child.failure(f"has stood still at {moved.events} of {events} events")
        yield sample
        time.sleep(SAMPLE_SECONDS)
