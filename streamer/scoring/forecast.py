"""What is expected of customers: by the fitted model, or by formula before there is one."""

from math import log1p

import numpy as np
from msgspec import Struct

from streamer.records.instants import YEAR_DAYS
from streamer.records.money import UNIT
from streamer.scoring.columns import Columns, Flags
from streamer.scoring.fitted import FittedModel
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.predictive import value_interval
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import no_purchase_probability


class ValueForecast(Struct, frozen=True):
    """Discounted value of the purchases within the horizon, in millionths; shape (n,) each."""

    mean: Floats
    low: Floats
    high: Floats
    known: Flags
    """Where the model can tell: elsewhere the numbers are 0."""
    on_margin: Flags
    """Margin where every order came with its cost, revenue elsewhere."""


class Forecast(Struct, frozen=True):
    """What is expected of n customers within the horizon; every array has shape (n,)."""

    churn_probability: Floats
    """P(no purchase)."""
    expected_orders: Floats
    probability_alive: Floats | None
    """None by formula, as is the value."""
    value: ValueForecast | None


def forecast(columns: Columns, parameters: ScoringParameters) -> Forecast:
    """Return the forecasts for rows at their instants; without a purchase they mean nothing."""
    model = parameters.model
    if model is None or model.purchases is None:
        return _by_formula(columns, parameters)
    return _by_model(columns, parameters, model, model.purchases)


def _by_formula(columns: Columns, parameters: ScoringParameters) -> Forecast:
    """The rhythm's Poisson customer: the posterior mean rate (r + x)/(α + T) times the horizon."""
    r, alpha, horizon = (
        parameters.rhythm_shape,
        parameters.rhythm_scale_days,
        parameters.horizon_days,
    )
    return Forecast(
        churn_probability=no_purchase_probability(horizon, r, alpha, columns.x, columns.t),
        expected_orders=(r + columns.x) / (alpha + columns.t) * horizon,
        probability_alive=None,
        value=None,
    )


def _by_model(
    columns: Columns, parameters: ScoringParameters, model: FittedModel, purchases: PurchaseModel
) -> Forecast:
    horizon, corrections = parameters.horizon_days, model.calibration
    customers = Histories(columns.x, np.where(columns.x > 0, columns.t_x, 0.0), columns.t)
    expected = purchases.expected_purchases(customers, horizon)
    corrected = corrections.expected_purchases(expected, horizon)
    churn = purchases.no_purchase_probability(customers, horizon)
    value = None
    if model.values is not None:
        discounted = purchases.discounted_purchases(
            customers, horizon, log1p(parameters.discount_rate) / YEAR_DAYS
        )
        value = _value(
            columns,
            parameters,
            customers,
            purchases,
            model.values,
            (expected, corrected, discounted),
        )
    return Forecast(
        churn_probability=corrections.no_purchase_probability(churn, horizon),
        expected_orders=corrected,
        probability_alive=purchases.probability_alive(customers),
        value=value,
    )


def _value(
    columns: Columns,
    parameters: ScoringParameters,
    customers: Histories,
    purchases: PurchaseModel,
    values: GammaGamma,
    counts: tuple[Floats, Floats, Floats],
) -> ValueForecast:
    expected, corrected, discounted = counts
    some = expected > 0
    divisor = np.where(some, expected, 1.0)
    correction = np.where(some, corrected / divisor, 1.0)
    discount = np.where(some, discounted / divisor, 1.0)
    mean_value = mean_repeat_value(columns)
    worth = values.expected_value(customers.x, mean_value)
    low, high = value_interval(
        purchases,
        values,
        customers,
        np.where(mean_value > 0, customers.x, 0.0),
        mean_value,
        parameters.horizon_days,
        parameters.interval_level,
        discount=discount,
        correction=correction,
    )
    on_margin = columns.costed & (columns.net > 0)
    rate = np.where(on_margin, columns.margin / np.where(on_margin, columns.net, 1), 1.0) * UNIT
    known = np.isfinite(worth)
    mean = np.where(known, corrected * discount * np.where(known, worth, 0.0) * rate, 0.0)
    # Whoever most likely buys nothing has a short interval; what is expected is always in it.
    bounds = low * rate, high * rate, mean
    return ValueForecast(
        mean, np.minimum.reduce(bounds), np.maximum.reduce(bounds), known, on_margin
    )


def mean_repeat_value(columns: Columns) -> Floats:
    """Return the mean value of a repeat occasion net of refunds, shape (n,); 0 where x is 0.

    In the reporting currency. Gamma-Gamma leaves the first occasion out (Fader & Hardie 2013, note
    025). Refunds do not name their occasion: each bears its share.
    """
    repeat = (columns.revenue - columns.first_day_revenue) / np.maximum(columns.x, 1)
    kept = columns.net / np.maximum(columns.revenue, 1)
    value: Floats = np.where(columns.x > 0, np.maximum(repeat * kept, 0), 0) / UNIT
    return value
