"""Figures of the whole shop: what ``programme-measures`` carries, compacted by measure.

Money is a decimal text; in experiments, where it is estimated, a number. What cannot be known is
null: figures of programmes say why in ``null_reasons``, those of experiments by their verdict.
"""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from streamer.records.models import ModelCheck


class ModelCalibration(Struct, frozen=True, kw_only=True):
    """How far the forecasts were off in the last window that is over."""

    measure: Literal["model_calibration"] = "model_calibration"
    """Its key, too."""
    as_of: datetime
    """Event time up to which purchases were known."""
    measured_at: datetime
    model_version: str
    """The model that this led to."""
    figures: ModelCheck
    schema_version: Literal[1] = 1


class GroupFigures(Struct, frozen=True, kw_only=True):
    """Of a group or a cohort of customers, all their time."""

    customers: int
    repeat_customers: int
    repeat_purchase_rate: float | None
    orders: int
    average_order_value: str | None
    valued_customers: int
    """Whose lifetime value is known: ``clv`` is their mean."""
    clv: str | None
    null_reasons: dict[str, str]


class MonthFigures(Struct, frozen=True, kw_only=True):
    """What a group or a cohort did in a calendar month (UTC)."""

    month: str
    complete: bool
    customers: int
    new_customers: int
    retained_customers: int | None
    retention_rate: float | None
    churn_rate: float | None
    orders: int
    revenue: str
    average_order_value: str | None
    null_reasons: dict[str, str]


class CohortFigures(Struct, frozen=True, kw_only=True):
    """The customers whose first purchase was in one month."""

    cohort: str
    figures: GroupFigures
    months: list[MonthFigures]


class AcquisitionFigures(Struct, frozen=True, kw_only=True):
    """What the customers of a channel, or all, cost to win against what they are worth (V8)."""

    acquisition_cost: str | None
    """What was spent in all, whether it won a customer or not."""
    acquired_customers: int
    cost_per_customer: str | None
    ltv_to_cac: float | None
    ltv_below_target: bool | None
    acquisition_budget: str | None
    """A customer, on average; so is ``retention_budget``."""
    retention_budget: str | None
    null_reasons: dict[str, str]


class ProgrammeMeasure(Struct, frozen=True, kw_only=True, tag_field="measure", tag="programme"):
    """Retention, repeat purchases, order value and CLV of a group of customers (V16)."""

    group: str
    """``all``, ``channel:…`` and other kinds."""
    as_of: datetime
    """Event time up to which the shop was known."""
    measured_at: datetime
    model_version: str
    """By which lifetime values are."""
    currency: str
    figures: GroupFigures
    months: list[MonthFigures]
    cohorts: list[CohortFigures]
    acquisition: AcquisitionFigures | None = None
    """Of everyone and of channels; null for other groups."""
    schema_version: Literal[1] = 1


class RatingMeasure(Struct, frozen=True, kw_only=True, tag_field="measure", tag="ratings"):
    """What customers think of a product or a category (V9): of each customer its latest rating."""

    rated: str
    """``product:…`` or ``category:…``."""
    as_of: datetime
    measured_at: datetime
    ratings: int
    rating_average: float
    low_ratings: int
    """Below 3 of 5."""
    low_share: float
    low_share_low: float
    low_share_high: float
    """Wilson's interval of the share at 0.95."""
    needs_review: bool | None
    """Whether the share is surely greater than the shop puts up with."""
    null_reasons: dict[str, str]
    schema_version: Literal[1] = 1


class MetricUplift(Struct, frozen=True, kw_only=True):
    """What an arm did to a metric; all figures null where there is too little data."""

    metric: Literal["average_order_value", "retention_rate", "ltv"]
    verdict: Literal["higher", "lower", "not_significant", "too_little_data"]
    sentence: str
    customers_control: int
    customers_treatment: int
    control: float | None
    treatment: float | None
    difference: float | None
    percent: float | None
    low: float | None
    high: float | None
    always_valid_low: float | None
    always_valid_high: float | None
    always_valid_p: float | None
    variance_reduction: float | None


class ArmComparison(Struct, frozen=True, kw_only=True):
    """An arm against the control."""

    arm: str
    uplifts: list[MetricUplift]


class ArmSizes(Struct, frozen=True, kw_only=True):
    """Whether the arms are of the sizes they should be."""

    expected: dict[str, float]
    chi_square: float
    p: float
    mismatch: bool


class ExperimentMeasure(Struct, frozen=True, kw_only=True, tag_field="measure", tag="experiment"):
    """What the arms of an experiment did to order value, retention and lifetime value (V18)."""

    experiment: str
    as_of: datetime
    measured_at: datetime
    model_version: str
    currency: str
    control: str
    confidence_level: float
    """Of each comparison, over all looks together."""
    window_days: int
    arms: dict[str, int]
    """Customers, by arm of the plan."""
    unplanned_arms: dict[str, int]
    """Customers in arms that the plan does not know; they are compared with nothing."""
    comparisons: list[ArmComparison]
    sample_ratio: ArmSizes | None
    """Null with a single arm."""
    trustworthy: bool
    """False where the arms' sizes are not as they should be: then believe no uplift."""
    schema_version: Literal[1] = 1


Verdict = Literal["more_often", "less_often", "not_significant"]
"""What the most valuable have: by whether the interval of the lift is above or below 1."""


class TraitValueFigures(Struct, frozen=True, kw_only=True):
    """How often the most valuable customers have a trait's value, against all."""

    value: str
    customers: int
    share: float
    """Of all customers."""
    top_customers: int
    top_share: float
    """Of the top tenth."""
    lift: float
    """``top_share`` ÷ ``share``."""
    low: float
    high: float
    verdict: Verdict


class TraitFigures(Struct, frozen=True, kw_only=True):
    """The values of a trait."""

    trait: str
    known_customers: int
    """Of whom it is known."""
    other_customers: int
    """Of them, those of values that are not told."""
    values: list[TraitValueFigures]


class IdealProfileMeasure(
    Struct, frozen=True, kw_only=True, tag_field="measure", tag="ideal_profile"
):
    """What the most valuable tenth of the customers have in common (V13)."""

    as_of: datetime
    measured_at: datetime
    model_version: str
    """By which lifetime values are."""
    currency: str
    customers: int
    """Whose lifetime value is known."""
    top_customers: int | None
    top_value: str | None
    """The top tenth's lifetime values begin here, to 4.4 %."""
    confidence_level: float
    """Of each lift's interval."""
    traits: list[TraitFigures] | None
    null_reasons: dict[str, str]
    schema_version: Literal[1] = 1


ShopMeasure = ProgrammeMeasure | ExperimentMeasure | IdealProfileMeasure | RatingMeasure
PROGRAMME, EXPERIMENT = "programme:", "experiment:"
PROFILE, RATED = "profile:", "ratings:"
"""What their keys begin with."""
IDEAL = "ideal"


def key_of(measure: ShopMeasure) -> str:
    """Return the key of ``measure``."""
    if isinstance(measure, ProgrammeMeasure):
        return PROGRAMME + measure.group
    if isinstance(measure, IdealProfileMeasure):
        return PROFILE + IDEAL
    if isinstance(measure, RatingMeasure):
        return RATED + measure.rated
    return EXPERIMENT + measure.experiment
