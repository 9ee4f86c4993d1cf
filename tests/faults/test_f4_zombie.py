"""F4: a worker frozen past its session wakes up when another has its partitions: a zombie."""

import time
from collections.abc import Callable
from pathlib import Path

from streamer.broker import EmbeddedKafka
from tests.support.chaos import SESSION_SECONDS, Freezer
from tests.support.scenario import scenario

SEED = 4
SHORT_SECONDS = 40


async def test_a_zombie_changes_nothing(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    seconds = soak_seconds or SHORT_SECONDS
    # Each stands by for the other: what a zombie still writes must not be taken over either.
    settings = {"session_timeout_seconds": SESSION_SECONDS, "standby_replicas": 1}
    async with scenario(kafka.bootstrap, tmp_path, SEED, seconds, **settings) as plot:
        one, two = plot.corner.worker("one"), plot.corner.worker("two")
        one.start()
        await one.ready()
        freezer = Freezer(plot.audit, SEED)
        async with plot.load():
            began = time.monotonic()
            await freezer.once(one, alone=True)
            two.start()
            await two.ready()
            while freezer.freezes < 3 or time.monotonic() - began < soak_seconds:
                await freezer.once((one, two)[freezer.freezes % 2], alone=False)
        for worker in (one, two):
            assert await worker.stop() == 0, worker.told("did not end well")
        await plot.audit.read()
    summary(
        "F4 zombies",
        freezes=freezer.freezes,
        seconds_until_taken_over_max=round(max(freezer.taken_over_seconds), 1),
        partition_still_seconds_max=round(max(plot.audit.still_max.values()), 1),
        zombies_that_left=len(freezer.exit_codes),
        **plot.figures(),
    )
    plot.check()
