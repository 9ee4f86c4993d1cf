"""Quantiles of mixtures of beta prime distributions, one mixture a customer, all at once.

What n purchases come to, in units of γ', is beta prime: Gamma(p·n) over Gamma(q'). A cluster of
numbers widens the former, see ``components_of``.
"""

from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import betainc, betaincc, betaln, ndtr, ndtri

from streamer.scoring.models.histories import Floats
from streamer.scoring.models.predictive.clusters import Clusters, Integers
from streamer.scoring.models.special import bounded

_EXACT_BELOW = 3.0
"""With a shape below this the distribution function is exact; else it is off by 0.002 at most."""
_LEVEL_MIN = 1e-6
_LOG_LIMIT = 600.0
_NEWTON_STEPS, _STEPS_MAX = 6, 80
"""It takes three; where tails are so long that Newton's steps turn in circles, halving helps."""
_STEP_LAST = 1e-3
"""Newton's steps shrink quadratically: after one as short as this the rest is below a millionth."""


class Components(Struct, frozen=True):
    """Components of all mixtures, in one list: arrays of shape (components,).

    A component is scale · Gamma(a) / Gamma(b).
    """

    customer: Integers
    weight: Floats
    a: Floats
    b: Floats
    log_scale: Floats

    def of(self, chosen: NDArray[np.bool_]) -> Self:
        """Return the components of the customers ``chosen``, shape (customers,), counted anew."""
        if chosen.all():
            return self
        kept = chosen[self.customer]
        customer = (np.cumsum(chosen) - 1)[self.customer[kept]]
        return type(self)(
            customer, self.weight[kept], self.a[kept], self.b[kept], self.log_scale[kept]
        )

    def sums(self, values: Floats, customers: int) -> Floats:
        """Return each customer's weighted sum of ``values``, shape (customers,)."""
        return np.bincount(self.customer, self.weight * values, customers).astype(np.float64)


def components_of(clusters: Clusters, p: float, q: Floats) -> Components:
    """Return the components of S/γ', S the sum of N spends, given N ≥ 1.

    Given N it is Gamma(p·N)/Gamma(q'); over a cluster the numerator has the mean p·E[N] and the
    variance p·E[N] + p²·Var[N], and is taken as scale · Gamma(a) with just these.

    Args:
        clusters: of N.
        p: shape of a customer's spends.
        q: posterior q' of each customer, shape (customers,).
    """
    scale = 1 + p * clusters.variance / clusters.mean
    a = p * clusters.mean / scale
    return Components(clusters.customer, clusters.weight, a, q[clusters.customer], np.log(scale))


def log_quantiles(components: Components, levels: Floats) -> Floats:
    """Return the logarithms of the mixtures' quantiles, shape (customers,).

    Newton's method between the logarithm of the value and the normal deviate of its probability:
    for a lognormal distribution, which these are not far from, it takes one step. Where a step
    leaves what is known to hold the quantile, that is halved.

    Args:
        components: at least one a customer.
        levels: of the quantiles, shape (customers,); nearer than ``_LEVEL_MIN`` to 0 or 1 they are
            taken as that.
    """
    levels = bounded(levels, _LEVEL_MIN, 1 - _LEVEL_MIN)
    deviates = ndtri(levels)
    at = _lognormal_quantiles(components, deviates)
    found, open_ = np.empty(len(at)), np.arange(len(at))
    low, high = np.full(len(at), -_LOG_LIMIT), np.full(len(at), _LOG_LIMIT)
    for number in range(_STEPS_MAX):
        probability, density = _distribution(components, at)
        above = probability > levels
        low, high = np.where(above, low, at), np.where(above, at, high)
        to = at + _step(probability, density, deviates)
        trusted = number < _NEWTON_STEPS or number % 2 == 0
        to = np.where(trusted & (to > low) & (to < high), to, (low + high) / 2)
        found[open_] = to
        going_on = np.abs(to - at) > _STEP_LAST
        if not going_on.any():
            break
        at, low, high, levels, deviates = (
            column[going_on] for column in (to, low, high, levels, deviates)
        )
        open_, components = open_[going_on], components.of(going_on)
    return found


def _lognormal_quantiles(components: Components, deviates: Floats) -> Floats:
    """Return where to start: quantiles of lognormal distributions of like moments.

    Args:
        components: of the mixtures.
        deviates: the standard normal distribution's quantiles, shape (customers,).
    """
    a, b, n = components.a, components.b, len(deviates)
    centre = np.log(a) - 0.5 / a + components.log_scale - np.log(b) + 0.5 / b
    mean = components.sums(centre, n)
    spread = 1 / a + 0.5 / a**2 + 1 / b + 0.5 / b**2
    variance = components.sums((centre - mean[components.customer]) ** 2 + spread, n)
    quantiles: Floats = mean + deviates * np.sqrt(variance)
    return bounded(quantiles, -_LOG_LIMIT / 2, _LOG_LIMIT / 2)


def _step(probability: Floats, density: Floats, deviates: Floats) -> Floats:
    deviate = ndtri(bounded(probability, _LEVEL_MIN**2, 1 - _LEVEL_MIN**2))
    slope = density * np.sqrt(2 * np.pi) * np.exp(deviate**2 / 2)
    step: Floats = (deviates - deviate) / np.maximum(slope, 1 / _LOG_LIMIT)
    return step


def _distribution(components: Components, at: Floats) -> tuple[Floats, Floats]:
    """Return the mixtures' distribution functions at the logarithms ``at``, and densities there."""
    a, b = components.a, components.b
    log_odds = at[components.customer] - components.log_scale
    probability, density = _near(log_odds, a, b)
    (exact,) = (np.minimum(a, b) < _EXACT_BELOW).nonzero()
    if len(exact):
        probability[exact], density[exact] = _exact(log_odds[exact], a[exact], b[exact])
    return components.sums(probability, len(at)), components.sums(density, len(at))


def _near(log_odds: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return P(Gamma(a)/Gamma(b) ≤ odds) by normal cube roots, and its slope in ``log_odds``.

    Paulson 1942, Annals of Mathematical Statistics 13:233; a tenth of the price of the incomplete
    beta function.
    """
    u, w = 1 / (9 * a), 1 / (9 * b)
    root = np.cbrt(np.exp(log_odds) * (b / a))
    variance = root**2 * w + u
    deviate = ((1 - w) * root - (1 - u)) / np.sqrt(variance)
    slope = root / 3 * ((1 - w) * u + (1 - u) * root * w) / (variance * np.sqrt(variance))
    density = np.exp(-np.minimum(deviate**2 / 2, _LOG_LIMIT)) / np.sqrt(2 * np.pi) * slope
    return ndtr(deviate), density


def _exact(log_odds: Floats, a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the same as ``_near`` by the incomplete beta function."""
    upper = log_odds > 0
    # The smaller of the beta distributed share and its complement keeps all its digits.
    smaller = 1 / (1 + np.exp(np.abs(log_odds)))
    probability = np.where(upper, betaincc(b, a, smaller), betainc(a, b, smaller))
    log_larger = -np.log1p(np.exp(-np.abs(log_odds)))
    log_share = np.where(upper, log_larger, log_larger + log_odds)
    log_density = a * log_share + b * (log_share - log_odds) - betaln(a, b)
    return probability, np.exp(bounded(log_density, -_LOG_LIMIT, _LOG_LIMIT))
