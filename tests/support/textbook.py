"""Formulas of the literature, evaluated by mpmath from their definitions: nothing of streamer's.

Time is in days. MBG/NBD: Batislam et al. 2007; Gamma-Gamma: Fader & Hardie 2013, note 025.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import sqrt

import mpmath as mp

YEAR = 365.25


def gap_quantile(q: float, x: int, t_x: float) -> float:
    """Return the q-quantile of the next gap by streamer's prior of one order in 60 days."""
    return float((60 + t_x) * ((1 - q) ** (-1 / (1 + x)) - 1))


def formula_churn(x: int, age: float) -> float:
    """Return P(no purchase in a year) by that prior: ((60 + T)/(60 + T + 365))^(1 + x)."""
    return float(((60 + age) / (60 + age + 365)) ** (1 + x))


def regularity(gaps: list[int]) -> float:
    """Return k/(1 + k) by the formulas of docs/rows/v11.md."""
    n = len(gaps)
    s = float(mp.log(mp.fsum(gaps) / n) - mp.fsum(map(mp.log, gaps)) / n)
    k = (3 - s + sqrt((s - 3) ** 2 + 24 * s)) / (12 * s)
    k -= (3 * k - 2 / 3 * k / (1 + k) - 4 / 5 * k / (1 + k) ** 2) / n
    return k / (1 + k)


@dataclass(frozen=True)
class Buyer:
    """A history and MBG/NBD's parameters."""

    x: int
    t_x: float
    T: float
    r: float = 0.525
    alpha: float = 6.183 * 7
    a: float = 0.891
    b: float = 1.614

    @property
    def alive(self) -> float:
        """P(alive at T) = 1 / [1 + a/(b + x) · ((α + T)/(α + t_x))^(r + x)]."""
        silence = (self.alpha + self.T) / (self.alpha + self.t_x)
        return float(1 / (1 + self.a / (self.b + self.x) * silence ** (self.r + self.x)))

    def churn(self, horizon: float) -> float:
        """Return P(no purchase within the horizon)."""
        age = self.alpha + self.T
        return float(1 - self.alive * (1 - (age / (age + horizon)) ** (self.r + self.x)))

    def purchases(self, horizon: float) -> float:
        """Return E[purchases]: (1 − e^(−λpt))/p, over λ ~ Gamma and p ~ Beta(a, b + x + 1)."""
        shape, age = self.r + self.x, self.alpha + self.T
        return self._over_leaving(lambda p: (1 - (age / (age + p * horizon)) ** shape) / p)

    def discounted(self, horizon: float, yearly: float) -> float:
        """Return E[Σ (1 + yearly)^(−years)] over those purchases.

        Their rate at u is λe^(−λpu), over λ ~ Gamma: shape · age^shape / (age + pu)^(shape + 1).
        """
        shape, age = self.r + self.x, self.alpha + self.T
        force = mp.log(1 + yearly) / YEAR

        def given(p: mp.mpf) -> mp.mpf:
            return mp.quad(
                lambda u: mp.exp(-force * u) * shape / age * (1 + p * u / age) ** (-shape - 1),
                [0, horizon],
            )

        return self._over_leaving(given)

    def _over_leaving(self, given: Callable[[mp.mpf], mp.mpf]) -> float:
        later = self.b + self.x + 1
        mean = mp.quad(lambda p: p ** (self.a - 1) * (1 - p) ** (later - 1) * given(p), [0, 0.5, 1])
        return float(self.alive * mean / mp.beta(self.a, later))


def gamma_gamma(x: int, mean: float, p: float = 6.25, q: float = 3.74, g: float = 15.44) -> float:
    """Return E(M) = p(γ + x·z̄)/(px + q − 1)."""
    return p * (g + x * mean) / (p * x + q - 1)
