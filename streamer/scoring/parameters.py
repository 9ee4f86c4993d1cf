"""What the shop has configured for its scores."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from math import log1p

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from streamer.records.models import FORMULA, ModelParams
from streamer.records.money import UNIT
from streamer.scoring.fitted import FittedModel, fitted_model
from streamer.scoring.loyalty import RATE_UNIT, LoyaltyRules


class ScoringParameters(Struct, frozen=True, dict=True):
    """Parameters of all measures; the defaults suit a shop with a few orders a year and customer.

    Args:
        currency: reporting currency, ISO 4217.
        horizon_days: how far ahead scores look, above 0.
        interval_level: nominal coverage of the intervals, between 0 and 1.
        rhythm_shape: r of the gamma prior of a customer's purchase rate, 0.01 or more.
        rhythm_scale_days: α of that prior in days, above 0; the prior mean rate is r/α a day.
        band_quantiles: quantiles of the next gap at which risk becomes medium, high and lapsed;
            rising, between 0 and 1.
        churn_thresholds: probabilities of no purchase within the horizon at which, by a fitted
            model, risk becomes medium, high and lapsed; rising, between 0 and 1.
        churn_hysteresis: how far below its threshold a purchase must take that probability for
            the risk to fall, 0 to 1.
        lifespan_years: how long a customer is taken to stay, for the formula.
        retention_rate: share of customers kept from one year to the next, 0 to below 1.
        discount_rate: a year, 0 or more.
        referral_programme: whether one runs: a customer who brought nobody is then worth 0 in
            referrals, otherwise null.
        referral_type_one_share: share of the customers brought who would not have come otherwise,
            0 to 1: only their revenue is referral value.
        referral_depth: levels of the chain whose revenue counts for referral value, 1 to
            ``LEVELS``.
        referral_decay: what a level counts for, beside the one before it, 0 to 1.
        channel_costs: what a customer won through a channel costs, in the reporting currency, for
            those of whom no cost of their own came.
        ltv_to_cac_target: below it a customer's ratio is flagged, above 0.
        loyalty_points_per_unit: for a currency unit of revenue net of refunds, 0 or more, to six
            decimals.
        loyalty_points_per_referral: for a customer brought who joined or purchased, 0 or more.
        loyalty_points_per_share: 0 or more.
        loyalty_tiers: the points where each begins, by name; none means there is no programme.
        catalogue_categories: the shop's categories, those to be offered first in front.
        low_order_value: average order value, in the reporting currency, below which baskets are
            worth widening; 0 is no such value.
        low_margin_rate: margin ÷ price below which goods are low-margin, -1 to 1.
        model: what is fitted to the shop; none yet means the formula.
    """

    currency: str = "USD"
    horizon_days: float = 365.0
    interval_level: float = 0.8
    rhythm_shape: float = 1.0
    rhythm_scale_days: float = 60.0
    band_quantiles: tuple[float, float, float] = (0.5, 0.8, 0.95)
    churn_thresholds: tuple[float, float, float] = (0.5, 0.8, 0.95)
    churn_hysteresis: float = 0.05
    lifespan_years: float = 3.0
    retention_rate: float = 0.75
    discount_rate: float = 0.1
    referral_programme: bool = False
    referral_type_one_share: float = 1.0
    referral_depth: int = 1
    referral_decay: float = 0.5
    channel_costs: Mapping[str, Decimal] = field(default_factory=dict)
    ltv_to_cac_target: float = 3.0
    loyalty_points_per_unit: float = 1.0
    loyalty_points_per_referral: int = 0
    loyalty_points_per_share: int = 0
    loyalty_tiers: Mapping[str, int] = field(default_factory=dict)
    catalogue_categories: tuple[str, ...] = ()
    low_order_value: float = 0.0
    low_margin_rate: float = 0.2
    model: FittedModel | None = None

    @property
    def generation(self) -> int:
        """Of the model; 0 without any."""
        return 0 if self.model is None else self.model.generation

    @property
    def rhythm(self) -> tuple[float, float]:
        """R and α (days) of the prior of a customer's purchase rate: the model's, or configured."""
        fitted = self.model and self.model.rhythm
        return fitted or (self.rhythm_shape, self.rhythm_scale_days)

    @property
    def model_version(self) -> str:
        """As scores tell it."""
        return FORMULA if self.model is None else self.model.version

    @cached_property
    def channel_cost_amounts(self) -> dict[str, int]:
        """``channel_costs`` in millionths."""
        return {channel: round(cost * UNIT) for channel, cost in self.channel_costs.items()}

    @cached_property
    def referral_weights(self) -> tuple[int, ...]:
        """What revenue counts for, in millionths, by level from the customers brought directly."""
        share, decay = self.referral_type_one_share, self.referral_decay
        return tuple(round(share * decay**level * UNIT) for level in range(self.referral_depth))

    @cached_property
    def loyalty(self) -> LoyaltyRules | None:
        """The rules of the loyalty programme; None without one."""
        if not self.loyalty_tiers:
            return None
        names = sorted(self.loyalty_tiers, key=self.loyalty_tiers.__getitem__)
        return LoyaltyRules(
            rate=round(self.loyalty_points_per_unit * RATE_UNIT),
            referral=self.loyalty_points_per_referral,
            share=self.loyalty_points_per_share,
            thresholds=tuple(self.loyalty_tiers[name] for name in names),
            names=tuple(names),
        )

    @cached_property
    def raw_thresholds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Return the model's probabilities at the thresholds, and those below by the hysteresis.

        The model's, that is: before they are corrected by its calibration.
        """
        if self.model is None:
            return self.churn_thresholds, self.churn_thresholds
        levels = np.array(self.churn_thresholds)
        below = np.maximum(levels - self.churn_hysteresis, 0.0)
        raw = self.model.calibration.raw_no_purchase_probability
        return (
            tuple(raw(levels, self.horizon_days).tolist()),
            tuple(raw(below, self.horizon_days).tolist()),
        )

    @cached_property
    def band_log_odds(self) -> NDArray[np.float64]:
        """Return -ln(1 − q) of each of ``band_quantiles``."""
        return np.array([-log1p(-q) for q in self.band_quantiles])


def with_model(configured: ScoringParameters, model: ModelParams | None) -> ScoringParameters:
    """Return ``configured`` with ``model`` in force.

    Raises:
        ValueError: a parameter of the model is missing or out of its range.
    """
    return configured if model is None else replace(configured, model=fitted_model(model))
