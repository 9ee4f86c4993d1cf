"""Log-likelihood of the Gamma-Gamma model of value per purchase (Fader & Hardie, note 025).

With x repeat occasions of mean value z̄,

    L = z̄^−1 / B(px, q) · (1 + γ/(x·z̄))^−px · (1 + x·z̄/γ)^−q
"""

from typing import ClassVar

import numpy as np
from scipy.special import betaln, digamma

from streamer.scoring.models.histories import Floats


class GammaGammaLikelihood:
    """The log-likelihood of n customers' mean values under the Gamma-Gamma with p, q, gamma.

    Args:
        x: repeat occasions, 1 or more, shape (n,).
        mean_value: of those occasions, above 0, shape (n,).
    """

    names: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")
    directions: ClassVar[Floats] = np.eye(3)
    directions[2] = -1.0, 1.0, 1.0

    def __init__(self, x: Floats, mean_value: Floats) -> None:
        self._x, self._count = np.unique(x, return_counts=True)
        self._purchases = x
        self._total = x * mean_value
        self._log_value_sum = float(np.log(mean_value).sum())
        self.scales = np.array([1.0, 1.0, float(mean_value.mean())])

    def __call__(self, parameters: Floats) -> tuple[float, Floats]:
        """Return the log-likelihood and its gradient; see ``Likelihood``."""
        p, q, gamma = parameters
        x, count = self._x, self._count
        below = np.log1p(gamma / self._total)
        above = np.log1p(self._total / gamma)
        value = (
            -(count @ betaln(p * x, q))
            - p * (self._purchases @ below)
            - q * above.sum()
            - self._log_value_sum
        )
        both = digamma(p * x + q)
        slopes = (
            (count * x) @ (both - digamma(p * x)) - self._purchases @ below,
            count @ (both - digamma(q)) - above.sum(),
            ((q * self._total / gamma - p * self._purchases) / (gamma + self._total)).sum(),
        )
        return float(value), np.array(slopes) * parameters
