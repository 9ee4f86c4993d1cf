"""When a partition counts its changed customers, and when it tells of them.

Between units of work, a slice at a time, and for no more than a share of the process's time: no
event waits for long. Under more load than that share can follow, what is pending grows, until most
changes are of customers who are pending anyway; the figures of the shop lag then, not the scores.
"""

import time
from collections.abc import Callable

from streamer.pipeline import Partition

COUNT_SECONDS = 2.0
"""How often changed customers are counted: many events of one are one change."""

COUNT_TICK_SECONDS = 0.01
"""Between slices, while nothing else happens."""

SLICE = 100
"""Customers counted at once: 3 ms, twice that with cold caches. 250 took 8, a tenth less each."""

SHARE, SHARE_BEHIND = 0.1, 0.03
"""Of the process's time, for counting in all its partitions: as a rule, and while events wait."""

HELD_MAX = 200_000
"""Replaced rows that pending customers hold on to: beyond it counting knows no share."""

SLICE_MAX = 2_000
"""Customers counted at once then."""


class Pace:
    """Keeps the counting of all partitions of a process within its share of the time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._next_at = clock()

    @property
    def allows(self) -> bool:
        """Whether another slice may be counted."""
        return self.clock() >= self._next_at

    def took(self, seconds: float, share: float = SHARE) -> None:
        """Note how long the last slice took, of the time of which it is to be a ``share``."""
        self._next_at = self.clock() + seconds * (1 / share - 1)


class CountingSchedule:
    """Of one partition.

    Args:
        interval_seconds: between two tellings, at least.
        pace: that of the process.
    """

    def __init__(self, interval_seconds: float, pace: Pace) -> None:
        self._interval = interval_seconds
        self._pace = pace
        self._clock = pace.clock
        self._begun_at = self._told_at = self._clock()
        self.counting = False
        """Whether the pending customers are being counted, slice by slice."""

    def count(self, partition: Partition, *, behind: bool = False) -> None:
        """Count a slice if it is time to; call it between units of work.

        Args:
            partition: whose changed customers are counted.
            behind: whether there is so much to do that throughput counts, not the shop's figures.
        """
        now = self._clock()
        if not self.counting and now - self._begun_at >= COUNT_SECONDS:
            self.counting, self._begun_at = True, now
        is_full = partition.counting.held > HELD_MAX
        if not (self.counting and (is_full or self._pace.allows)):
            return
        partition.count(SLICE_MAX if is_full else SLICE)
        self._pace.took(self._clock() - now, SHARE_BEHIND if behind else SHARE)
        self.counting = partition.counting.pending > 0

    def to_be_told(self, partition: Partition) -> bool:
        """Return whether the next unit of work is to write what has changed."""
        return partition.counting.has_news and self._clock() - self._told_at >= self._interval

    def told(self) -> None:
        """Note that it was given to a unit of work."""
        self._told_at = self._clock()
