"""The interval of the number of purchases to come."""

import numpy as np

from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.predictive.counts import Counts
from streamer.scoring.models.predictive.families import counts_ahead
from streamer.scoring.models.predictive.tails import lower_tail, upper_tail

_FIRST = 16


@np.errstate(under="ignore")
def purchase_interval(
    model: PurchaseModel,
    customers: Histories,
    horizon: float,
    level: float,
    correction: Floats | float = 1.0,
) -> tuple[Floats, Floats]:
    """Return the predictive interval of the number of purchases in (T, T + horizon].

    It is of the purchases themselves, not of their expectation: the uncertainty of the parameters
    alone would hold 1–3 % of customers. Low is the smallest number n with P(N ≤ n) at least
    (1 − level)/2; high is the smallest with P(N > n) at most ``upper_tail``, which is (1 − level)/2
    too, but more where low is 0. The whole is held with a probability of at least ``level``, and
    more than that so far as single numbers are probable.

    Args:
        model: with its parameters.
        customers: n histories.
        horizon: in the model's time unit, finite, 0 or more.
        level: nominal coverage, between 0 and 1.
        correction: by which the customers' purchase rates are multiplied from T on, above 0, shape
            (n,) or one for all; see ``counts_ahead``.

    Returns:
        Low and high, whole numbers of shape (n,), both within the interval. The expectation may
        be above high: where P(N = 0) is above ``level``, both are 0.

    Raises:
        ValueError: ``level`` or ``horizon`` is out of range.
    """
    below = lower_tail(level)
    counts = counts_ahead(model, customers, horizon, correction)
    alive = model.probability_alive(customers)
    first = alive[:, None] * counts.at_least(
        np.broadcast_to(np.arange(1.0, _FIRST + 1), (len(alive), _FIRST))
    )
    above = upper_tail(1 - first[:, 0], level)
    low = _quantile(counts, alive, first, np.full_like(above, 1 - below))
    return low, _quantile(counts, alive, first, above)


def _quantile(counts: Counts, alive: Floats, first: Floats, exceeding: Floats) -> Floats:
    """Return the smallest n with P(N > n) at most ``exceeding``, shape (n,).

    Args:
        counts: N given alive.
        alive: P(alive), shape (n,).
        first: P(N ≥ 1), …, shape (n, ``_FIRST``).
        exceeding: between 0 and 1, shape (n,).
    """
    found: Floats = np.count_nonzero(first > exceeding[:, None], axis=1).astype(np.float64)
    beyond = np.flatnonzero(found == _FIRST)
    counts, alive, exceeding = counts.of(beyond), alive[beyond], exceeding[beyond]
    low = found[beyond]
    high = np.maximum(_bound(counts, exceeding / alive), low)
    while (low < high).any():
        middle = np.floor((low + high) / 2)
        exceeds = alive * counts.at_least(middle[:, None] + 1)[:, 0] > exceeding
        low, high = np.where(exceeds, middle + 1, low), np.where(exceeds, high, middle)
    found[beyond] = high
    return found


def _bound(counts: Counts, exceeding: Floats) -> Floats:
    """Return a number that N exceeds with ``exceeding`` at most: Cantelli's inequality for M."""
    mean = counts.shape * counts.odds
    variance = mean * (1 + counts.odds)
    bound: Floats = np.ceil(mean + np.sqrt(variance * (1 - exceeding) / exceeding))
    return bound
