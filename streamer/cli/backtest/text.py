"""A backtest for people, in 80 columns."""

from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table

from streamer.cli.backtest.figures import Baseline, Metrics, Report, WalkFigures
from streamer.cli.showing import counted

if TYPE_CHECKING:
    from streamer.scoring.evaluation.tables import Group

LINES = {
    "forecast_total": ("forecast total", ",.0f"),
    "bias_percent": ("bias of the total, %", "+.1f"),
    "mae": ("MAE", ".3f"),
    "rmse": ("RMSE", ".3f"),
    "poisson_deviance": ("Poisson deviance", ".3f"),
    "spearman": ("Spearman", ".3f"),
    "normalised_gini": ("normalised Gini", ".3f"),
    "top_decile_capture": ("top-decile capture", ".3f"),
    "auc": ("AUC of activity", ".3f"),
    "brier": ("Brier of activity", ".3f"),
    "log_loss": ("log loss of activity", ".3f"),
    "interval_coverage": ("interval coverage", ".3f"),
    "interval_coverage_active": ("  of active customers", ".3f"),
}
"""Metric → its name and form."""

BASELINES = {
    "recency": "recency",
    "recency_repeat_customers": "recency, repeat customers",
    "hiatus": "hiatus, repeat customers",
    "shrunk_hiatus": "shrunk hiatus, repeat customers",
}
UNKNOWN = "—"


def show(report: Report) -> None:
    """Print the report."""
    console = Console()
    console.print(_heading(report), highlight=False)
    for table in (
        _metrics(report),
        _baselines(report),
        _groups("by repeat occasions before", "by_frequency", report),
        _groups("by decile of the forecast", "by_decile", report),
    ):
        console.print(table)
    console.print(_map(report), highlight=False)
    if report.walk_forward is not None:
        console.print(_walk(report.walk_forward, report.interval_level), highlight=False)


def _heading(report: Report) -> str:
    parameters = ", ".join(f"{name} {value:.4g}" for name, value in report.parameters.items())
    heading = (
        f"{report.model}, fitted up to {report.calibration_end}: {parameters} "
        f"(in {report.time_unit}s), log-likelihood {report.log_likelihood:,.1f}.\n"
        f"{report.customers:,} customers, {report.repeat_customers:,} of them repeat; forecast of "
        f"{report.horizon:.4g} {report.time_unit}s up to {report.holdout_end}: "
        f"{report.active_customers:,} bought {report.actual_total:,} times."
    )
    doubts = [
        f"refused, {reason}: {counted(count, 'event')}" for reason, count in report.refused.items()
    ]
    if report.reason is not None:
        doubts.append(f"A worker would score by formula: {report.reason}.")
    return "\n".join([heading, *doubts])


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left")
    return table


def _forecasts(report: Report) -> dict[str, Metrics]:
    """Return the columns: the second only where it differs."""
    mapped = {"with the map": report.calibrated} if report.is_mapped else {}
    return {"forecast": report.metrics, **mapped}


def _metrics(report: Report) -> Table:
    forecasts = _forecasts(report)
    table = _table("forecast and outcome", "", *forecasts, "actual")
    for name, (words, form) in LINES.items():
        values = [getattr(metrics, name) for metrics in forecasts.values()]
        actual = f"{report.actual_total:,}" if name == "forecast_total" else ""
        table.add_row(words, *(_shown(value, form) for value in values), actual)
    return table


def _baselines(report: Report) -> Table:
    table = _table(
        "ranking beside rules of thumb", "", "customers", "AUC", "Spearman", "Gini", "top decile"
    )
    model = Baseline(
        report.customers,
        report.metrics.auc,
        report.metrics.spearman,
        report.metrics.normalised_gini,
        report.metrics.top_decile_capture,
    )
    rows = {report.model: model, **{BASELINES[name]: of for name, of in report.baselines.items()}}
    for words, row in rows.items():
        figures = (row.auc, row.spearman, row.normalised_gini, row.top_decile_capture)
        table.add_row(words, f"{row.customers:,}", *(_shown(value, ".3f") for value in figures))
    return table


def _groups(title: str, name: str, report: Report) -> Table:
    forecasts = _forecasts(report)
    table = _table(f"mean purchases {title}", "", "customers", *forecasts, "actual")
    columns: list[list[Group]] = [getattr(metrics, name) for metrics in forecasts.values()]
    for groups in zip(*columns, strict=True):
        table.add_row(
            groups[0].group,
            f"{groups[0].customers:,}",
            *(f"{group.predicted_mean:.3f}" for group in groups),
            f"{groups[0].actual_mean:.3f}",
        )
    return table


def _map(report: Report) -> str:
    of = report.calibration
    learned = f"{of.windows} earlier windows of {of.window_days} days"
    if of.windows < 2:  # noqa: PLR2004 - one to learn from, one to be convinced by
        return f"No calibration map: {learned} are too few; it takes two."
    maps = {
        "expected purchases": of.map.purchases,
        "P(no purchase)": of.map.activity,
    }
    applied = [words for words, correction in maps.items() if correction.predicted]
    if not applied:
        return f"Calibration map: from {learned}; not applied: it did not help on the last."
    return f"Calibration map: from {learned}; applied to {' and '.join(applied)}."


def _walk(walk: WalkFigures, level: float) -> str:
    return (
        f"Walking forward through the holdout in {walk.windows} windows of {walk.window_days} "
        f"days, fitted anew at each: {walk.actual_total:,} purchases, forecast "
        f"{walk.forecast_total:,.0f} ({_shown(walk.bias_percent, '+.1f')} %), with the map "
        f"{walk.calibrated_total:,.0f} ({_shown(walk.calibrated_bias_percent, '+.1f')} %; applied "
        f"in {walk.windows_corrected}); the {level:.0%} intervals covered "
        f"{_shown(walk.interval_coverage, '.1%')}, with the map "
        f"{_shown(walk.calibrated_interval_coverage, '.1%')}."
    )


def _shown(value: float | None, form: str) -> str:
    return UNKNOWN if value is None else format(value, form)
