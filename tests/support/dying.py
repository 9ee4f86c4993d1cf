"""Partitions that die between the steps of a unit of work, and come back from the changelog."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle
from typing import Any, Literal, NamedTuple

from hypothesis import strategies as st

from streamer.pipeline import Configuration
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import FileRecord
from tests.support.cluster import Cluster, compact
from tests.support.histories import START, sizes

Fate = Literal["lives", "dies before the commit", "dies behind the commit"]
FATES: tuple[Fate, ...] = ("lives", "dies before the commit", "dies behind the commit")


class Course(NamedTuple):
    """What units of work meet with, one after the other."""

    fates: list[Fate]
    sizes: list[int]
    """Of the units; they start over where they end."""
    ticks: list[int | None]
    """Days since ``START`` up to which the unit tells of silence, likewise; None: it does not."""


def fates(least: int = 0, most: int = 30) -> st.SearchStrategy[list[Fate]]:
    """Fates of ``least`` to ``most`` units of work."""
    return st.lists(st.sampled_from(FATES), min_size=least, max_size=most)


def courses() -> st.SearchStrategy[Course]:
    """Courses of a dozen units at most."""
    ticks = st.lists(st.none() | st.integers(0, 1600), min_size=1, max_size=4)
    return st.builds(Course, fates(least=1, most=12), sizes(), ticks)


def live_or_die(
    cluster: Cluster,
    number: int,
    records: Sequence[FileRecord],
    fate: Fate,
    keep: Sequence[bool] | None = None,
    **how: Any,
) -> None:
    """Take ``records`` through a unit of work that meets its ``fate``; ``how`` as for begin.

    What dies is restored: with ``keep``, from a changelog that was compacted so.
    """
    unit = cluster.attempt(number, records, **how)
    if fate != "dies before the commit":
        cluster.write(unit)
    if fate == "lives":
        cluster.partition(number).commit(unit)
    else:
        log = cluster.changelog(number)
        cluster.crash(number, log if keep is None else compact(log, keep))


def run_along(
    course: Course, events: Iterable[Mapping[str, Any]], settings: Configuration
) -> Cluster:
    """Take ``events`` through the units of ``course``, then the rest in peace."""
    cluster = Cluster(settings)
    for event in events:
        cluster.send(event)
    for fate, size, tick in zip(
        course.fates, cycle(course.sizes), cycle(course.ticks), strict=False
    ):
        until = -1 if tick is None else from_datetime(START) + tick * DAY
        live_or_die(cluster, 0, cluster.waiting(0)[:size], fate, silence_until=until)
    cluster.settle(limit=course.sizes[0])
    return cluster
