"""The Pareto/NBD model: a customer may leave at any time.

Purchases are Poisson with rate λ ~ Gamma(r, alpha), the lifetime is exponential with rate
μ ~ Gamma(s, beta), independently. Schmittlein, Morrison & Colombo 1987, Management Science 33:1;
Fader & Hardie 2005, "A note on deriving the Pareto/NBD model". Given alive at T, λ ~ Gamma(R, A)
and μ ~ Gamma(s, B) with R = r + x, A = alpha + T, B = beta + T: every figure is then an integral
over the time of leaving of two Lomax survivor functions, instead of a difference of Gaussian
hypergeometric functions, which is singular at s = 1 and loses its digits elsewhere.

No-purchase probabilities rise with silence, for the reason given in ``beta_geometric.py``.
"""

import numpy as np
from msgspec import Struct

from streamer.scoring.models.crossing import (
    BY_NEWTON,
    Rows,
    at_either_end,
    falls_to_zero,
    levels_inside,
    log_lomax_scale,
    newton_step,
)
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.parameters import check_scales, check_shapes, check_span
from streamer.scoring.models.special import lomax_product_integral, saturation, softplus

_LEAST = 1e-300
"""Of a probability whose logarithm is taken."""


class ParetoNbd(Struct, frozen=True):
    """The Pareto/NBD model by its parameters; see ``PurchaseModel``.

    Args:
        r: shape of the gamma distribution of purchase rates.
        alpha: its scale, in the time unit: the mean rate is r/alpha.
        s: shape of the gamma distribution of leaving rates.
        beta: its scale, in the time unit: the mean rate is s/beta.

    Raises:
        ValueError: a parameter is out of range (``parameters.py``); the message names it.

    >>> from streamer.scoring.models.histories import histories
    >>> cdnow = ParetoNbd(r=0.5533, alpha=10.578, s=0.6062, beta=11.669)  # in weeks
    >>> cdnow.expected_purchases(histories(x=2, t_x=30.43, T=38.86), 39).round(3).tolist()
    [1.455]
    """

    r: float
    alpha: float
    s: float
    beta: float

    def __post_init__(self) -> None:
        check_shapes(r=self.r, s=self.s)
        check_scales(alpha=self.alpha, beta=self.beta)

    @property
    def name(self) -> str:
        """As on the wire."""
        return "pareto_nbd"

    @np.errstate(under="ignore")
    def probability_alive(self, customers: Histories) -> Floats:
        """Return P(still a customer at T), shape (n,), 0 to 1; see ``PurchaseModel``."""
        return np.exp(-softplus(self._log_odds_left(customers)))

    @np.errstate(under="ignore")
    def no_purchase_probability(self, customers: Histories, horizon: float) -> Floats:
        """Return P(no purchase in (T, T + horizon]), shape (n,); see ``PurchaseModel``."""
        check_span(horizon)
        log_odds = self._log_odds_left(customers)
        R, A, B = self._given_alive(customers)
        end = np.full_like(A, horizon)
        # Leaves before buying, or does neither.
        silent = self.s / B * lomax_product_integral(end, R, A, self.s + 1, B)
        silent += np.exp(-R * np.log1p(end / A) - self.s * np.log1p(end / B))
        return np.exp(-softplus(-log_odds)) + np.exp(-softplus(log_odds)) * silent

    @np.errstate(under="ignore")
    def expected_purchases(self, customers: Histories, horizon: float) -> Floats:
        """Return E[purchases in (T, T + horizon] | history], shape (n,); see ``PurchaseModel``."""
        check_span(horizon)
        R, A, B = self._given_alive(customers)
        lifetime = B * saturation(self.s - 1, np.log1p(horizon / B))
        return self.probability_alive(customers) * R / A * lifetime

    def new_customer_purchases(self, times: Floats) -> Floats:
        """Return E[repeat purchases of a new customer by each of ``times``], their shape."""
        lifetime = self.beta * saturation(self.s - 1, np.log1p(np.asarray(times) / self.beta))
        return self.r / self.alpha * lifetime

    @np.errstate(under="ignore")
    def discounted_purchases(self, customers: Histories, horizon: float, rate: float) -> Floats:
        """Return E[Σ e^(−rate·(time − T)) over purchases to come], shape (n,).

        Over an infinite horizon these are the discounted expected residual transactions: Fader,
        Hardie & Lee 2005, Journal of Marketing Research 42:415, eq. 2. See ``PurchaseModel``.
        """
        check_span(horizon, rate=rate)
        R, A, B = self._given_alive(customers)
        end = np.full_like(B, horizon)
        lifetime = lomax_product_integral(end, np.zeros_like(B), B, self.s, B, rate)
        return self.probability_alive(customers) * R / A * lifetime

    def expected_and_discounted(
        self, customers: Histories, horizon: float, rate: float
    ) -> tuple[Floats, Floats]:
        """Return ``expected_purchases`` and ``discounted_purchases``; see ``PurchaseModel``."""
        expected = self.expected_purchases(customers, horizon)
        return expected, self.discounted_purchases(customers, horizon, rate)

    @np.errstate(under="ignore")
    def age_at(self, customers: Histories, horizon: float, probability: Floats | float) -> Floats:
        """Return the T at which ``no_purchase_probability`` reaches ``probability``, shape (n,).

        In y = ln((alpha + T)/(alpha + t_x)). See ``PurchaseModel``.
        """
        check_span(horizon)
        if horizon == 0:
            return at_either_end(customers, probability)
        inside, level = levels_inside(probability)
        scale = self.alpha + customers.t_x
        target = np.broadcast_to(np.log1p(-level), scale.shape)

        def excess(y: Floats, rows: Rows) -> tuple[Floats, Floats]:
            t_x = customers.t_x[rows]
            T = t_x + scale[rows] * np.expm1(y)
            left = softplus(self._log_odds_left(Histories(customers.x[rows], t_x, T)))
            R, A, B = self.r + customers.x[rows], self.alpha + T, self.beta + T
            end = np.full_like(A, horizon)
            buys = R / A * lomax_product_integral(end, R + 1, A, self.s, B)
            buys = np.maximum(buys, _LEAST)
            neither = np.exp(-(R + 1) * np.log1p(end / A) - self.s * np.log1p(end / B))
            # The hazard of a purchase at T less the one at T + horizon, if none comes between.
            slope = -R / buys * (1 - np.exp(-left) * buys - neither)
            value = np.log(buys) - left - target[rows]
            return value, newton_step(value, slope)

        # Beyond this end P(a purchase | alive, never to leave) alone is below the target.
        R = self.r + customers.x
        end = log_lomax_scale(R, horizon, level) - np.log(scale)
        ages = customers.t_x + scale * np.expm1(
            falls_to_zero(excess, end, np.full(len(R), BY_NEWTON))
        )
        return np.where(inside, ages, at_either_end(customers, probability))

    def _given_alive(self, customers: Histories) -> tuple[Floats, Floats, Floats]:
        """Return shape and scale of the purchase rate, and the scale of the leaving rate."""
        return self.r + customers.x, self.alpha + customers.T, self.beta + customers.T

    def _log_odds_left(self, customers: Histories) -> Floats:
        """Return ln of the odds of having left by T.

        P(left at t_x + u and no purchase since) over the like of being alive at T, u from 0 on.
        """
        R, A, B = self.r + customers.x, self.alpha + customers.t_x, self.beta + customers.t_x
        silence = customers.T - customers.t_x
        left = self.s / B * lomax_product_integral(silence, R, A, self.s + 1, B)
        at_T = R * np.log1p(silence / A) + self.s * np.log1p(silence / B)
        with np.errstate(divide="ignore"):  # no silence, and nobody has left: −∞
            return np.log(left) + at_T
