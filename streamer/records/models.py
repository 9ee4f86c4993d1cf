"""Fitted models: what ``model-params`` carries. The field names are the wire's."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

ModelName = Literal["mbg_nbd", "bg_nbd", "pareto_nbd", "formula"]

FORMULA: ModelName = "formula"
"""Scores are by formula: nothing was fitted yet, or there was too little to fit."""

NO_MODEL = 0
"""Generation before the first model."""

CURRENT = b"current"
"""The key of all models in the compacted ``model-params``: the last one stays."""


class DecileMeasure(Struct, frozen=True):
    """A tenth of the customers by their forecasts: mean purchases foretold, and what came."""

    customers: int
    predicted_mean: float
    actual_mean: float


class ModelCheck(Struct, frozen=True, kw_only=True):
    """How the last window that is over was foretold by a model fitted at its beginning."""

    window_days: float
    customers: int
    predicted_total: float
    actual_total: float
    bias_percent: float | None
    """Of the total; None where nothing was bought."""
    interval_level: float
    interval_coverage: float | None
    """Share of customers whose purchases lay within their interval."""
    brier: float
    """Of P(no purchase in the window), 0 to 1, less is better."""
    auc: float | None
    """Of telling who would buy; None where all did or none."""
    recency_auc: float | None
    """The same of the days since the last purchase alone: the baseline."""
    deciles: list[DecileMeasure]
    """The highest forecasts first."""


TRAITS = ("first_category", "channel", "location", "rhythm", "tenure")
"""What of a customer a profile looks at; a customer has one value of each, or none is known."""


class IdealProfile(Struct, frozen=True, kw_only=True):
    """How many of the customers, and of the most valuable tenth of them, have which trait (V13)."""

    customers: int
    """Whose lifetime value is known."""
    top_customers: int
    """Of them, those of the top tenth."""
    traits: dict[str, dict[str, tuple[int, int]]]
    """By trait and value: customers, and those of them in the top tenth."""


class ModelParams(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """A model of the whole shop and how it was found.

    A partition adopts a model whose ``generation`` is greater than that of its own, so that scores
    never go back; who wants an older model again publishes it with a new generation.
    """

    model_version: str
    """Names model, generation and parameters: ``mbg_nbd-3-1a2b3c4d``; or ``formula``."""
    generation: int
    """1 or more; rises with each model published."""
    model: ModelName
    time_unit: Literal["day"] = "day"
    parameters: dict[str, float] = {}
    """Of purchasing, in days."""
    standard_errors: dict[str, float] = {}
    log_likelihood: float | None = None
    value_parameters: dict[str, float] | None = None
    """Of Gamma-Gamma; None where no customer has a repeat purchase of some value."""
    value_standard_errors: dict[str, float] | None = None
    currency: str
    """Of the values: models of another currency are not adopted."""
    customers: int
    repeat_customers: int
    data_until: datetime
    """Event time up to which purchases were known."""
    fitted_at: datetime
    calibration: dict[str, dict[str, list[float]]] = {}
    """Knots of the corrections of expected purchases and of activity (see ``scoring``)."""
    check: ModelCheck | None = None
    """None before two windows are over."""
    reason: str | None = None
    """Why scores stay by formula; None where they need not."""
    profile: IdealProfile | None = None
    """That customers are compared with; None where there are too few customers."""
    schema_version: Literal[1] = 1
