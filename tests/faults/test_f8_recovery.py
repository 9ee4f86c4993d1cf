"""F8: rows come back from changelogs of all kinds, in bounded time, and one sees how far it is."""

import asyncio
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from streamer.records.kafka import CHANGELOG
from streamer.serdes.rows import is_row
from tests.support import fail_points
from tests.support.administration import COMPACTED_AT_ONCE, compacted, configure, trim
from tests.support.audit import Audit, auditing
from tests.support.fail_points import EXIT_CODE
from tests.support.load import BusyShop, Wire, send_all
from tests.support.oracle import count
from tests.support.proxy import Proxy, proxied
from tests.support.scenario import SPAN
from tests.support.stage import Stage, stage
from tests.support.topics import last_per_key, read_topic
from tests.support.worker import STREAMER, Worker

SEED = 8
CUSTOMERS = 60
EVENTS_AT_FIRST = 3_000
EVENTS_AT_ONCE = 100
GIVES_UP_SECONDS_MAX = 90
COMPACTED_SECONDS_MAX = 90
SLOWED_DOWN_SECONDS = 0.05
"""Of each request of a recovery that is watched."""


class Recoveries:
    """A worker that starts anew after each change of its changelog, and goes on from it."""

    def __init__(self, corner: Stage, audit: Audit, proxy: Proxy) -> None:
        self.events: list[Wire] = []
        self.told_by_readyz: list[int] = []
        self._shop = iter(
            BusyShop(SEED, datetime.now(UTC) - SPAN, SPAN, EVENTS_AT_FIRST, CUSTOMERS)
        )
        self.changelog = corner.prefix + CHANGELOG
        self.bootstrap = corner.bootstrap
        self._corner, self._audit, self._proxy = corner, audit, proxy
        self._worker: Worker = corner.worker("worker", brokers=proxy.bootstrap)

    async def send(self, events: int) -> None:
        wires = list(islice(self._shop, events))
        self.events += wires
        await send_all(self.bootstrap, wires, self._corner.prefix)

    async def records(self) -> int:
        return len(await read_topic(self.bootstrap, self.changelog))

    async def recover(self, events: int = EVENTS_AT_ONCE) -> None:
        """Start, recover all there is, and no more, and go on with some events."""
        changelog = await read_topic(self.bootstrap, self.changelog)
        said_before = len(self._worker.log)
        self._worker.start()
        await self._worker.ready()
        told = await self._worker.figures()
        assert told["streamer_recovered_rows_total"] == len(changelog)
        assert told["streamer_recovery_remaining_records"] == 0
        said = re.findall(r"(\d+) rows recovered in", self._worker.log[said_before:])
        rows = {key for key in last_per_key(changelog) if key is not None and is_row(key)}
        assert sum(map(int, said)) == len(rows)
        await self.send(events)
        await self._audit.consumed()
        assert await self._worker.stop() == 0, self._worker.told("did not end well")
        await self._audit.read()

    async def recover_slowly(self) -> list[float]:
        """Start over a slow network; return what was told to be left to read, as it changed."""
        remaining = [0.0]
        self._proxy.delay_seconds = SLOWED_DOWN_SECONDS
        self._worker.start()
        while (await self._worker.get("/readyz"))[0] != 200:
            assert self._worker.is_running, self._worker.told("ended")
            told = await self._worker.figures()
            left = told.get("streamer_recovery_remaining_records", 0)
            if left != remaining[-1]:
                remaining.append(left)
            self.told_by_readyz += await self._left_to_read()
            await asyncio.sleep(0.02)
        self._proxy.delay_seconds = 0
        assert await self._worker.stop() == 0, self._worker.told("did not end well")
        return remaining

    async def _left_to_read(self) -> list[int]:
        """Return what /readyz says of it, partition by partition; nothing where it is ready."""
        status, text = await self._worker.get("/readyz")
        left = json.loads(text)["remaining_records"].values() if status == 503 else ()
        return [records for records in left if records]

    async def die_in_a_transaction(self) -> None:
        """Leave rows at the end of a changelog that do not count."""
        self._worker.command = [sys.executable, "-P", fail_points.__file__, "before_commit", "1"]
        self._worker.start()
        self._worker.may_leave = True
        await self.send(EVENTS_AT_ONCE)
        assert await self._worker.ended(GIVES_UP_SECONDS_MAX) == EXIT_CODE, self._worker.told(
            "ended"
        )
        self._worker.may_leave = False
        self._worker.command = [STREAMER, "worker"]


async def test_rows_come_back_from_any_changelog(
    tmp_path: Path, summary: Callable[..., None]
) -> None:
    node, proxy = proxied(tmp_path / "kafka", log_cleaner_backoff_ms="200")
    node.launch()
    try:
        node.wait_until_ready()
        async with proxy:
            with stage(node.node.bootstrap, tmp_path) as corner:
                async with auditing(corner) as audit:
                    recoveries = Recoveries(corner, audit, proxy)
                    told = await every_kind(recoveries)
        audit.check(count(wire.event for wire in recoveries.events if wire.event is not None))
    finally:
        node.stop()
    summary("F8 recovery", **told, events=len(recoveries.events), customers=len(audit.rows))


async def every_kind(recoveries: Recoveries) -> dict[str, object]:
    """Recover from one kind of changelog after the other; return how many records each had."""
    told: dict[str, object] = {"empty": await recoveries.records()}
    await recoveries.recover(EVENTS_AT_FIRST)
    told["as written"] = full = await recoveries.records()
    remaining = await recoveries.recover_slowly()
    assert max(remaining) > 0, "nobody was told how much was left to recover"
    assert recoveries.told_by_readyz, "/readyz did not tell it"
    await recoveries.recover()
    await recoveries.die_in_a_transaction()
    told["ending in what was aborted"] = await recoveries.records()
    await recoveries.recover()
    await configure(recoveries.bootstrap, recoveries.changelog, COMPACTED_AT_ONCE)
    await recoveries.recover()
    told["compacted"] = await compacted(
        recoveries.bootstrap, recoveries.changelog, full // 2, COMPACTED_SECONDS_MAX
    )
    await recoveries.recover()
    begins = await trim(recoveries.bootstrap, recoveries.changelog)
    assert all(begins.values()), "nothing was trimmed"
    told["trimmed"] = await recoveries.records()
    await recoveries.recover()
    return told
