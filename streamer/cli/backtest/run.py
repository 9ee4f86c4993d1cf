"""From purchase occasions to the report of a backtest."""

from collections.abc import Callable
from datetime import date

from streamer.cli.backtest.figures import (
    Metrics,
    Report,
    Total,
    WalkFigures,
    baselines_of,
    calibration_figures,
    metrics_of,
    walk_figures,
)
from streamer.cli.backtest.forecast import Forecast, cumulative, forecast
from streamer.cli.backtest.walk import Walk, walk_of
from streamer.errors import StreamerError
from streamer.files.occasions import PurchaseOccasions
from streamer.scoring.calibration import Correction
from streamer.scoring.evaluation.accuracy import interval_coverage
from streamer.scoring.time_unit import TimeUnit


class BacktestError(StreamerError):
    """There is nothing to compare a forecast with."""


def backtest(
    occasions: PurchaseOccasions,
    model: str,
    unit: TimeUnit,
    end: date,
    until: date,
    level: float,
    tell: Callable[[str], None],
) -> Report:
    """Forecast the days after ``end`` up to ``until`` and compare.

    Args:
        occasions: of all days.
        model: mbg_nbd, bg_nbd or pareto_nbd.
        unit: of the parameters.
        end: the last day that the forecast knows of.
        until: the last day of the holdout.
        level: nominal coverage of the intervals.
        tell: is told what is being done.

    Raises:
        BacktestError: the holdout is empty.
        StreamerError: there is nothing to fit.
    """
    _check(end, until)
    tell(f"fitting {model}")
    plain = forecast(occasions, model, end, until, unit)
    histories = plain.histories
    known, ahead = end - histories.first_day, until - end
    walk = walk_of(occasions, model, unit, known.days, ahead.days)
    tell("learning from earlier windows")
    past = walk.before(end, histories.first_day)
    calibration = walk.calibration(past)
    tell("walking through the holdout")
    return Report(
        model=model,
        time_unit=unit.value,
        calibration_end=end,
        holdout_end=until,
        horizon=plain.horizon,
        customers=plain.fit.customers,
        repeat_customers=plain.fit.repeat_customers,
        active_customers=int((plain.actual > 0).sum()),
        parameters=plain.fit.parameters,
        log_likelihood=plain.fit.log_likelihood,
        reason=plain.fit.reason_for_formula,
        refused=dict(occasions.refused),
        interval_level=level,
        actual_total=int(plain.actual.sum()),
        metrics=_metrics(plain, level),
        calibrated=_metrics(plain.corrected(calibration), level),
        calibration=calibration_figures(walk.days, len(past), calibration),
        walk_forward=_walked(walk, past, end, until, level),
        baselines=baselines_of(plain),
        cumulative=cumulative(plain, calibration),
    )


def _check(end: date, until: date) -> None:
    if until <= end:
        raise BacktestError(
            f"the holdout is empty: the calibration ends on {end}, the holdout on {until}; choose "
            "an earlier --calibration-end or a later --holdout-end."
        )


def _metrics(of: Forecast, level: float) -> Metrics:
    low, high = of.interval(level)
    return metrics_of(of, low, high)


def _walked(
    walk: Walk, past: list[Forecast], end: date, until: date, level: float
) -> WalkFigures | None:
    totals, corrected = [], 0
    for step in walk.through(end, until, past):
        plain, mapped = step.window, step.window.corrected(step.calibration)
        corrected += step.calibration.purchases != Correction()
        totals.append(
            Total(
                plain.expected,
                mapped.expected,
                plain.actual,
                _covered(plain, level),
                _covered(mapped, level),
            )
        )
    return walk_figures(walk.days, totals, corrected)


def _covered(of: Forecast, level: float) -> float:
    low, high = of.interval(level)
    return interval_coverage(low, high, of.actual) or 0.0
