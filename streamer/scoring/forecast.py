"""What is expected of customers: by the fitted model, or by formula before there is one."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from math import log1p

import numpy as np
from msgspec import Struct
from msgspec.structs import astuple

from streamer.records.instants import YEAR_DAYS
from streamer.records.money import UNIT
from streamer.scoring.columns import Flags, PurchaseColumns, joined
from streamer.scoring.fitted import FittedModel
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Floats, Histories, distinct
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.predictive import value_interval
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import no_purchase_probability

_BLOCK = 1_000
"""Customers whose intervals are found at once: they stay in the processor's cache."""


class ExpectedValue(Struct, frozen=True):
    """What is expected of purchases and of each of them; every array has shape (n,)."""

    purchases: Floats
    """Within the horizon, discounted."""
    worth: Floats
    """Of a purchase in millionths; 0 where the model cannot tell."""
    known: Flags
    """Where it can."""
    on_margin: Flags
    rate: Floats
    """What of a purchase's value counts, in millionths."""
    discount: Floats
    correction: Floats


class Expectation(Struct, frozen=True):
    """The means of forecasts for n customers; every array has shape (n,)."""

    churn_probability: Floats
    """P(no purchase)."""
    expected_orders: Floats
    value: ExpectedValue | None = None
    """None without a model of values."""

    def of(self, places: slice | Sequence[int]) -> "Expectation":
        """Return what is expected of the customers at ``places``."""
        return Expectation(
            self.churn_probability[places],
            self.expected_orders[places],
            self.value and ExpectedValue(*(column[places] for column in astuple(self.value))),
        )


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


def forecast(
    columns: PurchaseColumns, means: Expectation, parameters: ScoringParameters
) -> Forecast:
    """Return the forecasts for rows at their instants; without a purchase they mean nothing.

    Args:
        columns: of the rows.
        means: their ``expectation``.
        parameters: of the forecasts.
    """
    model = parameters.model
    alive = value = None
    if model is not None and model.purchases is not None:
        alive = model.purchases.probability_alive(_customers(columns))
        if model.values is not None and means.value is not None:
            value = _value(columns, parameters, model.purchases, model.values, means.value)
    return Forecast(means.churn_probability, means.expected_orders, alive, value)


def expectations(
    parts: Sequence[PurchaseColumns], parameters: ScoringParameters
) -> list[Expectation]:
    """Return the ``expectation`` of each of ``parts``; all at once cost little more than one."""
    together = expectation(joined(parts), parameters)
    ends = accumulate([len(part.as_of) for part in parts], initial=0)
    return [together.of(slice(begin, end)) for begin, end in pairwise(ends)]


def expectation(columns: PurchaseColumns, parameters: ScoringParameters) -> Expectation:
    """Return the means of the forecasts alone: intervals cost most of a forecast."""
    model = parameters.model
    if model is None or model.purchases is None:
        return _by_formula(columns, parameters)
    return _by_model(columns, parameters, model, model.purchases)


def _customers(columns: PurchaseColumns) -> Histories:
    return Histories(columns.x, np.where(columns.x > 0, columns.t_x, 0.0), columns.t)


def _by_formula(columns: PurchaseColumns, parameters: ScoringParameters) -> Expectation:
    """The rhythm's Poisson customer: the posterior mean rate (r + x)/(α + T) times the horizon."""
    r, alpha, horizon = (
        parameters.rhythm_shape,
        parameters.rhythm_scale_days,
        parameters.horizon_days,
    )
    return Expectation(
        churn_probability=no_purchase_probability(horizon, r, alpha, columns.x, columns.t),
        expected_orders=(r + columns.x) / (alpha + columns.t) * horizon,
    )


def _by_model(
    columns: PurchaseColumns,
    parameters: ScoringParameters,
    model: FittedModel,
    purchases: PurchaseModel,
) -> Expectation:
    horizon, corrections = parameters.horizon_days, model.calibration
    customers = _customers(columns)
    some, places = distinct(customers.x, customers.t_x, customers.T)
    differing = customers.of(some)
    churn = purchases.no_purchase_probability(differing, horizon)[places]
    churn = corrections.no_purchase_probability(churn, horizon)
    rate = log1p(parameters.discount_rate) / YEAR_DAYS
    expected, discounted = (
        figures[places] for figures in purchases.expected_and_discounted(differing, horizon, rate)
    )
    corrected = corrections.expected_purchases(expected, horizon)
    if model.values is None:
        return Expectation(churn, corrected)
    any_expected = expected > 0
    divisor = np.where(any_expected, expected, 1.0)
    discount = np.where(any_expected, discounted / divisor, 1.0)
    worth = model.values.expected_value(customers.x, mean_repeat_value(columns))
    on_margin = columns.costed & (columns.net > 0)
    counted = np.where(on_margin, columns.margin / np.where(on_margin, columns.net, 1), 1.0) * UNIT
    known = np.isfinite(worth)
    expected_value = ExpectedValue(
        purchases=corrected * discount,
        worth=np.where(known, worth, 0.0) * counted,
        known=known,
        on_margin=on_margin,
        rate=counted,
        discount=discount,
        correction=np.where(any_expected, corrected / divisor, 1.0),
    )
    return Expectation(churn, corrected, expected_value)


def _value(
    columns: PurchaseColumns,
    parameters: ScoringParameters,
    purchases: PurchaseModel,
    values: GammaGamma,
    means: ExpectedValue,
) -> ValueForecast:
    customers, mean_value = _customers(columns), mean_repeat_value(columns)
    some, places = distinct(customers.x, customers.t_x, customers.T, mean_value)
    bounds = [
        value_interval(
            purchases,
            values,
            customers.of(block),
            np.where(mean_value[block] > 0, customers.x[block], 0.0),
            mean_value[block],
            parameters.horizon_days,
            parameters.interval_level,
            discount=means.discount[block],
            correction=means.correction[block],
        )
        for block in np.split(some, range(_BLOCK, len(some), _BLOCK))
    ]
    low, high = np.concatenate(bounds, axis=1)[:, places]
    mean = np.where(means.known, means.purchases * means.worth, 0.0)
    # Whoever most likely buys nothing has a short interval; what is expected is always in it.
    around = low * means.rate, high * means.rate, mean
    return ValueForecast(
        mean, np.minimum.reduce(around), np.maximum.reduce(around), means.known, means.on_margin
    )


def mean_repeat_value(columns: PurchaseColumns) -> Floats:
    """Return the mean value of a repeat occasion net of refunds, shape (n,); 0 where x is 0.

    In the reporting currency. Gamma-Gamma leaves the first occasion out (Fader & Hardie 2013, note
    025). What is refunded is a share of all that was bought, and so of each occasion: the row does
    not keep what of which order came back.
    """
    repeat = (columns.revenue - columns.first_day_revenue) / np.maximum(columns.x, 1)
    kept = columns.net / np.maximum(columns.revenue, 1)
    value: Floats = np.where(columns.x > 0, np.maximum(repeat * kept, 0), 0) / UNIT
    return value
