"""Functions that several models share, stable where their textbook forms are not.

All take and return arrays of one shape.
"""

from functools import lru_cache

import numpy as np

from streamer.scoring.models.histories import Floats

LOG_NEGLIGIBLE = 45.0
"""What is less than e^-45 of the whole is left away."""

_NODES, _DISCOUNTED_NODES = 32, 64
"""The exponential function bends more sharply than the others."""

_BLOCK = 512
"""Rows worked on at once: they stay in the processor's cache."""

_STIRLING = 1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188
"""Abramowitz & Stegun 6.1.41."""

_LOG_MAX = 600.0
"""e to this power is still far from the largest number."""


@lru_cache
def legendre(count: int) -> tuple[Floats, Floats]:
    """Return Gauss-Legendre's nodes and weights between 0 and 1, shapes (count, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes[:, None] + 1) / 2, weights[:, None] / 2


def column_sums(terms: Floats) -> Floats:
    """Return the sums of (m, n) terms over m, shape (n,), to the same bits whatever n is.

    Numpy adds a lone column's terms in another order than many columns'.
    """
    sums: Floats = terms.sum(axis=0) if terms.shape[1] > 1 else terms.cumsum(axis=0)[-1]
    return sums


def bounded(values: Floats, low: Floats | float, high: Floats | float) -> Floats:
    """Return ``values`` brought between ``low`` and ``high``: np.clip, for few at a quarter of it.

    >>> bounded(np.array([-2.0, 0.5, 7.0]), 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    within: Floats = np.minimum(np.maximum(values, low), high)
    return within


def softplus(x: Floats) -> Floats:
    """Return ln(1 + e^x) for any x, ±∞ too.

    With odds e^x, ln of the probability is −softplus(−x), of its complement −softplus(x).

    >>> softplus(np.array([-np.inf, 0.0, 1e6])).round(4).tolist()
    [0.0, 0.6931, 1000000.0]
    """
    return np.maximum(x, 0.0) + np.log1p(np.exp(-np.abs(x)))


def saturation(rate: float, time: Floats) -> Floats:
    """Return ∫₀^time e^(−rate·u) du, (1 − e^(−rate·time)) / rate; the rate may be 0 or below.

    >>> saturation(0.0, np.array([2.0])).tolist()
    [2.0]
    """
    return time if rate == 0 else -np.expm1(-rate * time) / rate


def log_gamma_ratio(z: Floats, a: float) -> Floats:
    """Return ln Γ(z) − ln Γ(z + a) for z and a above 0, to 1e-12 of 1 + its size.

    Stirling's series beyond 8, with the terms that grow with z brought together: the difference of
    two log-gammas would lose what they have in common.

    >>> log_gamma_ratio(np.array([1.0, 5.0]), 1.0).round(9).tolist()  # −ln z
    [0.0, -1.609437912]
    """
    both = np.stack((z, z + a))
    pairs = both * (both + 7)  # z·(z + 7); (z + 1)·(z + 6) is 6 more, and so on
    shift = pairs * (pairs + 6) * (pairs + 10) * (pairs + 12)
    both += 8
    square = 1 / (both * both)
    rest = np.full_like(both, _STIRLING[-1])
    for coefficient in _STIRLING[-2::-1]:
        rest *= square
        rest += coefficient
    rest /= both
    leading = a - (both[0] - 0.5) * np.log1p(a / both[0]) - a * np.log(both[1])
    ratio: Floats = np.log(shift[1] / shift[0]) + leading + (rest[0] - rest[1])
    return ratio


def lomax_product_integral(
    end: Floats, R: Floats, A: Floats, S: float, B: Floats, rate: float = 0.0
) -> Floats:
    """Return ∫₀^end (1 + u/A)^−R · (1 + u/B)^−S · e^(−rate·u) du.

    Two clocks with gamma-mixed rates, both still running at u, discounted. There is no cancellation
    and no singular case: not at A = B, not at S = 1. Relative error below 1e-10 for R, S, A, B from
    1e-6 to 1e6 and ends of 0 to 1e9 times A or B (Gauss-Legendre in ln(1 + u/C), where the
    nearest singularity is π away).

    Args:
        end: 0 or more, infinite only where ``rate`` is above 0.
        R: 0 or more.
        A: above 0.
        S: 0 or more.
        B: above 0.
        rate: 0 or more.
    """
    integrals = np.empty_like(end)
    for begin in range(0, len(end), _BLOCK):
        rows = slice(begin, begin + _BLOCK)
        integrals[rows] = _lomax_product_integral(end[rows], R[rows], A[rows], S, B[rows], rate)
    return integrals


def _lomax_product_integral(
    end: Floats, R: Floats, A: Floats, S: float, B: Floats, rate: float
) -> Floats:
    nodes, weights = legendre(_NODES if rate == 0 else _DISCOUNTED_NODES)
    C = 1 / ((R + 1) / A + (S + 1) / B + rate)
    length = np.log1p(np.minimum(end, _negligible_from(R, A, S, B, rate)) / C)
    y = length * nodes
    u = C * np.expm1(y)
    exponent = y - R * np.log1p(u / A) - S * np.log1p(u / B) - rate * u
    return C * length * column_sums(np.exp(exponent) * weights)


def _negligible_from(R: Floats, A: Floats, S: float, B: Floats, rate: float) -> Floats:
    """Return a u from which on the integrand is negligible."""
    cut: Floats = A * np.expm1(LOG_NEGLIGIBLE / np.maximum(R, LOG_NEGLIGIBLE / _LOG_MAX))
    cut = np.minimum(cut, B * np.expm1(LOG_NEGLIGIBLE / max(S, LOG_NEGLIGIBLE / _LOG_MAX)))
    if rate > 0:
        cut = np.minimum(cut, LOG_NEGLIGIBLE / rate)
    return cut
