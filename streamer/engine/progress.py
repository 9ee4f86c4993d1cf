"""Whether a partition with lag stands still, told from what is seen of it every now and then.

Offsets say so: of records that have been read it is the checkpoint that must rise, else the
reading position. (The checkpoint alone would not do: markers of transactions take offsets too, and
no unit of work passes the last of them.)
"""

from collections.abc import Mapping
from typing import NamedTuple


class Standing(NamedTuple):
    """Where a topic partition stands at one moment; all offsets are of what comes next."""

    applied: int
    """Behind what is committed."""
    read: int
    """Behind the last record read."""
    position: int
    """Where reading goes on: further than ``read`` behind markers of transactions."""
    end: int
    """Of what readers of committed records may see."""

    @property
    def lag(self) -> int:
        """How many offsets are still to be read or applied."""
        return self.read - self.applied + max(0, self.end - self.position)

    @property
    def waits_for(self) -> str:
        """What the next record waits for; empty where none waits."""
        if self.read > self.applied:
            return "read but not committed"
        return "not read from Kafka" if self.end > self.position else ""


class _Track:
    """One topic of a partition."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._applied = self._position = -1

    def see(self, at: Standing, elapsed: float) -> None:
        rose = at.applied > self._applied
        if at.read <= at.applied:
            rose = rose or at.position > self._position
        # What was reached once counts once: a recovery starts over from an older checkpoint.
        self._applied = max(self._applied, at.applied)
        self._position = max(self._position, at.position)
        self.seconds = 0.0 if rose or not at.waits_for else self.seconds + elapsed


class Progress:
    """How long a partition with lag has stood still, and why."""

    def __init__(self, now: float) -> None:
        self._seen_at = now
        self._state_bytes = -1
        self._tracks: dict[str, _Track] = {}
        self.seconds = 0.0
        self.cause = ""

    def pause(self, now: float) -> None:
        """Let the time since the last look not count: nothing could be known, or be done."""
        self._seen_at = now

    def see(self, now: float, standings: Mapping[str, Standing], state_bytes: int) -> None:
        """Take in where the partition's topics stand at ``now``, in seconds of any clock.

        While ``state_bytes`` changes, rows are being recovered: that is no standing still, but no
        record is applied by it either.
        """
        elapsed, self._seen_at = now - self._seen_at, now
        if state_bytes != self._state_bytes:
            self._state_bytes, elapsed = state_bytes, 0.0
        for topic, standing in standings.items():
            self._tracks.setdefault(topic, _Track()).see(standing, elapsed)
        topic = max(standings, key=lambda name: self._tracks[name].seconds)
        self.seconds = self._tracks[topic].seconds
        at = standings[topic]
        self.cause = (
            f"{topic} stands at offset {at.applied} with {at.lag} to come, {at.waits_for}"
            if self.seconds
            else ""
        )
