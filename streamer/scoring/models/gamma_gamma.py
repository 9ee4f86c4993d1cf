"""The Gamma-Gamma model of the value of a purchase, told apart by customer.

A customer's mean values differ as ζ, whose single values are gamma with shape p and rate ν, and
ν ~ Gamma(q, gamma): Fader & Hardie 2013, note 025; value is taken as independent of frequency.
"""

import numpy as np
from msgspec import Struct

from streamer.scoring.models.histories import Floats
from streamer.scoring.models.parameters import check_scales, check_shapes


class GammaGamma(Struct, frozen=True):
    """The Gamma-Gamma model by its parameters.

    Args:
        p: shape of one customer's values.
        q: shape of the distribution of their rates; up to 1 the population has no finite mean.
        gamma: scale of that distribution, in money.

    Raises:
        ValueError: a parameter is out of range (``parameters.py``); the message names it.

    >>> cdnow = GammaGamma(p=6.25, q=3.74, gamma=15.44)
    >>> cdnow.expected_value(np.array([0.0, 4.0]), np.array([0.0, 50.0])).round(2).tolist()
    [35.22, 48.54]
    """

    p: float
    q: float
    gamma: float

    def __post_init__(self) -> None:
        check_shapes(p=self.p, q=self.q)
        check_scales(gamma=self.gamma)

    @property
    def name(self) -> str:
        """As on the wire."""
        return "gamma_gamma"

    def expected_value(self, x: Floats, mean_value: Floats) -> Floats:
        """Return E[mean value | x values of mean ``mean_value``], shape (n,); note 025, eq. 5.

        p·(gamma + x·mean)/(p·x + q − 1): the observed mean, drawn to the population's, which is
        the answer at x = 0. Where p·x + q ≤ 1 the distribution's tail is so long that it has no
        finite mean: the figure is infinite then, and to be shown as unknown.

        Args:
            x: values observed, 0 or more, shape (n,); repeat purchases, as a rule.
            mean_value: their mean, finite, shape (n,); does not matter where x is 0.
        """
        weight = self.p * x + (self.q - 1)
        finite = weight > 0
        return np.where(
            finite, self.p * (self.gamma + x * mean_value) / np.where(finite, weight, 1.0), np.inf
        )
