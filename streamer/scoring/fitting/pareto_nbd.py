"""Log-likelihood of the Pareto/NBD (Schmittlein, Morrison & Colombo 1987, Management Science 33:1).

Fader & Hardie 2005, "A note on deriving the Pareto/NBD model and related expressions", come to it
by an integral over the time τ at which a customer left:

    L = Γ(r+x)/Γ(r) · α^r β^s · [(α+T)^−(r+x) (β+T)^−s + s·∫ (α+τ)^−(r+x) (β+τ)^−(s+1) dτ]

from t_x to T, and express that by the difference of two hypergeometric functions, which loses all
digits for frequent buyers. Here it is summed, and so are its derivatives: nothing cancels, since
every term is positive. With ξ = ln((c+τ)/(c+t_x)), c the lesser of α and β, the integrand has no
singularity within π of the real axis, so that the Gauss-Legendre rule converges fast.
"""

from functools import lru_cache
from typing import ClassVar

import numpy as np
from msgspec import Struct
from scipy.special import expit, roots_legendre

from streamer.scoring.fitting.distinct import DistinctHistories
from streamer.scoring.models.histories import Floats, Histories

NEGLIGIBLE = 40.0
"""The rest of the way is left out where the integrand is e^40 times less than at t_x."""

NODES = {2.0: 12, 4.0: 24, 10.0: 40, np.inf: 128}
"""Nodes of the rule that give 12 digits, by the span of the integrand, which is below the key: the
way in ξ, or a fifth of the integrand's fall on a logarithmic scale."""


class ParetoNbdLikelihood:
    """The log-likelihood of ``customers`` under the Pareto/NBD with r, alpha, s, beta."""

    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    directions: ClassVar[Floats] = np.eye(4)
    directions[1, 0] = directions[3, 2] = 1.0

    def __init__(self, customers: DistinctHistories) -> None:
        self._customers = customers
        self.scales = np.array([1.0, customers.age_mean, 1.0, customers.age_mean])

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient; see ``Likelihood``."""
        purchases = self._customers.more_than
        rate = parameters[0] + np.arange(len(purchases))
        value = float(purchases @ np.log(rate))
        slopes = np.array([purchases @ (1 / rate), 0.0, 0.0, 0.0])
        with np.errstate(under="ignore"):
            for histories, count in self._customers.chunks():
                chunk_value, chunk_slopes = _of_times(histories, count, *parameters)
                value += chunk_value
                slopes += chunk_slopes
        return value, slopes * parameters


class _Departures(Struct, frozen=True):
    """The integral and means of functions of τ under its integrand; each of shape (m,)."""

    log_integral: Floats
    """Logarithm of the integral, its integrand being 1 at t_x."""
    log_alpha: Floats
    """Mean of ln((alpha + τ)/(alpha + t_x))."""
    log_beta: Floats
    """Mean of ln((beta + τ)/(beta + t_x))."""
    by_alpha: Floats
    """Mean of (alpha + t_x)/(alpha + τ)."""
    by_beta: Floats
    """Mean of (beta + t_x)/(beta + τ)."""


def _of_times(
    of: Histories, count: Floats, r: float, alpha: float, s: float, beta: float
) -> tuple[float, Floats]:
    """Return the part that the times say, with its derivatives."""
    shape = r + of.x
    departures = _departures(of, shape, alpha, s + 1, beta)
    alpha_silence = np.log1p((of.T - of.t_x) / (alpha + of.t_x))
    beta_silence = np.log1p((of.T - of.t_x) / (beta + of.t_x))
    log_odds = (
        np.log(s / (beta + of.t_x))
        + departures.log_integral
        + shape * alpha_silence
        + s * beta_silence
    )
    left = expit(log_odds) * count
    alpha_tenure, beta_tenure = np.log1p(of.T / alpha), np.log1p(of.T / beta)
    alpha_age, beta_age = alpha + of.T, beta + of.T
    stayed = np.logaddexp(0, log_odds) - r * alpha_tenure - of.x * np.log(alpha_age)
    slopes = (
        left @ (alpha_silence - departures.log_alpha) - count @ alpha_tenure,
        left @ (shape * (1 / alpha_age - departures.by_alpha / (alpha + of.t_x)))
        + count @ ((r * of.T / alpha - of.x) / alpha_age),
        left @ (1 / s + beta_silence - departures.log_beta) - count @ beta_tenure,
        left @ (s / beta_age - (s + 1) * departures.by_beta / (beta + of.t_x))
        + count @ (s * of.T / (beta * beta_age)),
    )
    return float(count @ (stayed - s * beta_tenure)), np.array(slopes)


def _departures(
    of: Histories, alpha_power: Floats, alpha: float, beta_power: float, beta: float
) -> _Departures:
    """Sum ((α+t_x)/(α+τ))^alpha_power ((β+t_x)/(β+τ))^beta_power dτ from t_x to T."""
    powers = (alpha_power, np.full_like(alpha_power, beta_power))
    if alpha <= beta:
        return _Departures(*_summed(of, alpha, powers[0], beta, powers[1]))
    log_integral, log_beta, log_alpha, by_beta, by_alpha = _summed(
        of, beta, powers[1], alpha, powers[0]
    )
    return _Departures(log_integral, log_alpha, log_beta, by_alpha, by_beta)


def _summed(
    of: Histories, near: float, near_power: Floats, far: float, far_power: Floats
) -> Floats:
    """Return the fields of ``_Departures``, the lesser parameter's first, shape (5, m)."""
    steepness = (near + of.t_x) / (far + of.t_x)
    length = _length(of, near, near_power, steepness, far_power)
    fall = (near_power - 1) * length + far_power * np.log1p(steepness * np.expm1(length))
    span = np.maximum(length, np.abs(fall) / 5)
    sums = np.empty((5, len(length)))
    below = 0.0
    for limit, nodes in NODES.items():
        rows = np.flatnonzero((below <= span) & (span < limit))
        below = limit
        sums[:, rows] = _by_rule(
            length[rows, None],
            steepness[rows, None],
            near_power[rows, None],
            far_power[rows, None],
            nodes,
        )
    with np.errstate(divide="ignore"):  # a length of 0 has an integral of 0
        sums[0] = np.log(sums[0] * length) + np.log(near + of.t_x)
    return sums


