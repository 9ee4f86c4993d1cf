"""One forecast and what came of it: fit up to a day, foretell what follows, compare."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from enum import StrEnum

import numpy as np
from msgspec import Struct

from streamer.files.histories import PurchaseHistories, histories_of
from streamer.files.occasions import PurchaseOccasions
from streamer.scoring.calibration import Calibration, Outcome
from streamer.scoring.fitting import Fit, fit_purchases
from streamer.scoring.fitting.distinct import distinct
from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive.purchases import purchase_interval
from streamer.scoring.time_unit import TimeUnit


class ModelName(StrEnum):
    """The models of purchasing."""

    MBG_NBD = "mbg_nbd"
    BG_NBD = "bg_nbd"
    PARETO_NBD = "pareto_nbd"


MODELS: Mapping[str, Callable[..., PurchaseModel]] = {
    ModelName.MBG_NBD: MbgNbd,
    ModelName.BG_NBD: BgNbd,
    ModelName.PARETO_NBD: ParetoNbd,
}

STEPS_MAX = 60
"""Points of a line over time."""


class Forecast(Struct, frozen=True):
    """A fitted model's forecast for n customers, and what they did."""

    histories: PurchaseHistories
    customers: Histories
    fit: Fit
    model: PurchaseModel
    expected: Floats
    """Expected purchases in the holdout, shape (n,)."""
    no_purchase: Floats
    """P(no purchase in the holdout), shape (n,)."""
    correction: Floats
    """What the map has multiplied the expected purchases by, shape (n,): 1 without it."""

    @property
    def actual(self) -> Floats:
        """Purchases in the holdout, shape (n,)."""
        return self.histories.holdout_purchases

    @property
    def horizon(self) -> float:
        """Length of the holdout in the time unit."""
        return self.histories.horizon

    @property
    def outcome(self) -> Outcome:
        """What a calibration learns from."""
        return Outcome(
            expected_purchases=self.expected,
            no_purchase_probability=self.no_purchase,
            purchases=self.actual,
            inactive=(self.actual == 0).astype(np.float64),
            customers=np.ones_like(self.actual),
        )

    def corrected(self, calibration: Calibration) -> "Forecast":
        """Return the same forecast with the map on."""
        expected = calibration.expected_purchases(self.expected, self.horizon)
        some = self.expected > 0
        correction = np.where(some, expected, 1) / np.where(some, self.expected, 1)
        return Forecast(
            self.histories,
            self.customers,
            self.fit,
            self.model,
            expected,
            calibration.no_purchase_probability(self.no_purchase, self.horizon),
            correction,
        )

    def interval(self, level: float) -> tuple[Floats, Floats]:
        """Return the predictive interval of the purchases: low and high, shape (n,)."""
        return purchase_interval(self.model, self.customers, self.horizon, level, self.correction)


def forecast(
    occasions: PurchaseOccasions, model: str, end: date, until: date, unit: TimeUnit
) -> Forecast:
    """Fit ``model`` to what is known on the day ``end`` and foretell the days up to ``until``."""
    histories = histories_of(occasions, end, until, unit)
    customers = Histories(histories.x, histories.t_x, histories.T)
    fit = fit_purchases(model, customers, unit)
    fitted = MODELS[model](**fit.parameters)
    return Forecast(
        histories,
        customers,
        fit,
        fitted,
        fitted.expected_purchases(customers, histories.horizon),
        fitted.no_purchase_probability(customers, histories.horizon),
        np.ones_like(histories.x),
    )


class Point(Struct, frozen=True):
    """Purchases since the calibration end, up to and including a day."""

    date: date
    forecast_total: float
    calibrated_total: float
    actual_total: int


def cumulative(of: Forecast, calibration: Calibration) -> list[Point]:
    """Return the forecast and the actual total over the holdout, by weeks or longer steps."""
    histories = of.histories
    start = (histories.calibration_end - histories.first_day).days
    actual = np.cumsum(histories.repeats_by_day[start + 1 :])
    days = len(actual)
    step = 7 * -(-days // (7 * STEPS_MAX))
    kinds = distinct(of.customers)
    points = []
    for day in [*range(step, days, step), days]:
        horizon = day / histories.time_unit.days
        expected = of.model.expected_purchases(kinds.histories, horizon)
        points.append(
            Point(
                histories.calibration_end + timedelta(day),
                float(kinds.count @ expected),
                float(kinds.count @ calibration.expected_purchases(expected, horizon)),
                int(actual[day - 1]),
            )
        )
    return points
