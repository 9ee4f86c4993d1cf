"""The customers' table as Faust's assignor knows it, and its recovery in place of Faust's.

The rows are not in Faust's store (see ``pipeline.Partition``); but the changelog is registered, so
Faust assigns its partitions together with those of the input topics, and routes requests by them.
Faust's recovery would read it a record at a time; ours is in ``changelog``.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from faust.tables.manager import TableManager
from faust.tables.recovery import Recovery
from faust.types import TP
from mode import Service

TakeUp = Callable[[set[TP]], Awaitable[None]]


class CustomerRecovery(Recovery):
    """After each rebalance: recovers what is new here, then lets records flow."""

    @Service.task
    async def _restart_recovery(self) -> None:
        while not self.should_stop:
            if await self.wait_for_stopped(self.signal_recovery_start.wait()):
                return
            self.signal_recovery_start.clear()
            generation = self._generation_id
            try:
                await self._take_up(generation)
            except Exception as error:
                self.log.exception("Recovery failed")
                await self.app.crash(error)

    async def _take_up(self, generation: int) -> None:
        app: Any = self.app
        await app.on_rebalance_complete.send()
        if app.consumer_generation_id != generation:
            return
        take_up = app.loop.create_task(app.take_up(app.consumer.assignment()))
        result = await self.wait_first(take_up, self.signal_recovery_start.wait())
        if result.stopped or self.signal_recovery_start.is_set():
            take_up.cancel()  # another rebalance has begun: its assignment will be taken up
            return
        await take_up
        self.completed.set()
        app.flow_control.resume()
        app.consumer.resume_flow()
        await app._fetcher.maybe_start()  # noqa: SLF001 - as Faust's own recovery does
        self.tables.on_actives_ready()
        self.tables.on_standbys_ready()
        app.on_rebalance_end()
        self.log.info("Worker ready")


class CustomerTables(TableManager):
    """Faust's table manager with our recovery."""

    async def on_start(self) -> None:
        """Start at once: Faust's waits a second for tables that come to be later; ours is here."""
        await self._update_channels()
        await self.recovery.start()

    @property
    def recovery(self) -> Recovery:
        """The recovery service."""
        if self._recovery is None:
            self._recovery = CustomerRecovery(self.app, self, beacon=self.beacon, loop=self.loop)
        return self._recovery
