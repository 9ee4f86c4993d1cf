"""F3: workers come and go under load. Every partition goes on, whoever holds it."""

import time
from collections.abc import Callable
from pathlib import Path

from streamer.broker import EmbeddedKafka
from tests.support.chaos import Coming
from tests.support.scenario import Scenario, scenario

SEED = 3
CHANGES_MIN = 8
SHORT_SECONDS = 45
EVENTS_PER_SECOND = 300  # each is scored, and may be the cause of others' scores


async def test_partitions_go_on_while_workers_come_and_go(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    seconds = soak_seconds or SHORT_SECONDS
    async with scenario(
        kafka.bootstrap, tmp_path, SEED, seconds, EVENTS_PER_SECOND, emit="every_event"
    ) as plot:
        workers = [plot.corner.worker(name) for name in ("one", "two", "three")]
        workers[0].start()
        await workers[0].ready()
        coming = Coming(workers, plot.audit, SEED)
        async with plot.load():
            began = time.monotonic()
            while coming.changes < CHANGES_MIN or time.monotonic() - began < seconds:
                await coming.once()
    summary(
        "F3 rebalances",
        changes=coming.changes,
        seconds_until_all_partitions_moved_max=round(max(coming.progress_seconds), 1),
        partition_still_seconds_max=round(max(plot.audit.still_max.values()), 1),
        **plot.figures(),
    )
    plot.check()
    check_every_event(plot)


def check_every_event(plot: Scenario) -> None:
    """Each event led to one score of its customer: its repeats to none."""
    expected = {(event["customer_id"], event["event_id"]) for event in plot.events}
    scored = plot.audit.causes
    assert not expected - scored.keys(), "events without a score"
    assert not scored.keys() - expected, "scores of no event"
    assert not [event for event, scores in scored.items() if scores > 1], "events scored twice"
