"""How many purchases a customer who is still one will make: N given alive, n customers at once.

Whatever ends the buying, until then purchases are Poisson with a rate λ ~ Gamma(r + x, α + T). Let
M be their number in the horizon t if nothing ended it: negative binomial,
P(M ≥ n) = I_z(n, r + x), z = t/(α + T + t). N is M cut off

- by a purchase after which the customer drops out ((M)BG/NBD): N = min(M, G), G geometric,
  P(G ≥ n) = (1 − p)^(n−1), with p ~ Beta(a, b') independent of λ. Given alive the likelihood of the
  history is λ^x e^(−λT) (1 − p)^(chances to drop out survived): b' is b + x for BG/NBD, and
  b + x + 1 for MBG/NBD, where the first purchase is a chance too. Hence
  P(N ≥ n) = P(M ≥ n) · B(a, b' + n − 1)/B(a, b'). (Fader, Hardie & Lee 2005, Marketing Science
  24:275, eq. 6 and 7; Batislam et al. 2007, IJRM 24:201.)
- by the end of a lifetime (Pareto/NBD): μ ~ Gamma(s, β + T), so what is left of it, τ, is Lomax,
  P(τ > u) = (1 + u/(β + T))^(−s). The n-th purchase comes at (α + T)·y/(1 − y), y ~ Beta(n, r + x):
  P(N ≥ n) = E[P(τ > (α + T)·y/(1 − y)); y < z]. (Schmittlein, Morrison & Colombo 1987, Management
  Science 33:1.)

A correction multiplies the rates to come, λ' = c·λ: α + T becomes (α + T)/c.
"""

from typing import Protocol, Self

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from scipy.special import betainc, betaln

from streamer.scoring.models.histories import Floats

Integers = NDArray[np.int64]

_SMALL = 256
_SUMMED = 20
"""Summing over so many numbers costs about as much as one incomplete beta function."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(32)


class Counts(Protocol):
    """The number of purchases in a horizon, given alive, of n customers."""

    @property
    def shape(self) -> Floats:
        """Shape r + x of the rate, (n,)."""

    @property
    def odds(self) -> Floats:
        """t/(α + T), shape (n,): E[M] is r + x times it."""

    def at_least(self, n: Floats) -> Floats:
        """Return P(N ≥ n), shape of ``n``: whole, 1 or more, rising, (customers, k)."""

    def of(self, rows: NDArray[np.int64]) -> Self:
        """Return some of the customers."""


class CutByPurchase(Struct, frozen=True):
    """N = min(M, G), G beta-geometric: (M)BG/NBD."""

    shape: Floats
    odds: Floats
    a: float
    b: Floats
    """b' of above, shape (n,)."""

    def at_least(self, n: Floats) -> Floats:
        """See ``Counts``: by recurrence where n is small, at a tenth of the price."""
        is_small = n[:, -1] <= min(_SMALL, _SUMMED * n.shape[1])
        if is_small.all():
            return _by_recurrence(self, n.astype(np.int64))
        small, large = np.flatnonzero(is_small), np.flatnonzero(~is_small)
        at_least = np.empty(n.shape)
        at_least[small] = _by_recurrence(self.of(small), n[small].astype(np.int64))
        at_least[large] = _by_functions(self.of(large), n[large])
        return at_least

    def of(self, rows: NDArray[np.int64]) -> Self:
        """See ``Counts``."""
        return type(self)(self.shape[rows], self.odds[rows], self.a, self.b[rows])


class CutByLifetime(Struct, frozen=True):
    """N = M within a Lomax lifetime: Pareto/NBD."""

    shape: Floats
    odds: Floats
    s: float
    end: Floats
    """t/(β + T), shape (n,)."""

    def at_least(self, n: Floats) -> Floats:
        """See ``Counts``: by quadrature over the log odds of y, where its density has one peak."""
        R = self.shape[:, None]
        peak = np.log(n / R)
        high = np.minimum(np.log(self.odds)[:, None], peak + _reach(n, R))
        low = np.minimum(high, peak) - _reach(R, n)
        half = (high - low) / 2
        log_odds = low[..., None] + half[..., None] * (1 + _NODES)
        odds = np.exp(log_odds)
        n, R = n[..., None], R[..., None]
        log_density = n * log_odds - (n + R) * np.log1p(odds) - betaln(n, R)
        log_density -= self.s * np.log1p((self.end / self.odds)[:, None, None] * odds)
        integrals: Floats = half * (np.exp(log_density) @ _WEIGHTS)
        return integrals

    def of(self, rows: NDArray[np.int64]) -> Self:
        """See ``Counts``."""
        return type(self)(self.shape[rows], self.odds[rows], self.s, self.end[rows])


def _by_recurrence(counts: CutByPurchase, n: Integers) -> Floats:
    """Return P(N ≥ n) from P(M = k) and P(G > k) of all k below."""
    k = np.arange(n.max(initial=1))
    shape, odds, b = counts.shape[:, None], counts.odds[:, None], counts.b[:, None]
    exactly = (shape + (k - 1)) / np.maximum(k, 1) * (odds / (1 + odds))
    exactly[:, 0] = np.exp(-counts.shape * np.log1p(counts.odds))
    rest = -np.cumprod(exactly, axis=1)
    rest[:, 0] += 1
    stays = (b + (k - 1)) / (counts.a + b + (k - 1))
    stays[:, 0] = 1
    at_least = np.cumsum(rest, axis=1) * np.cumprod(stays, axis=1)
    found: Floats = at_least[np.arange(len(n))[:, None], n - 1]
    return np.maximum(found, 0, out=found)


def _by_functions(counts: CutByPurchase, n: Floats) -> Floats:
    b = counts.b[:, None]
    z = (counts.odds / (1 + counts.odds))[:, None]
    stays = np.exp(betaln(counts.a, b + n - 1) - betaln(counts.a, b))
    bought: Floats = stays * betainc(n, counts.shape[:, None], z)
    return bought


def _reach(n: Floats, R: Floats) -> Floats:
    """Return how far above its peak the density of the log odds of Beta(n, R) falls to e^−17.

    Its logarithm is concave, so Newton's method comes down to it from beyond, and may stop early.
    """
    share = n / (n + R)
    distance = 6.5 * np.sqrt(1 / n + 1 / R) + 17 / R
    for _ in range(6):
        growth = share * np.expm1(np.minimum(distance, 500))
        fall = n * distance - (n + R) * np.log1p(growth)
        slope = n - (n + R) * (share + growth) / (1 + growth)
        distance = distance - (fall + 17) / slope
    return distance
