"""What the MBG/NBD and the BG/NBD model share: all but the number of chances to leave.

A customer buys as a Poisson process of rate λ ~ Gamma(r, alpha) and may leave for good, with a
chance p ~ Beta(a, b), only at a purchase. After x repeat purchases, to be alive at T means to have
stayed at each of c chances; so, with R = r + x and A = alpha + T, given alive,

    λ ~ Gamma(R, A)   and   p ~ Beta(a, b + c).

Fader, Hardie & Lee 2005, Marketing Science 24:275 (BG); Batislam, Denizel & Filiztekin 2007,
International Journal of Research in Marketing 24:201 (MBG).

No-purchase probabilities rise with silence. For one customer, of known λ and p, the hazard of the
next purchase falls as the silence lasts (who is silent may have left), and a mixture of falling
hazards falls; P(no purchase in (T, T + h]) is S(T + h)/S(T), S the survivor function of the gap.
"""

from functools import cached_property

import numpy as np
from msgspec import Struct

from streamer.scoring.models.crossing import (
    BY_HALLEY,
    Rows,
    at_either_end,
    falls_to_zero,
    levels_inside,
    log_lomax_scale,
)
from streamer.scoring.models.discounting import instants
from streamer.scoring.models.dropout import purchases_until_dropout
from streamer.scoring.models.dropout_rules import X_END, DropoutRules, dropout_rules
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.parameters import check_scales, check_shapes, check_span
from streamer.scoring.models.special import LOG_NEGLIGIBLE, softplus

_LOG_MAX = 700.0
"""e to this power is still a number."""

_LEAST_SLOPE = 1e-200

_HALLEY_MIN = 0.5
"""Far from the root Halley's step is twice as long as Newton's at most."""


