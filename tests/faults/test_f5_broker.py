"""F5: brokers die and come back. The worker waits for them, and goes on by itself."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

from streamer.broker import EmbeddedCluster, EmbeddedKafka
from streamer.broker.node import KafkaNode
from tests.support.scenario import Scenario, scenario
from tests.support.worker import Worker

SEED = 5
EVENTS_PER_SECOND = 300
KILLS_MIN = 3
KILLS_OF_THREE_MIN = 2
DOWN_SECONDS_MAX = 4
BACK_SECONDS_MAX = 60
LINES_MAX = 100
"""Of the log, to say that a broker is away."""


class Outages:
    """Kills brokers, starts them again, and waits until every partition moves."""

    def __init__(self, plot: Scenario, seed: int) -> None:
        self.kills = 0
        self.back_seconds: list[float] = []
        """From the broker's return to the moment when every partition has committed since."""
        self.without_seconds: list[float] = []
        """From the kill of one of several to that moment."""
        self._audit = plot.audit
        self._random = Random(seed)

    async def of_the_only(self, kafka: EmbeddedKafka) -> None:
        await asyncio.sleep(self._random.uniform(1, 4))
        await asyncio.to_thread(kafka.kill)
        self.kills += 1
        await asyncio.sleep(self._random.uniform(0, DOWN_SECONDS_MAX))
        await asyncio.to_thread(kafka.start)
        self.back_seconds.append(await self._moved())

    async def of_one_of(self, nodes: list[KafkaNode]) -> None:
        await asyncio.sleep(self._random.uniform(1, 3))
        node = nodes[self.kills % len(nodes)]
        await asyncio.to_thread(node.kill)
        self.kills += 1
        self.without_seconds.append(await self._moved())
        await asyncio.to_thread(node.launch)
        await asyncio.to_thread(node.wait_until_ready)
        self.back_seconds.append(await self._moved())

    async def _moved(self) -> float:
        since = time.time()
        return await self._audit.moved(since, BACK_SECONDS_MAX) - since


async def test_a_broker_that_dies_again_and_again_loses_nothing(
    tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        async with scenario(
            kafka.bootstrap, tmp_path, SEED, soak_seconds or 30, EVENTS_PER_SECOND
        ) as plot:
            outages = Outages(plot, SEED)
            await lived_through(
                plot, outages, KILLS_MIN, soak_seconds, lambda: outages.of_the_only(kafka)
            )
    summary("F5 broker killed", **figures(outages), **plot.figures())
    plot.check()


async def test_one_of_three_brokers_is_not_missed(
    tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    cluster = EmbeddedCluster(tmp_path / "kafka")
    with cluster:
        async with scenario(
            cluster.bootstrap,
            tmp_path,
            SEED,
            soak_seconds or 30,
            EVENTS_PER_SECOND,
            replication_factor=3,
        ) as plot:
            outages = Outages(plot, SEED)
            await lived_through(
                plot,
                outages,
                KILLS_OF_THREE_MIN,
                soak_seconds,
                lambda: outages.of_one_of(cluster.nodes),
            )
    summary("F5 one of three killed", **figures(outages), **plot.figures())
    plot.check()


async def lived_through(
    plot: Scenario,
    outages: Outages,
    kills_min: int,
    soak_seconds: float,
    next_one: Callable[[], Awaitable[None]],
) -> None:
    """Have one worker live through so many ``outages`` at least, and as long as it is to last."""
    worker = plot.corner.worker("worker")
    worker.start()
    await worker.ready()
    async with plot.load():
        began = time.monotonic()
        while outages.kills < kills_min or time.monotonic() - began < soak_seconds:
            await next_one()
    await over(plot, worker)


async def over(plot: Scenario, worker: Worker) -> None:
    """End the worker, which nobody has started again, and read the rest."""
    assert worker.lives == 1
    told = [line for line in worker.log.splitlines() if "Unable connect" in line]
    assert 0 < len(told) < LINES_MAX, "the log does not say that the broker was away, or drowns"
    assert await worker.stop() == 0, worker.told("did not end well")
    await plot.audit.read()


def figures(outages: Outages) -> dict[str, object]:
    told: dict[str, object] = {"kills": outages.kills}
    if outages.without_seconds:
        told["seconds_until_all_moved_without_it_max"] = round(max(outages.without_seconds), 1)
    return told | {"seconds_until_all_moved_with_it_max": round(max(outages.back_seconds), 1)}
