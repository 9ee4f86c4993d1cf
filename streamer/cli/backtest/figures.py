"""The figures of a backtest, as text, JSON and picture show them."""

from collections.abc import Sequence
from datetime import date

import msgspec
import numpy as np
from msgspec import Struct

from streamer.cli.backtest.forecast import Forecast, Point
from streamer.scoring.calibration import Calibration
from streamer.scoring.evaluation import accuracy, baselines, ranking, tables
from streamer.scoring.evaluation.tables import Group
from streamer.scoring.models.histories import Floats, Histories


class Metrics(Struct, frozen=True):
    """How good the forecasts of a holdout were; None is a figure that the data do not define."""

    forecast_total: float
    bias_percent: float | None
    """Of the total; negative for too low a forecast."""
    mae: float
    rmse: float
    poisson_deviance: float
    spearman: float | None
    normalised_gini: float | None
    top_decile_capture: float | None
    auc: float | None
    """Of activity, ranked by expected purchases."""
    brier: float
    """Of P(no purchase)."""
    log_loss: float
    interval_coverage: float | None
    interval_coverage_active: float | None
    """Of the customers who bought in the holdout."""
    by_frequency: list[Group]
    by_decile: list[Group]


class Baseline(Struct, frozen=True):
    """How well a rule of thumb ranks customers."""

    customers: int
    """Whom it ranks: a hiatus needs a gap, so only who has come back."""
    auc: float | None
    spearman: float | None
    normalised_gini: float | None
    top_decile_capture: float | None


class CalibrationFigures(Struct, frozen=True):
    """The map that was learned before the calibration end."""

    window_days: int
    windows: int
    """How many it was learned from, the one that had to be convinced among them."""
    purchases_version: str
    activity_version: str
    """``identity`` for a map that did not help on the later window, and so is not applied."""
    map: Calibration


class WalkFigures(Struct, frozen=True):
    """The walk through the holdout, all windows taken together."""

    window_days: int
    windows: int
    actual_total: int
    forecast_total: float
    bias_percent: float | None
    interval_coverage: float | None
    calibrated_total: float
    calibrated_bias_percent: float | None
    calibrated_interval_coverage: float | None
    windows_corrected: int
    """In how many of them the map had helped before, and so was applied."""


class Report(Struct, frozen=True):
    """A backtest; the metrics of the plain forecast stand at the top level."""

    model: str
    time_unit: str
    calibration_end: date
    holdout_end: date
    horizon: float
    """Length of the holdout in ``time_unit``."""
    customers: int
    repeat_customers: int
    active_customers: int
    """Who bought in the holdout."""
    parameters: dict[str, float]
    log_likelihood: float
    reason: str | None
    """Why a worker would score by formula; null where it would use this fit."""
    refused: dict[str, int]
    """Events of the file that would be dead letters, by reason."""
    interval_level: float
    actual_total: int
    metrics: Metrics
    calibrated: Metrics
    calibration: CalibrationFigures
    walk_forward: WalkFigures | None
    """Null where the holdout is shorter than a window."""
    baselines: dict[str, Baseline]
    cumulative: list[Point]

    @property
    def is_mapped(self) -> bool:
        """Whether the map is applied; if not, ``calibrated`` says what ``metrics`` says."""
        return self.calibration.map != Calibration()


def as_json(report: Report) -> dict[str, object]:
    """Return the report with the plain forecast's metrics at the top level."""
    built: dict[str, object] = msgspec.to_builtins(report)
    metrics = built.pop("metrics")
    return {**built, **msgspec.convert(metrics, dict[str, object])}


def metrics_of(of: Forecast, low: Floats, high: Floats) -> Metrics:
    """Return the metrics of a forecast whose intervals are ``low`` to ``high``, shape (n,)."""
    expected, actual = of.expected, of.actual
    active = actual > 0
    inactive = (~active).astype(np.float64)
    return Metrics(
        forecast_total=float(expected.sum()),
        bias_percent=accuracy.bias_percent(expected, actual),
        mae=accuracy.mean_absolute_error(expected, actual),
        rmse=accuracy.root_mean_squared_error(expected, actual),
        poisson_deviance=accuracy.poisson_deviance(expected, actual),
        spearman=ranking.spearman(expected, actual),
        normalised_gini=ranking.normalised_gini(expected, actual),
        top_decile_capture=ranking.top_decile_capture(expected, actual),
        auc=ranking.auc(expected, active),
        brier=accuracy.brier_score(of.no_purchase, inactive),
        log_loss=accuracy.log_loss(of.no_purchase, inactive),
        interval_coverage=accuracy.interval_coverage(low, high, actual),
        interval_coverage_active=accuracy.interval_coverage(
            low[active], high[active], actual[active]
        ),
        by_frequency=tables.by_frequency(of.customers.x, expected, actual),
        by_decile=tables.by_decile(expected, actual),
    )


def baselines_of(of: Forecast) -> dict[str, Baseline]:
    """Return the baselines by name; recency twice, the second time beside the hiatus."""
    customers, back = of.customers, of.customers.x > 0
    returned = Histories(customers.x[back], customers.t_x[back], customers.T[back])
    parameters = of.fit.parameters
    shrunk = baselines.shrunk_hiatus(returned, parameters["r"], parameters["alpha"])
    actual = of.actual[back]
    return {
        "recency": _baseline(baselines.recency(customers), of.actual),
        "recency_repeat_customers": _baseline(baselines.recency(returned), actual),
        "hiatus": _baseline(baselines.hiatus(returned), actual),
        "shrunk_hiatus": _baseline(shrunk, actual),
    }


def _baseline(score: Floats, actual: Floats) -> Baseline:
    known = len(score) > 0
    return Baseline(
        customers=len(score),
        auc=ranking.auc(score, actual > 0),
        spearman=ranking.spearman(score, actual) if known else None,
        normalised_gini=ranking.normalised_gini(score, actual) if known else None,
        top_decile_capture=ranking.top_decile_capture(score, actual),
    )


class Total(Struct, frozen=True):
    """A window's forecasts with and without the map, and what came; arrays of shape (n,)."""

    expected: Floats
    calibrated: Floats
    actual: Floats
    covered: float
    calibrated_covered: float
    """Shares of the customers within their intervals."""


def calibration_figures(days: int, windows: int, found: Calibration) -> CalibrationFigures:
    """Return the figures of the map ``found`` in so many ``windows`` of so many ``days``."""
    return CalibrationFigures(days, windows, found.purchases.version, found.activity.version, found)


def walk_figures(days: int, steps: Sequence[Total], corrected: int) -> WalkFigures | None:
    """Sum up a walk of windows of so many ``days``; a customer counts once in each window."""
    if not steps:
        return None
    expected, calibrated, actual = (
        np.concatenate([getattr(step, name) for step in steps])
        for name in ("expected", "calibrated", "actual")
    )
    sizes = [len(step.actual) for step in steps]
    return WalkFigures(
        window_days=days,
        windows=len(steps),
        actual_total=int(actual.sum()),
        forecast_total=float(expected.sum()),
        bias_percent=accuracy.bias_percent(expected, actual),
        interval_coverage=float(np.average([step.covered for step in steps], weights=sizes)),
        calibrated_total=float(calibrated.sum()),
        calibrated_bias_percent=accuracy.bias_percent(calibrated, actual),
        calibrated_interval_coverage=float(
            np.average([step.calibrated_covered for step in steps], weights=sizes)
        ),
        windows_corrected=corrected,
    )
