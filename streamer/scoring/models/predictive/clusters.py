"""The number of purchases of one who buys at all, as some ten clusters of near numbers.

Sums over N = 1, 2, 3, … are too long for the hot path, and need not be exact where the numbers are
large: what N purchases are worth is spread over far more than the step from N to N + 1.
"""

from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats
from streamer.scoring.models.predictive.counts import Counts
from streamer.scoring.models.special import bounded

Integers = NDArray[np.int64]

_FEW = (1, 2, 3, 4, 5, 7, 10, 14, 19, 25)
"""Where the clusters of most customers begin; what is from the last one on is left away."""
_FEW_SHARE = 0.999
"""Those whose N, if any, is less likely than this to be below get clusters of their own instead."""
_KEPT = 5
"""So many of ``_FEW`` are among them."""
_GEOMETRIC, _TAIL_SCALES = 14, 7
_DEVIATES = np.linspace(-3, 3, 14)
_NEGLIGIBLE = 5e-4
"""Lighter clusters are left away. With this and the above most customers have seven or eight."""
_WEIGHT_MAX = 0.06
"""Heavier ones are cut up: as their values are summed as if spread normally, they would show."""
_BUYS_MIN = 1e-200
"""Stands for 0 as a divisor."""


class Clusters(Struct, frozen=True):
    """Clusters of all customers, in one list: arrays of shape (clusters,)."""

    customer: Integers
    """Index of the customer."""
    weight: Floats
    """P(N in the cluster | N ≥ 1, alive), a customer's sum to 1."""
    mean: Floats
    """Of the numbers in the cluster."""
    variance: Floats
    """As ``mean``."""

    def of(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the clusters of the customers ``chosen``, counted anew.

        Args:
            chosen: shape (k, customers): k choices, whose customers are counted one behind another.
        """
        number = np.cumsum(chosen).reshape(chosen.shape) - 1
        choice, kept = np.nonzero(chosen[:, self.customer])
        customer = number[choice, self.customer[kept]]
        return type(self)(customer, self.weight[kept], self.mean[kept], self.variance[kept])


def clusters_of(counts: Counts) -> tuple[Floats, Clusters]:
    """Return P(N ≥ 1 | alive), shape (customers,), and the clusters of N."""
    at_least = counts.at_least(_repeated(_FEW, len(counts.shape)))
    buys = at_least[:, 0]
    is_large = at_least[:, -1] > (1 - _FEW_SHARE) * buys
    (small,), (large,) = (~is_large).nonzero(), is_large.nonzero()
    parts = [_clusters(small, _repeated(_FEW, len(small)), at_least[small])]
    if len(large):
        beyond = _large_edges(counts.of(large))
        edges = np.concatenate([_repeated(_FEW[:_KEPT], len(large)), beyond], axis=1)
        tail = counts.of(large).at_least(beyond)
        tail = np.concatenate([at_least[large, :_KEPT], tail], axis=1)
        parts.append(_clusters(large, edges, tail))
    customer, weight, mean, variance = map(np.concatenate, zip(*parts, strict=True))
    weight /= np.bincount(customer, weight, len(buys))[customer]
    return buys, Clusters(customer, weight, mean, variance)


def _large_edges(counts: Counts) -> Floats:
    """Return where the clusters of large numbers begin, shape (customers, edges), never falling.

    If nothing ends the buying, N is around the mean of M: edges there are quantiles of M (Wilson &
    Hilferty 1931, PNAS 17:684). Those who stop sooner are spread over all that is below, and where
    r + x is small all are: edges there rise geometrically. M's tail falls by e for each 1 + odds.
    """
    start = _FEW[_KEPT - 1]
    shape, mean = counts.shape[:, None], (counts.shape * counts.odds)[:, None]
    ninth = (1 / mean + 1 / shape) / 9
    bump = mean * np.maximum(1 - ninth + _DEVIATES * np.sqrt(ninth), 0) ** 3
    last = np.maximum(bump[:, -1:], start + _TAIL_SCALES * (1 + counts.odds[:, None]))
    sooner = start * (last / start) ** (np.arange(1, _GEOMETRIC + 1) / _GEOMETRIC)
    edges = np.rint(np.concatenate([sooner, np.maximum(bump, start)], axis=1))
    return np.sort(edges, axis=1)


def _repeated(edges: tuple[int, ...], customers: int) -> Floats:
    return np.array([edges], dtype=np.float64).repeat(customers, axis=0)


def _clusters(
    customer: Integers, edges: Floats, at_least: Floats
) -> tuple[Integers, Floats, Floats, Floats]:
    """Return the fields of ``Clusters`` for N from ``edges`` to the next; the last edge ends it.

    Args:
        customer: indices, shape (n,).
        edges: whole, never falling, shape (n, k).
        at_least: P(N ≥ edge | alive), shape (n, k).
    """
    weights = np.maximum(at_least[:, :-1] - at_least[:, 1:], 0)
    weights /= np.maximum(at_least[:, :1], _BUYS_MIN)
    widths = edges[:, 1:] - edges[:, :-1]
    middles = edges[:, :-1] + (widths - 1) / 2
    slopes = _relative_slopes(weights / np.maximum(widths, 1), middles)
    (kept,) = (weights > _NEGLIGIBLE).ravel().nonzero()
    weight, width = weights.ravel()[kept], widths.ravel()[kept]
    pieces = bounded(np.ceil(weight / _WEIGHT_MAX), 1, width).astype(np.int64)
    cut = np.repeat(np.arange(len(kept)), pieces)
    number = np.arange(len(cut)) - (np.cumsum(pieces) - pieces)[cut]
    weight, width, kept, pieces = weight[cut], width[cut], kept[cut], pieces[cut]
    piece = width / pieces
    offset = (number + 0.5) * piece - width / 2
    slope = bounded(slopes.ravel()[kept], -2 / width, 2 / width)
    evenly = np.maximum(piece**2 - 1, 0) / 12
    return (
        customer[kept // widths.shape[1]],
        weight / pieces * (1 + slope * offset),
        middles.ravel()[kept] + offset + slope * evenly,
        evenly - (slope * evenly) ** 2,
    )


def _relative_slopes(density: Floats, middles: Floats) -> Floats:
    """Return (dP/dn)/P at the clusters, from the parabola by the neighbours; 0 at both ends."""
    gaps = np.maximum(middles[:, 1:] - middles[:, :-1], 1)
    rises = (density[:, 1:] - density[:, :-1]) / gaps
    before, after = gaps[:, :-1], gaps[:, 1:]
    rise = (rises[:, :-1] * after + rises[:, 1:] * before) / (before + after)
    slopes = np.zeros(density.shape)
    slopes[:, 1:-1] = rise / np.maximum(density[:, 1:-1], _NEGLIGIBLE**2)
    return slopes
