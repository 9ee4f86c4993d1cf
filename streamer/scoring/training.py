"""From the rows of the whole shop to the model that its customers are scored by.

Parameters come from all that is known. How far the model has been off is seen by walking forward:
for windows that are over, a model of that window's beginning foretold it, and what that got wrong,
it may get wrong again (``calibration``).
"""

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b

import msgspec
import numpy as np
from msgspec import Struct

from streamer.records.instants import DAY, to_datetime
from streamer.records.models import FORMULA, DecileMeasure, ModelCheck, ModelName, ModelParams
from streamer.scoring.base import Base, Days, base_at, days_of
from streamer.scoring.calibration import Calibration, Outcome, calibrate
from streamer.scoring.evaluation.accuracy import bias_percent, brier_score, interval_coverage
from streamer.scoring.evaluation.baselines import recency
from streamer.scoring.evaluation.ranking import auc
from streamer.scoring.evaluation.tables import by_decile
from streamer.scoring.fitted import PURCHASE_MODELS
from streamer.scoring.fitting import Fit, NothingToFitError, fit_purchases, fit_values
from streamer.scoring.models.histories import Floats
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.predictive.purchases import purchase_interval
from streamer.scoring.time_unit import TimeUnit
from streamer.state.row import Row

PARTS = 3
"""What is known is parted into so many windows at least: one to fit a model to, one to learn the
correction from, one to be convinced by."""

WINDOWS_MAX = 4
"""Rows keep a year of days: no older window can be looked at."""

REACH_DAYS = 365
"""So many days back the base can be looked at."""


class Aim(Struct, frozen=True):
    """What is to be trained."""

    model: ModelName
    currency: str
    horizon_days: float
    interval_level: float
    generation: int
    """Of the new model: above that of the one before."""


class Window(Struct, frozen=True):
    """A window that is over, its forecast, and what came."""

    base: Base
    model: PurchaseModel
    outcome: Outcome


def train(rows: Sequence[Row], data_until: int, fitted_at: datetime, aim: Aim) -> ModelParams:
    """Return the model of the shop.

    Args:
        rows: of all customers.
        data_until: event time up to which purchases are known, microseconds since 1970.
        fitted_at: the clock.
        aim: what is wanted.

    Returns:
        With too little to fit: the formula, with the reason.
    """
    days, today = days_of(rows), data_until // DAY
    base = base_at(days, today, today)
    try:
        fit = fit_purchases(aim.model, base.customers, TimeUnit.DAY)
    except NothingToFitError as error:
        return _formula(aim, data_until, fitted_at, 0, 0, str(error))
    if fit.reason_for_formula is not None:
        counts = fit.customers, fit.repeat_customers
        return _formula(aim, data_until, fitted_at, *counts, fit.reason_for_formula)
    length, windows = _windows(days, today, aim)
    calibration = calibrate([window.outcome for window in windows], length)
    values = _value_fit(base)
    return ModelParams(
        model_version=_version(aim, fit, values, calibration),
        generation=aim.generation,
        model=aim.model,
        parameters=fit.parameters,
        standard_errors=fit.standard_errors,
        log_likelihood=fit.log_likelihood,
        value_parameters=None if values is None else values.parameters,
        value_standard_errors=None if values is None else values.standard_errors,
        currency=aim.currency,
        customers=fit.customers,
        repeat_customers=fit.repeat_customers,
        data_until=to_datetime(data_until),
        fitted_at=fitted_at,
        calibration=msgspec.json.decode(msgspec.json.encode(calibration)),
        check=_check(windows, length, aim.interval_level),
    )


def _value_fit(base: Base) -> Fit | None:
    try:
        fit = fit_values(base.customers.x, base.mean_value)
    except NothingToFitError:
        return None
    return fit if fit.reason_for_formula is None else None


def _formula(
    aim: Aim, data_until: int, fitted_at: datetime, customers: int, repeaters: int, reason: str
) -> ModelParams:
    return ModelParams(
        model_version=FORMULA,
        generation=aim.generation,
        model=FORMULA,
        currency=aim.currency,
        customers=customers,
        repeat_customers=repeaters,
        data_until=to_datetime(max(data_until, 0)),
        fitted_at=fitted_at,
        reason=reason,
    )


def _version(aim: Aim, fit: Fit, values: Fit | None, calibration: Calibration) -> str:
    worth = None if values is None else values.parameters
    content = msgspec.msgpack.encode((fit.parameters, worth, calibration))
    return f"{aim.model}-{aim.generation}-{blake2b(content, digest_size=4).hexdigest()}"


def _windows(days: Days, today: int, aim: Aim) -> tuple[float, list[Window]]:
    """Return the windows' length in days, and the windows, oldest first."""
    first_day = int(days.totals[1].min())
    reach = min(today - first_day, REACH_DAYS)
    length = max(1, int(min(aim.horizon_days, reach // PARTS)))
    starts = [today - length * back for back in range(WINDOWS_MAX, 0, -1)]
    known = [start for start in starts if start - first_day >= length and today - start <= reach]
    windows = [_window(days, start, length, aim.model) for start in known]
    return float(length), [window for window in windows if window is not None]


def _window(days: Days, start: int, length: int, model: str) -> Window | None:
    """Return the window after the day ``start``; None where there was too little to fit by then."""
    base = base_at(days, start, start + length)
    try:
        fit = fit_purchases(model, base.customers, TimeUnit.DAY)
    except NothingToFitError:
        return None
    if fit.reason_for_formula is not None:
        return None
    fitted = PURCHASE_MODELS[model](**fit.parameters)
    return Window(
        base,
        fitted,
        Outcome(
            expected_purchases=fitted.expected_purchases(base.customers, length),
            no_purchase_probability=fitted.no_purchase_probability(base.customers, length),
            purchases=base.purchases,
            inactive=(base.purchases == 0).astype(np.float64),
            customers=np.ones_like(base.purchases),
        ),
    )


def _check(windows: Sequence[Window], length: float, level: float) -> ModelCheck | None:
    """Return how the last window was foretold, with the correction that the earlier ones gave."""
    if not windows:
        return None
    *earlier, last = windows
    calibration = calibrate([window.outcome for window in earlier], length)
    outcome = last.outcome
    raw, actual = outcome.expected_purchases, outcome.purchases
    expected = calibration.expected_purchases(raw, length)
    churn = calibration.no_purchase_probability(outcome.no_purchase_probability, length)
    low, high = purchase_interval(
        last.model, last.base.customers, length, level, _ratio(expected, raw)
    )
    active = actual > 0
    return ModelCheck(
        window_days=length,
        customers=len(actual),
        predicted_total=float(expected.sum()),
        actual_total=float(actual.sum()),
        bias_percent=bias_percent(expected, actual),
        interval_level=level,
        interval_coverage=interval_coverage(low, high, actual),
        brier=brier_score(churn, outcome.inactive),
        auc=auc(expected, active),
        recency_auc=auc(recency(last.base.customers), active),
        deciles=[
            DecileMeasure(group.customers, group.predicted_mean, group.actual_mean)
            for group in by_decile(expected, actual)
        ],
    )


def _ratio(corrected: Floats, raw: Floats) -> Floats:
    some = raw > 0
    return np.where(some, corrected, 1.0) / np.where(some, raw, 1.0)
