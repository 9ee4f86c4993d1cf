"""Small units of work go in rounds: made one after the other, then committed side by side.

A commit is three answers of Kafka, and each waits for its turn in the event loop. So a small unit
does not begin while another's commit is under way: it would hold that up by as long as it takes to
make, and be made alone, where those who have waited together share the call that makes the scores
(see ``engine.scoring``).
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

REST_SECONDS = 0.05
"""The longest wait: a commit that hangs holds up nobody else's for longer."""


class Rounds:
    """Lets the partitions of a worker take turns at making and at committing."""

    def __init__(self) -> None:
        self._commits = 0
        self._none = asyncio.Event()
        self._none.set()

    async def turn(self) -> None:
        """Wait until nobody commits."""
        if self._commits:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._none.wait(), timeout=REST_SECONDS)

    @contextmanager
    def committing(self) -> Iterator[None]:
        """Hold others' small units up meanwhile."""
        self._commits += 1
        self._none.clear()
        try:
            yield
        finally:
            self._commits -= 1
            if not self._commits:
                self._none.set()
