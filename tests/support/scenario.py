"""The common plot of the fault tests: a busy shop, workers that have a bad day, a recount."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.audit import Audit, auditing
from tests.support.load import BusyShop, Event, Load, Wire, send_all
from tests.support.oracle import count
from tests.support.stage import Stage, stage

EVENTS_PER_SECOND = 800
EVENTS_MAX = 500_000
"""A long run has a lighter load: the oracle keeps all events, a kilobyte each."""

EVENTS_PER_CUSTOMER = 500
"""So few that a row remembers all of their ids, and each repeat is known for sure."""

SPAN = timedelta(days=4)
"""Event time of the load, up to now: too short for any customer in it to be silent."""


class Scenario:
    """A stage, an audit of what comes out, and all that was sent."""

    def __init__(self, corner: Stage, audit: Audit, shop: BusyShop, per_second: float) -> None:
        self.corner, self.audit = corner, audit
        self._shop, self._per_second = shop, per_second
        self.events: list[Event] = []
        """What was sent and has to count, repeats included."""
        self.broken: list[Wire] = []
        """What was sent and has to become dead letters."""

    def _note(self, wire: Wire) -> None:
        if wire.event is None:
            self.broken.append(wire)
        else:
            self.events.append(wire.event)

    async def send(self, wires: Iterable[Wire]) -> None:
        """Send wires besides the load and wait until they are consumed."""
        noted = list(wires)
        for wire in noted:
            self._note(wire)
        await send_all(self.corner.bootstrap, noted, self.corner.prefix)
        await self.audit.consumed()

    @asynccontextmanager
    async def load(self) -> AsyncIterator[None]:
        """Let the shop's events come in during the block; then wait until they are consumed."""
        corner = self.corner
        load = Load(corner.bootstrap, self._shop, self._per_second, self._note, corner.prefix)
        running = asyncio.create_task(load.run())
        try:
            yield
        finally:
            load.finish()
            await running
        await self.audit.consumed()

    def check(self) -> None:
        """Nothing lost, nothing twice, nothing gone back."""
        self.audit.check(count(self.events))
        found = Counter((letter.key, letter.value) for letter in self.audit.dead_letters)
        sent = Counter((wire.key, wire.value) for wire in self.broken)
        assert found == sent, f"dead letters lost {sent - found}, too many {found - sent}"

    def differences(self) -> list[str]:
        """Return where rows and scores are not what the oracle counts."""
        return self.audit.differences(count(self.events))

    def figures(self) -> dict[str, object]:
        """Return what a report says of any scenario."""
        return {
            "events": len(self.events),
            "customers": len(self.audit.rows),
            "dead_letters": len(self.audit.dead_letters),
            "scores": sum(self.audit.scores.values()),
        }


@asynccontextmanager
async def scenario(
    bootstrap: str,
    folder: Path,
    seed: int,
    seconds: float,
    per_second: float = EVENTS_PER_SECOND,
    **settings: object,
) -> AsyncIterator[Scenario]:
    """Set a scenario with a load of about so many seconds; its workers end with it."""
    planned = min(round(seconds * per_second), EVENTS_MAX)
    customers = max(300, planned // EVENTS_PER_CUSTOMER)
    shop = BusyShop(seed, datetime.now(UTC) - SPAN, SPAN, planned, customers)
    with stage(bootstrap, folder, partitions=shop.partitions, **settings) as corner:
        async with auditing(corner) as audit:
            yield Scenario(corner, audit, shop, planned / seconds)