def _length(
    of: Histories, near: float, near_power: Floats, steepness: Floats, far_power: Floats
) -> Floats:
    """Return the way in ξ from t_x to T, or to where the integrand is negligible.

    Its logarithm is −(near_power − 1)·ξ − far_power·ln(1 + steepness·(e^ξ − 1)), where the last
    logarithm is steepness·ξ or more, as it is convex.
    """
    whole = np.log1p((of.T - of.t_x) / (near + of.t_x))
    slope = near_power - 1 + far_power * steepness
    falling = np.where(slope > 0, NEGLIGIBLE / np.where(slope > 0, slope, 1), np.inf)
    drop = NEGLIGIBLE + np.maximum(1 - near_power, 0) * whole
    by_far = np.log1p(np.expm1(np.minimum(drop / far_power, 600)) / steepness)
    return np.minimum(whole, np.minimum(falling, by_far))


@lru_cache(maxsize=len(NODES))
def _rule(nodes: int) -> tuple[Floats, Floats]:
    """Return the nodes and the weights of the Gauss-Legendre rule on 0 to 1."""
    places, weights = roots_legendre(nodes)
    return (places + 1) / 2, weights / 2


def _by_rule(
    length: Floats, steepness: Floats, near_power: Floats, far_power: Floats, nodes: int
) -> Floats:
    """Return the mean of the integrand in ξ, and the means under it; see ``_Departures``."""
    places, weights = _rule(nodes)
    near_log = length * places
    near_growth = np.expm1(near_log)
    far_growth = steepness * near_growth
    far_log = np.log1p(far_growth)
    integrand = np.exp((1 - near_power) * near_log - far_power * far_log)
    total = integrand @ weights
    means = (
        ((integrand * of) @ weights) / total
        for of in (near_log, far_log, 1 / (1 + near_growth), 1 / (1 + far_growth))
    )
    return np.stack([total, *means])
