"""Silence timers: a heap of the instants at which customers fall into the next risk band.

A customer has one live entry, at or before its true next crossing. So a purchase, which moves the
crossing later, costs nothing here: the entry comes up early, is looked at, and is set anew. One
that moves it earlier leaves a stale entry behind; there are never more of those than of live ones.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush

from streamer.records.instants import LAST, NEVER

STALE_MIN = 1_000
"""Fewer stale entries are not worth taking out."""


class SilenceTimers:
    """The timers of one partition; instants in microseconds since 1970."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, str]] = []
        self._instant_of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._instant_of)

    def load(self, instants: dict[str, int]) -> None:
        """Replace all timers."""
        self._instant_of = instants
        self._heap = [(instant, customer) for customer, instant in instants.items()]
        heapify(self._heap)

    def schedule(self, instants: Iterable[tuple[str, int]]) -> None:
        """Wake each customer at its instant or earlier; ``LAST`` and beyond: never."""
        heap, instant_of = self._heap, self._instant_of
        for customer_id, instant in instants:
            if instant < instant_of.get(customer_id, LAST):
                instant_of[customer_id] = instant
                heappush(heap, (instant, customer_id))
            elif instant >= LAST:
                instant_of.pop(customer_id, None)
        if len(heap) > 2 * len(instant_of) + STALE_MIN:
            self.load(instant_of)

    def reset(self, customer_id: str, instant: int) -> None:
        """Wake the customer at ``instant`` and not before; ``LAST`` and beyond: never."""
        self._instant_of.pop(customer_id, None)
        self.schedule([(customer_id, instant)])

    def sleeps(self, customer_id: str, until: int) -> bool:
        """Return whether the customer is woken only after ``until``: nothing is crossed by then."""
        return self._instant_of.get(customer_id, NEVER) > until

    def pop(self, until: int) -> tuple[int, str] | None:
        """Take and return the earliest timer up to and with ``until``, if there is one."""
        heap, instant_of = self._heap, self._instant_of
        while heap and heap[0][0] <= until:
            instant, customer_id = heappop(heap)
            if instant_of.get(customer_id) == instant:
                del instant_of[customer_id]
                return instant, customer_id
        return None

    def due(self, until: int) -> int:
        """Return how many timers are up to and with ``until``, stale ones included.

        Looks at those alone: below an entry of a heap there are only later ones.
        """
        found, ahead = 0, [0]
        while ahead:
            place = ahead.pop()
            if place < len(self._heap) and self._heap[place][0] <= until:
                found += 1
                ahead += 2 * place + 1, 2 * place + 2
        return found

    def next_instant(self) -> int | None:
        """Return the instant of the earliest timer (it may be stale: an early wake-up)."""
        return self._heap[0][0] if self._heap else None
