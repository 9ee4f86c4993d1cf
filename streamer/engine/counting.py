"""When a partition counts its changed customers, and when it tells of them.

Between units of work, a slice at a time, so that no event waits for long: every so often all that
is pending, while nothing waits; one slice a unit of work while something does. Under a backlog the
figures of the shop lag, then, not the scores.
"""

import time
from collections.abc import Callable

from streamer.pipeline import Partition

COUNT_SECONDS = 2.0
"""How often changed customers are counted: many events of one are one change."""

COUNT_TICK_SECONDS = 0.01
"""Between slices, while nothing else happens."""

SLICE = 250
"""Customers counted at once: some milliseconds."""

PENDING_MAX = 100_000
"""Beyond it all the rest is counted at once: each holds on to a row that has been replaced."""


class CountingSchedule:
    """Of one partition.

    Args:
        interval_seconds: between two tellings, at least.
        clock: monotonic, in seconds.
    """

    def __init__(
        self, interval_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._interval = interval_seconds
        self._clock = clock
        self._begun_at = self._told_at = clock()
        self.counting = False
        """Whether the pending customers are being counted, slice by slice."""

    def count(self, partition: Partition) -> None:
        """Count a slice if it is time to; call it between units of work."""
        now = self._clock()
        if not self.counting and now - self._begun_at >= COUNT_SECONDS:
            self.counting, self._begun_at = True, now
        if self.counting:
            excess = partition.counting.pending - PENDING_MAX
            partition.count(max(SLICE, excess))
            self.counting = partition.counting.pending > 0

    def to_be_told(self, partition: Partition) -> bool:
        """Return whether the next unit of work is to write what has changed."""
        return partition.counting.has_news and self._clock() - self._told_at >= self._interval

    def told(self) -> None:
        """Note that it was given to a unit of work."""
        self._told_at = self._clock()
