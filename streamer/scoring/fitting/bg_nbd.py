"""Log-likelihood of the BG/NBD and of the MBG/NBD, which differ in when customers may leave.

BG/NBD: after each repeat purchase; Fader, Hardie & Lee 2005, Marketing Science 24:275.
MBG/NBD: after the first purchase too; Batislam, Denizel & Filiztekin 2007, International Journal of
Research in Marketing 24:201.

With m = 0 or 1 such chances more than repeat purchases, both likelihoods are

    L = Γ(r+x)/Γ(r) · α^r/(α+T)^(r+x) · B(a, b+x+m)/B(a, b)
        · [1 + a/(b+x+m−1) · ((α+T)/(α+t_x))^(r+x)]

where the last sum's second term, of those who have left, is missing if x + m is 0. As x is whole,
the gamma and beta functions are products over the purchases before the last:

    Γ(r+x)/Γ(r) = Π (r+k), k < x        B(a, b+n)/B(a, b) = Π (b+k)/(a+b+k), k < n

whose logarithms need no difference of large numbers.
"""

from typing import ClassVar

import numpy as np
from scipy.special import expit

from streamer.scoring.fitting.distinct import DistinctHistories
from streamer.scoring.models.histories import Floats, Histories


class MbgNbdLikelihood:
    """The log-likelihood of ``customers`` under the MBG/NBD with r, alpha, a, b."""

    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    directions: ClassVar[Floats] = np.eye(4)
    directions[1, 0] = 1.0
    first_chances: ClassVar[int] = 1
    """Chances to leave beyond the repeat purchases: m."""

    def __init__(self, customers: DistinctHistories) -> None:
        self._customers = customers
        everyone = np.full(self.first_chances, customers.count.sum())
        self._chances = np.concatenate((everyone, customers.more_than))
        """How many customers had more than k chances to leave, for each k."""
        self.scales = np.array([1.0, customers.age_mean, 1.0, 1.0])

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient; see ``Likelihood``."""
        value, slopes = self._of_counts(*parameters)
        with np.errstate(under="ignore"):
            for histories, count in self._customers.chunks():
                of_chunk = _of_times(histories, count, self.first_chances, *parameters)
                value += of_chunk[0]
                slopes += of_chunk[1]
        return value, slopes * parameters

    def _of_counts(self, r: float, alpha: float, a: float, b: float) -> tuple[float, Floats]:  # noqa: ARG002 - as the rest
        """Return the part that only the x say, with its derivatives."""
        purchases, chances = self._customers.more_than, self._chances
        rate = r + np.arange(len(purchases))
        stayed = b + np.arange(len(chances))
        value = purchases @ np.log(rate) - chances @ np.log1p(a / stayed)
        slopes = (
            purchases @ (1 / rate),
            0.0,
            -(chances @ (1 / (a + stayed))),
            chances @ (a / (stayed * (a + stayed))),
        )
        return float(value), np.array(slopes)


class BgNbdLikelihood(MbgNbdLikelihood):
    """The log-likelihood of ``customers`` under the BG/NBD with r, alpha, a, b."""

    first_chances = 0


def _of_times(
    of: Histories, count: Floats, first_chances: int, r: float, alpha: float, a: float, b: float
) -> tuple[float, Floats]:
    """Return the part that the times say too, with its derivatives."""
    shape, age = r + of.x, alpha + of.T
    may_leave = of.x + first_chances > 0
    chances = np.where(may_leave, of.x + (b + first_chances - 1), 1)
    silence = np.log1p((of.T - of.t_x) / (alpha + of.t_x))
    log_odds = np.where(may_leave, np.log(a / chances) + shape * silence, -np.inf)
    left = expit(log_odds) * count
    tenure = np.log1p(of.T / alpha)
    value = count @ (np.logaddexp(0, log_odds) - r * tenure - of.x * np.log(age))
    slopes = (
        left @ silence - count @ tenure,
        count @ ((r * of.T / alpha - of.x) / age)
        - left @ (shape * (of.T - of.t_x) / (age * (alpha + of.t_x))),
        left.sum() / a,
        -(left @ (1 / chances)),
    )
    return float(value), np.array(slopes)
