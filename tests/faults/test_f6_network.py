"""F6: the network fails in mid-commit. What is committed never passes what is durable."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from random import Random

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.support import impatient
from tests.support.proxy import (
    ADD_PARTITIONS,
    CUTS,
    END_TRANSACTION,
    PRODUCE,
    Fate,
    Proxy,
    proxied,
)
from tests.support.scenario import Scenario, scenario

SEED = 6
EVENTS_PER_SECOND = 300
STRUCK_SECONDS_MAX = 30
BACK_SECONDS_MAX = 60
REQUESTS = (END_TRANSACTION, PRODUCE, ADD_PARTITIONS)
DOWN_SECONDS = 1.5
SLOW_SECONDS = 0.4
SILENT_SECONDS = 8
"""Longer than a session: meanwhile the group takes the worker for dead."""

DELAYED_FOR_SECONDS = 3

PATIENCE_SECONDS = 3
"""Of a worker that must not wait: for the end of a transaction."""

HELD_UP_SECONDS_MAX = 20
"""Less than the 30 s for which aiokafka waits for one answer, before it asks again."""


class Trouble:
    """Lets the network between the worker and the broker fail in one way after the other."""

    def __init__(self, plot: Scenario, proxy: Proxy, seed: int) -> None:
        self.failures = 0
        self.back_seconds: list[float] = []
        """From a failure to the moment when every partition has committed since."""
        self.checks = 0
        self._plot, self._proxy = plot, proxy
        self._random = Random(seed)

    async def every_way(self) -> None:
        """Fail in each way once, in any order."""
        strike = self._proxy.strike
        ways: list[Callable[[], Awaitable[None]]] = [
            partial(strike, request, fate, STRUCK_SECONDS_MAX)
            for request, fate in product(REQUESTS, CUTS)
        ]
        ways += [partial(self._proxy.down, DOWN_SECONDS)]
        ways += [partial(self._delay, seconds) for seconds in (SLOW_SECONDS, SILENT_SECONDS)]
        self._random.shuffle(ways)
        for fail in ways:
            await asyncio.sleep(self._random.uniform(0, 0.5))
            await fail()
            self.failures += 1
            failed_at = time.time()
            moved_at = await self._plot.audit.moved(failed_at, BACK_SECONDS_MAX)
            self.back_seconds.append(moved_at - failed_at)
            await self.check_offsets()

    async def _delay(self, seconds: float) -> None:
        """Hold up everything that comes by in a while."""
        self._proxy.delay_seconds = seconds
        await asyncio.sleep(DELAYED_FOR_SECONDS)
        self._proxy.delay_seconds = 0

    async def check_offsets(self) -> None:
        """What the group has committed is covered by the checkpoints read after that."""
        corner, audit = self._plot.corner, self._plot.audit
        admin = AIOKafkaAdminClient(bootstrap_servers=corner.bootstrap)
        await admin.start()
        try:
            committed = await admin.list_consumer_group_offsets(f"{corner.prefix}group")
        finally:
            await admin.close()
        await audit.read()
        for (topic, partition), (offset, _) in committed.items():
            checkpoint = audit.checkpoints.get(partition)
            durable = checkpoint.next_offsets.get(topic, 0) if checkpoint else 0
            assert offset <= durable, f"{topic}/{partition}: {offset} committed, {durable} durable"
            self.checks += 1


Network = tuple[str, Proxy]
"""Where a broker is, and the network before it."""


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    node, proxy = proxied(tmp_path_factory.mktemp("proxied"))
    node.launch()
    try:
        node.wait_until_ready()
        yield node.node.bootstrap, proxy
    finally:
        node.stop()


async def test_what_is_committed_never_passes_what_is_durable(
    network: Network, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    bootstrap, proxy = network
    seconds = soak_seconds or 40
    async with proxy, scenario(bootstrap, tmp_path, SEED, seconds, EVENTS_PER_SECOND) as plot:
        worker = plot.corner.worker("worker", brokers=proxy.bootstrap)
        trouble = Trouble(plot, proxy, SEED)
        worker.start()
        await worker.ready()
        async with plot.load():
            began = time.monotonic()
            while not trouble.failures or time.monotonic() - began < soak_seconds:
                await trouble.every_way()
        assert worker.lives == 1
        assert await worker.stop() == 0, worker.told("did not end well")
        await plot.audit.read()
        await trouble.check_offsets()
    assert trouble.checks
    summary(
        "F6 network",
        failures=trouble.failures,
        seconds_until_all_moved_max=round(max(trouble.back_seconds), 1),
        offsets_checked=trouble.checks,
        **plot.figures(),
    )
    plot.check()


async def test_what_is_never_answered_does_not_hold_up_a_partition_for_ever(
    network: Network, tmp_path: Path, summary: Callable[..., None]
) -> None:
    bootstrap, proxy = network
    held_up: list[float] = []
    async with proxy, scenario(bootstrap, tmp_path, SEED, 25, 100) as plot:
        worker = plot.corner.worker("worker", brokers=proxy.bootstrap, emit="every_event")
        worker.command = [sys.executable, "-P", impatient.__file__, str(PATIENCE_SECONDS)]
        worker.start()
        await worker.ready()
        async with plot.load():
            for request in (END_TRANSACTION, PRODUCE):
                await proxy.strike(request, Fate.SWALLOWED, STRUCK_SECONDS_MAX)
                swallowed_at = time.time()
                moved_at = await plot.audit.moved(swallowed_at, HELD_UP_SECONDS_MAX)
                held_up.append(moved_at - swallowed_at)
        assert f"no end of the transaction in {PATIENCE_SECONDS} s" in worker.log
        assert worker.lives == 1
        assert await worker.stop() == 0, worker.told("did not end well")
        await plot.audit.read()
    summary("F6 no answer", seconds_until_all_moved_max=round(max(held_up), 1), **plot.figures())
    plot.check()
