"""Churn risk from the customer's own rhythm, shrunk to the shop's (V4, before a model is fitted).

Purchases of a customer are taken as Poisson with rate λ ~ Gamma(r, α): after x repeat occasions up
to time t_x after the first, the next gap g has P(g > s) = ((α + t_x) / (α + t_x + s))^(r + x), the
Lomax distribution. (Ehrenberg 1959's NBD; its posterior as in Fader, Hardie & Lee 2005, Marketing
Science 24:275, without their dropout.) Risk rises with silence and falls only with a purchase,
which takes silence to 0: so the bands cannot flap, and every crossing can be told in advance.

All functions take numbers or arrays of one shape and return the like.
"""

from math import log1p

import numpy as np
from numpy.typing import NDArray

from streamer.records.instants import DAY, LAST
from streamer.scoring.parameters import ScoringParameters

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

FAR = LAST + 1
"""Stands for a crossing beyond the year 9999."""


def gap_quantile(q: float, r: float, alpha: float, x: Floats, t_x: Floats) -> Floats:
    """Return the q-quantile of the next gap, (α + t_x)·[(1−q)^(−1/(r+x)) − 1].

    Args:
        q: between 0 and 1.
        r: shape of the prior, above 0.
        alpha: scale of the prior in the time unit, above 0.
        x: repeat occasions, 0 or more.
        t_x: time from the first occasion to the last, 0 or more.

    >>> float(gap_quantile(0.5, r=1, alpha=60, x=np.float64(0), t_x=np.float64(0)))
    60.0
    """
    gaps: Floats = (alpha + t_x) * np.expm1(-log1p(-q) / (r + x))
    return gaps


def silence_quantile(silence: Floats, r: float, alpha: float, x: Floats, t_x: Floats) -> Floats:
    """Return P(next gap ≤ silence): how far along the rhythm the silence is, 0 to 1.

    >>> float(silence_quantile(np.float64(60), r=1, alpha=60, x=np.float64(0), t_x=np.float64(0)))
    0.5
    """
    return -np.expm1(-(r + x) * np.log1p(silence / (alpha + t_x)))


def no_purchase_probability(horizon: float, r: float, alpha: float, x: Floats, t: Floats) -> Floats:
    """Return P(no purchase within ``horizon``) given x occasions in the time ``t`` since the first.

    ((α + T) / (α + T + h))^(r + x).
    """
    return np.exp(-(r + x) * np.log1p(horizon / (alpha + t)))


def crossings(
    first: Instants, last: Instants, occasions: Instants, parameters: ScoringParameters
) -> Instants:
    """Return the instants at which silence takes customers to medium, high and lapsed.

    Args:
        first: of the first purchases, shape (n,).
        last: of the last purchases, shape (n,).
        occasions: how many days with purchases, shape (n,).
        parameters: r, α and the quantiles.

    Returns:
        Shape (n, 3), each row rising; ``FAR`` beyond the year 9999, or without any purchase. They
        hold until the next purchase.
    """
    shape = parameters.rhythm_shape + np.maximum(occasions, 1) - 1
    scale = parameters.rhythm_scale_days * DAY + (last - first)
    with np.errstate(over="ignore"):
        gaps = np.ceil(scale[:, None] * np.expm1(parameters.band_log_odds / shape[:, None]))
    reachable = (gaps <= LAST - last[:, None]) & (occasions[:, None] > 0)
    days_on = np.where(reachable, gaps, 0).astype(np.int64)
    instants: Instants = np.where(reachable, last[:, None] + days_on, FAR)
    return instants