class BetaGeometric(Struct, frozen=True, dict=True):
    """A model of purchases by its parameters; the two models made of it say what differs.

    Args:
        r: shape of the gamma distribution of purchase rates.
        alpha: its scale, in the time unit: the mean rate is r/alpha.
        a: first parameter of the beta distribution of the chances to leave.
        b: its second: the mean chance is a/(a + b).

    Raises:
        ValueError: a parameter is out of range (``parameters.py``); the message names it.
    """

    r: float
    alpha: float
    a: float
    b: float

    def __post_init__(self) -> None:
        check_shapes(r=self.r, a=self.a, b=self.b)
        check_scales(alpha=self.alpha)

    def chances(self, x: Floats) -> Floats:
        """Return at how many chances to leave a customer of x repeat purchases has stayed."""
        raise NotImplementedError

    @np.errstate(under="ignore")
    def probability_alive(self, customers: Histories) -> Floats:
        """Return P(still a customer at T), shape (n,), 0 to 1; see ``PurchaseModel``."""
        return np.exp(-softplus(self._log_odds_left(customers)))

    @np.errstate(under="ignore")
    def no_purchase_probability(self, customers: Histories, horizon: float) -> Floats:
        """Return P(no purchase in (T, T + horizon]), shape (n,); see ``PurchaseModel``.

        1 − P(alive)·(1 − ((alpha + T)/(alpha + T + horizon))^(r + x)), without its cancellation.
        """
        check_span(horizon)
        log_odds = self._log_odds_left(customers)
        silent = np.exp(-(self.r + customers.x) * np.log1p(horizon / (self.alpha + customers.T)))
        figures: Floats = np.exp(-softplus(-log_odds)) + np.exp(-softplus(log_odds)) * silent
        return figures

    def expected_purchases(self, customers: Histories, horizon: float) -> Floats:
        """Return E[purchases in (T, T + horizon] | history], shape (n,); see ``PurchaseModel``."""
        check_span(horizon)
        spans = np.full((1, len(customers.x)), horizon)
        _, expected = self._purchases(customers, spans, np.ones_like(spans))
        return expected

    def new_customer_purchases(self, times: Floats) -> Floats:
        """Return E[repeat purchases of a new customer by each of ``times``], their shape."""
        spans = np.asarray(times, dtype=np.float64)
        nothing = np.zeros(spans.size)
        newcomers = Histories(nothing, nothing, nothing)
        row = spans.reshape(1, -1)
        _, expected = self._purchases(newcomers, row, np.ones_like(row))
        return expected.reshape(spans.shape)

    def discounted_purchases(self, customers: Histories, horizon: float, rate: float) -> Floats:
        """Return E[Σ e^(−rate·(time − T)) over purchases to come], shape (n,).

        See ``PurchaseModel``.
        """
        return self._until(customers, horizon, rate)[0]

    def expected_and_discounted(
        self, customers: Histories, horizon: float, rate: float
    ) -> tuple[Floats, Floats]:
        """Return ``expected_purchases`` and ``discounted_purchases``; see ``PurchaseModel``."""
        discounted, expected = self._until(customers, horizon, rate)
        if rate * horizon > LOG_NEGLIGIBLE:
            expected = self.expected_purchases(customers, horizon)
        return expected, discounted

    def _until(self, customers: Histories, horizon: float, rate: float) -> tuple[Floats, Floats]:
        """Return the discounted purchases, and those by the last instant that counts for them.

        By parts: e^(−rate·h)·G(h) + rate·∫₀^h e^(−rate·u)·G(u) du of the purchases G expected by u.
        """
        check_span(horizon, rate=rate)
        if rate == 0 or horizon == 0:
            expected = self.expected_purchases(customers, horizon)
            return expected, expected
        R, A = self.r + customers.x, self.alpha + customers.T
        leaving = self.a / (self.a + self.b + self.chances(customers.x))
        discounted, expected = np.empty((2, len(R)))
        for rows, spans, weights in instants(horizon, rate, A / (1 + R * leaving)):
            of_some = self._purchases(customers.of(rows), spans, weights)
            discounted[rows], expected[rows] = of_some
        return discounted, expected

    @np.errstate(under="ignore")
    def _purchases(
        self, customers: Histories, spans: Floats, weights: Floats
    ) -> tuple[Floats, Floats]:
        """Return Σ_k weights[k] · E[purchases in (T, T + spans[k]]], and E of the last span.

        Args:
            customers: n histories.
            spans: shape (m, n), rising.
            weights: the same shape.

        Returns:
            Shape (n,) each.
        """
        x, taus = customers.x, spans / (self.alpha + customers.T)
        tau_max = self._rules.tau_max[np.minimum(x, X_END - 1).astype(np.intp)]
        quick = (x < X_END) & (taus[-1] <= tau_max)
        if quick.all():
            purchases = self._rules.purchases(x, taus, weights)
        else:
            purchases = np.empty((2, len(x)))
            rest = ~quick
            purchases[:, quick] = self._rules.purchases(x[quick], taus[:, quick], weights[:, quick])
            purchases[:, rest] = purchases_until_dropout(
                self.r + x[rest],
                self.a,
                self.b + self.chances(x[rest]),
                taus[:, rest],
                weights[:, rest],
            )
        alive = self.probability_alive(customers)
        return alive * purchases[0], alive * purchases[1]

    @cached_property
    def _rules(self) -> DropoutRules:
        return dropout_rules(self.r, self.a, self.b + self.chances(np.arange(float(X_END))))

    @np.errstate(under="ignore")
    def age_at(self, customers: Histories, horizon: float, probability: Floats | float) -> Floats:
        """Return the T at which ``no_purchase_probability`` reaches ``probability``, shape (n,).

        With y = ln((alpha + T)/(alpha + t_x)), ln(1 − probability) is ln P(a purchase | alive) +
        ln P(alive). Both fall and are concave in y, so Halley's method from beyond the root comes
        to it in three steps or so. See ``PurchaseModel``.
        """
        check_span(horizon)
        if horizon == 0:
            return at_either_end(customers, probability)
        inside, level = levels_inside(probability)
        R, A = self.r + customers.x, self.alpha + customers.t_x
        log_odds = self._log_odds_left_at_once(customers.x)
        target = np.log1p(-level) + np.zeros(len(R))
        scaled = horizon / A

        def excess(y: Floats, rows: Rows) -> tuple[Floats, Floats]:
            shape = R[rows]
            odds = log_odds[rows] + shape * y
            z = scaled[rows] * np.exp(-y)
            share = z / (1 + z)
            silent = 1 / np.expm1(np.minimum(shape * np.log1p(z), _LOG_MAX))  # odds of no purchase
            rest = np.exp(-np.abs(odds))
            left = np.where(odds > 0, 1.0, rest) / (1 + rest)
            value = -np.log1p(silent) - np.maximum(odds, 0.0) - np.log1p(rest) - target[rows]
            # Its slope is −R times ``fall``, its curvature −R times ``bend``.
            waning = silent * share
            fall = np.maximum(waning + left, _LEAST_SLOPE)
            bend = waning * (shape * share * (1 + silent) - 1 + share) + shape * left * (1 - left)
            newton = value / (shape * fall)
            return value, newton / np.maximum(1 + newton * (bend / (2 * fall)), _HALLEY_MIN)

        # Beyond either end one of the two terms alone is below the target.
        by_leaving = (np.log(level) - target - log_odds) / R
        by_rate = log_lomax_scale(R, horizon, level) - np.log(A)
        y = falls_to_zero(excess, np.minimum(by_leaving, by_rate), BY_HALLEY / (1 + R))
        ages = customers.t_x + A * np.expm1(y)
        return np.where(inside, ages, at_either_end(customers, probability))

    def _log_odds_left(self, customers: Histories) -> Floats:
        """Return ln of the odds of having left by T, −∞ where no one can have."""
        silence = (customers.T - customers.t_x) / (self.alpha + customers.t_x)
        return self._log_odds_left_at_once(customers.x) + (self.r + customers.x) * np.log1p(silence)

    def _log_odds_left_at_once(self, x: Floats) -> Floats:
        """Return ln of the odds of leaving at the last purchase, given p ~ Beta(a, b + stays)."""
        chances = self.chances(x)
        stays = self.b + np.maximum(chances - 1, 0.0)
        return np.where(chances > 0, np.log(self.a / stays), -np.inf)
