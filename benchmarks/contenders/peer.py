"""What the peers have in common: topics of one run, a counter of events, and a recount."""

import asyncio
from collections import Counter
from pathlib import Path

import orjson

import benchmarks
from benchmarks import probe, topics
from benchmarks.contenders import Course
from benchmarks.errors import BenchmarkError
from benchmarks.shop import HORIZON_DAYS, PURCHASES, VALUES
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES

CONSUMED = "peer_events_total"
"""Counted as scored, up to one interval before the commit: in the peers' favour."""


def value_scores(course: Course) -> str:
    """Return the topic of the value scores; it is of one run only, as the group is."""
    return f"{course.group_id}-{LTV_UPDATES}"


def churn_risk_scores(course: Course) -> str:
    """Return the topic of the churn risk scores."""
    return f"{course.group_id}-{CHURN_RISK_UPDATES}"


def make_topics(course: Course) -> None:
    """Make both."""
    names = [value_scores(course), churn_risk_scores(course)]
    asyncio.run(topics.create(course.bootstrap, names, course.partitions))


def environment(course: Course) -> dict[str, str]:
    """Return what configures a peer."""
    numbers = *PURCHASES.values(), *VALUES.values(), HORIZON_DAYS
    return {
        "PEER_BROKER": course.bootstrap,
        "PEER_ID": course.group_id,
        "PEER_SOURCE": course.source,
        "PEER_LTV": value_scores(course),
        "PEER_CHURN_RISK": churn_risk_scores(course),
        "PEER_PORT": str(course.http_port),
        "PEER_MODEL": " ".join(map(repr, numbers)),
        "PYTHONPATH": str(Path(benchmarks.__file__).parents[1]),
    }


def consumed(course: Course, processes: int = 1) -> int | None:
    """Return how many events were scored, as the peer's processes tell it, each on a port."""
    ports = range(course.http_port, course.http_port + processes)
    counts = [probe.counter(port, CONSUMED) for port in ports]
    return None if None in counts else int(sum(filter(None, counts)))


def check(title: str, course: Course, events: int) -> None:
    """Recount the committed value scores, one of each event whose revision counts its orders.

    Raises:
        BenchmarkError: Events are missing, or were counted twice.
    """
    written, counted = asyncio.run(_recount(course))
    if written < events or written != counted:
        raise BenchmarkError(
            f"{title} wrote {written} scores of {events} events, and its rows hold {counted}: its "
            "figures count for nothing before that is put right."
        )


async def _recount(course: Course) -> tuple[int, int]:
    """Return how many value scores there are, and the sum of the customers' last revisions."""
    written, last = 0, Counter[bytes]()
    source = topics.committed(course.bootstrap, value_scores(course), course.partitions)
    async for records in source:
        written += len(records)
        for record in records:
            last[record.key] = orjson.loads(record.value)["revision"]
    return written, last.total()
