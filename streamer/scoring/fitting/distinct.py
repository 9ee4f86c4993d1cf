"""Equal customers are counted, not repeated: at whole days most histories occur many times."""

from collections.abc import Iterator

import numpy as np
from msgspec import Struct

from streamer.scoring.models.histories import Floats, Histories

CHUNK_CUSTOMERS = 4096
"""So many at a time: what is worked out of them stays in the processor's cache."""


class DistinctHistories(Struct, frozen=True):
    """m distinct histories of n customers; ``m ≤ n``."""

    histories: Histories
    """Every array of shape (m,), sorted by x, t_x and T."""
    count: Floats
    """Shape (m,): how many customers have each."""
    more_than: Floats
    """Shape (max x,): how many customers have x > 0, x > 1, and so on."""

    @property
    def age_mean(self) -> float:
        """Mean T of all customers; 1 where every T is 0. The scale of this base's times."""
        return float(np.average(self.histories.T, weights=self.count)) or 1.0

    def chunks(self) -> Iterator[tuple[Histories, Floats]]:
        """Give the histories and their counts, some at a time."""
        of = self.histories
        for start in range(0, len(self.count), CHUNK_CUSTOMERS):
            rows = slice(start, start + CHUNK_CUSTOMERS)
            yield Histories(of.x[rows], of.t_x[rows], of.T[rows]), self.count[rows]


def distinct(customers: Histories) -> DistinctHistories:
    """Collapse the n equal ones among ``customers``, whose x are whole; n is 1 or more."""
    columns = customers.x, customers.t_x, customers.T
    order = np.lexsort(columns[::-1])
    rows = np.stack([column[order] for column in columns])
    starts = np.flatnonzero(np.any(np.diff(rows, prepend=np.nan) != 0, axis=0))
    count = np.diff(starts, append=len(order)).astype(np.float64)
    histories = Histories(*rows[:, starts])
    having = np.bincount(histories.x.astype(np.int64), count).astype(np.float64)
    return DistinctHistories(histories, count, np.cumsum(having[:0:-1])[::-1])
