"""Scores: what the output topics carry. The field names are the wire's."""

from datetime import datetime
from typing import Literal

from msgspec import Raw, Struct

RiskBand = Literal["low", "medium", "high", "lapsed"]
RISK_BANDS: tuple[RiskBand, ...] = ("low", "medium", "high", "lapsed")

SCHEMA_VERSION = 1


class Cause(Struct, frozen=True, omit_defaults=True, gc=False):
    """What made a score: an event with its record's place, silence, or a new model."""

    kind: Literal["event", "silence", "model"]
    id: str | None = None
    type: str | None = None
    topic: str | None = None
    partition: int | None = None
    offset: int | None = None


SILENCE = Cause("silence")
MODEL = Cause("model")


class Window(Struct, frozen=True, gc=False):
    """Sums over the last days up to and with the day of ``as_of``, in UTC days."""

    orders: int
    revenue: str


Input = Literal["silence", "purchases", "value"]
"""What a score's change comes from: see ``scoring.explanation``."""


class ValueContribution(Struct, frozen=True, gc=False):
    """A part of the change of ``predicted_clv``, a decimal text."""

    input: Input
    change: str


class RiskContribution(Struct, frozen=True, gc=False):
    """A part of the change of ``churn_probability``, to the millionth."""

    input: Input
    change: float


class ProfileTrait(Struct, frozen=True, gc=False):
    """A trait of a customer that the most valuable tenth have more or less often (V13)."""

    trait: str
    value: str
    lift: float
    """Share of the trait's customers in the top tenth ÷ share of all customers."""
    contribution: float
    """To the log-odds of ``profile_closeness``."""


class Scored(Struct, frozen=True):
    """What each message that a score leads to begins with."""

    score_id: str
    customer_id: str
    revision: int
    as_of: datetime
    scored_at: datetime
    model_version: str
    cause: Cause


def shared(message: Scored) -> tuple[str, str, int, datetime, datetime, str, Cause]:
    """Return what ``message`` begins with, for another one of the same score."""
    return (
        message.score_id,
        message.customer_id,
        message.revision,
        message.as_of,
        message.scored_at,
        message.model_version,
        message.cause,
    )


class LtvUpdate(Scored, frozen=True, omit_defaults=True):
    """A customer's value. Money is a decimal string; null has its reason in ``null_reasons``.

    On the wire, fields that have defaults are left out where null: their reason stands there too,
    or that of all their measure's (see ``MEASURES``).
    """

    events_seen: int
    currency: str
    interval_level: float
    horizon_days: float
    historic_clv: str
    revenue: str
    refunded: str
    margin: str | None
    orders: int
    refunds: int
    average_order_value: str | None
    average_margin: str | None
    purchase_frequency: float | None
    tenure_days: float | None
    first_purchase_at: datetime | None
    last_purchase_at: datetime | None
    windows: dict[str, Window]
    expected_orders: float | None
    formula_ltv: str | None
    formula_margin_ltv: str | None
    referral_value: str | None
    referred_customers: int | None
    referred_by: str | None
    reasons: tuple[str, ...]
    null_reasons: Raw
    predicted_clv: str | None
    predicted_clv_low: str | None
    predicted_clv_high: str | None
    total_clv: str | None
    ltv_to_cac: float | None
    category_depth: int | None
    loyalty_tier: str | None
    schema_version: int
    predicted_clv_basis: Literal["margin", "revenue"] | None = None
    ltv_to_cac_basis: Literal["total_clv", "formula_margin_ltv", "formula_ltv"] | None = None
    ltv_below_target: bool | None = None
    acquisition_cost: str | None = None
    acquisition_cost_basis: Literal["events", "channel"] | None = None
    acquisition_channel: str | None = None
    acquisition_budget: str | None = None
    retention_budget: str | None = None
    ratings: int | None = None
    rating_average: float | None = None
    rating_last: float | None = None
    rating_flag: Literal["good", "fair", "needs_review"] | None = None
    loyalty_points: int | None = None
    next_tier: str | None = None
    points_to_next_tier: int | None = None
    previous_loyalty_tier: str | None = None
    loyalty_tier_change: Literal["up", "down"] | None = None
    payment_days_average: float | None = None
    orders_paid: int | None = None
    unpaid_orders_overdue: int | None = None
    checkout_seconds_average: float | None = None
    products_paid_for: float | None = None
    products_bought: int | None = None
    products_per_category: float | None = None
    category_growth: int | None = None
    next_category: str | None = None
    widen_basket: bool | None = None
    share_of_wallet_categories: float | None = None
    categories: tuple[str, ...] | None = None
    regularity: float | None = None
    margin_rate: float | None = None
    low_margin_only: bool | None = None
    discounted_orders: int | None = None
    discount_only: bool | None = None
    location: str | None = None
    explained_since: datetime | None = None
    previous_predicted_clv: str | None = None
    contributions: tuple[ValueContribution, ...] | None = None
    profile_closeness: float | None = None
    profile_traits: tuple[ProfileTrait, ...] | None = None
    referral_value_direct: str | None = None
    referral_chain_customers: int | None = None
    referral_chain_value: str | None = None
    referrals_lost: int | None = None


MEASURES = {
    "acquisition": (
        "ltv_to_cac_basis",
        "ltv_below_target",
        "acquisition_cost",
        "acquisition_cost_basis",
        "acquisition_channel",
        "acquisition_budget",
        "retention_budget",
    ),
    "ratings": ("ratings", "rating_average", "rating_last", "rating_flag"),
    "loyalty": (
        "loyalty_points",
        "next_tier",
        "points_to_next_tier",
        "previous_loyalty_tier",
        "loyalty_tier_change",
    ),
    "interaction": (
        "payment_days_average",
        "orders_paid",
        "unpaid_orders_overdue",
        "checkout_seconds_average",
        "products_paid_for",
    ),
    "penetration": (
        "products_bought",
        "products_per_category",
        "category_growth",
        "next_category",
        "widen_basket",
        "share_of_wallet_categories",
        "categories",
    ),
    "regularity": ("regularity",),
    "margins": ("margin_rate", "low_margin_only", "discounted_orders", "discount_only"),
    "location": ("location",),
    "explanation": (
        "explained_since",
        "previous_predicted_clv",
        "previous_churn_probability",
        "contributions",
    ),
    "profile": ("profile_closeness", "profile_traits"),
    "referrals": (
        "referral_value_direct",
        "referral_chain_customers",
        "referral_chain_value",
        "referrals_lost",
    ),
    "referrer": ("referrer_lapsed",),
}
"""Fields that are left out together, with one reason under the measure's name, where nothing is
known of any."""


class ChurnRiskUpdate(Scored, frozen=True, omit_defaults=True):
    """A customer's churn risk; null has its reason in ``null_reasons``, as in ``LtvUpdate``."""

    events_seen: int
    horizon_days: float
    churn_probability: float | None
    risk_band: RiskBand | None
    previous_risk_band: RiskBand | None
    silence_quantile: float | None
    expected_date_of_next_order: datetime | None
    win_back_by: datetime | None
    next_band_crossing_at: datetime | None
    reasons: tuple[str, ...]
    null_reasons: Raw
    probability_alive: float | None
    schema_version: int
    explained_since: datetime | None = None
    previous_churn_probability: float | None = None
    contributions: tuple[RiskContribution, ...] | None = None
    referrer_lapsed: bool | None = None
