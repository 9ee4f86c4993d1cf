"""Discounted sums of purchases from the undiscounted ones expected by some instants."""

from collections.abc import Iterator
from math import exp
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats
from streamer.scoring.models.special import LOG_NEGLIGIBLE, legendre

_SMALL_DISCOUNT = 0.3
"""Up to this rate·horizon the integral is a small correction: few instants suffice."""
_SHORT = 2.5
"""Up to this ln(1 + h/C)."""
_SHORT_COUNT, _SMALL_COUNT, _COUNT = 6, 16, 48
"""How many instants then, at a small discount, and in general: relative errors up to 1e-8."""


class Instants(NamedTuple):
    """Instants u and weights w such that Σ w·G(u) discounts the purchases G expected by u."""

    rows: NDArray[np.intp]
    """Of which customers, shape (n,)."""
    spans: Floats
    """u, shape (m, n)."""
    weights: Floats
    """w, the same shape."""


def instants(horizon: float, rate: float, scale: Floats) -> Iterator[Instants]:
    """Give each customer's instants, customers of equally many together.

    By parts: Σ e^(−rate·time) over the purchases by h is e^(−rate·h)·G(h) +
    rate·∫₀^h e^(−rate·u)·G(u) du, where the integral is by Gauss-Legendre in ln(1 + u/C).

    Args:
        horizon: h, above 0, may be infinite.
        rate: above 0, a time unit.
        scale: the time in which the purchases begin to cease, above 0, of every customer.
    """
    end = min(horizon, LOG_NEGLIGIBLE / rate)
    C = 1 / (1 / scale + rate)
    length = np.log1p(end / C)
    few = (length <= _SHORT) & (rate * end <= _SMALL_DISCOUNT)
    many = _SMALL_COUNT if rate * end <= _SMALL_DISCOUNT else _COUNT
    for (rows,), count in ((few.nonzero(), _SHORT_COUNT), ((~few).nonzero(), many)):
        if not len(rows):
            continue
        nodes, node_weights = legendre(count)
        y = nodes * length[rows]
        spans, weights = np.empty((2, count + 1, len(rows)))
        spans[:-1] = C[rows] * np.expm1(y)
        spans[-1] = end
        weights[:-1] = node_weights * (length * rate * C)[rows] * np.exp(y - rate * spans[:-1])
        weights[-1] = exp(-rate * end)
        yield Instants(rows, spans, weights)
