"""Up to where all updates of a partition are settled, though they are settled in any order."""

from collections.abc import Iterable


class Progress:
    """The open records of one partition.

    >>> progress = Progress(position=7)
    >>> progress.begin(7, 1000), progress.begin(9, 2000)
    (None, None)
    >>> progress.settle(9)
    >>> progress.position  # 7 is still open
    7
    >>> progress.settle(7)
    >>> progress.position
    10

    Args:
        position: offset of the first record that is not settled.
    """

    def __init__(self, position: int) -> None:
        self._next = position
        self._open: dict[int, int] = {}

    def begin(self, offset: int, timestamp: int) -> None:
        """Note a record: offsets rise. ``timestamp`` is its own, milliseconds since 1970."""
        self._open[offset] = timestamp
        self._next = offset + 1

    def settle(self, offset: int) -> None:
        """Note that a record was taken, or given up."""
        del self._open[offset]

    def reach(self, position: int) -> None:
        """Note that there is no record before ``position`` but those that have begun."""
        self._next = max(self._next, position)

    def is_new(self, offset: int) -> bool:
        """Whether a record has not begun yet."""
        return offset >= self._next

    @property
    def position(self) -> int:
        """What may be committed: all before it is settled."""
        return next(iter(self._open), self._next)

    @property
    def oldest(self) -> int | None:
        """The timestamp of the first open record; None where none is open."""
        return next(iter(self._open.values()), None)


def oldest_of(partitions: Iterable[Progress]) -> int | None:
    """Return the timestamp of the oldest open record of all; None where none is open."""
    return min((one.oldest for one in partitions if one.oldest is not None), default=None)
