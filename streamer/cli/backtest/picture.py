"""A backtest as a picture: calibration, decile lift, cumulative forecast against actual."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import dates
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from streamer.cli.backtest.figures import Metrics, Report
from streamer.errors import StreamerError
from streamer.scoring.models.histories import Floats

# Okabe & Ito's colours, told apart by the colour-blind too; the marks and dashes differ as well.
FORECAST, MAPPED, ACTUAL = "#0072B2", "#D55E00", "#4D4D4D"
BARS = "#BDBDBD"
INCHES = (13.0, 4.6)
DOTS_PER_INCH = 150


class PictureError(StreamerError):
    """The picture cannot be written."""


def draw(report: Report, file: Path) -> None:
    """Draw ``report`` into ``file``, PNG or SVG by its ending.

    Raises:
        PictureError: the file cannot be written.
    """
    # A Figure of its own, without pyplot: no display is looked for and nothing global is left.
    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, layout="constrained")
    calibration, lift, cumulative = figure.subplots(1, 3)
    _calibration(calibration, report)
    _lift(lift, report)
    _cumulative(cumulative, report)
    for panel in (calibration, lift, cumulative):
        panel.spines[["top", "right"]].set_visible(False)
        panel.legend(frameon=False)
    figure.suptitle(
        f"{report.model} fitted up to {report.calibration_end}, forecast up to "
        f"{report.holdout_end}: {report.customers:,} customers"
    )
    try:
        figure.savefig(file)
    except OSError as error:
        raise PictureError(
            f"{file} cannot be written ({error.strerror}): choose another name for --picture."
        ) from error


def _calibration(panel: Axes, report: Report) -> None:
    series = [("forecast", report.metrics, FORECAST, "o")]
    if report.is_mapped:
        series.append(("with the map", report.calibrated, MAPPED, "^"))
    top = 0.0
    for label, metrics, colour, mark in series:
        predicted, actual = _deciles(metrics)
        top = max(top, *predicted, *actual)
        panel.plot(predicted, actual, mark, color=colour, label=label, alpha=0.85)
    panel.axline((0, 0), slope=1, color=ACTUAL, linewidth=1, linestyle=":", label="perfect")
    # Square roots: the low deciles, which hold most customers, would lie on one point otherwise.
    for scale in (panel.set_xscale, panel.set_yscale):
        scale("function", functions=(_root, np.square))
    ticks = _root_ticks(top)
    panel.set(
        xticks=ticks,
        yticks=ticks,
        xlim=(0, 1.05 * top or 1),
        ylim=(0, 1.05 * top or 1),
        title="Calibration by decile",
        xlabel="forecast, purchases a customer",
        ylabel="actual, purchases a customer",
    )


def _lift(panel: Axes, report: Report) -> None:
    predicted, actual = _deciles(report.metrics)
    places = np.arange(1, len(actual) + 1)
    mean = report.actual_total / report.customers or 1.0
    panel.bar(places, np.array(actual) / mean, color=BARS, label="actual")
    panel.plot(places, np.array(predicted) / mean, "o-", color=FORECAST, label="forecast")
    panel.axhline(1, color=ACTUAL, linewidth=1, linestyle=":")
    panel.set(
        xticks=places,
        title="Decile lift",
        xlabel="decile of the forecast, the highest first",
        ylabel="multiples of the mean customer's purchases",
    )


def _cumulative(panel: Axes, report: Report) -> None:
    days = np.array([report.calibration_end, *(point.date for point in report.cumulative)], "M8[D]")
    lines = [
        ("actual", "actual_total", ACTUAL, "-"),
        ("forecast", "forecast_total", FORECAST, "--"),
    ]
    if report.is_mapped:
        lines.append(("with the map", "calibrated_total", MAPPED, "-."))
    for label, name, colour, dashes in lines:
        totals = [0, *(getattr(point, name) for point in report.cumulative)]
        panel.plot(days, totals, dashes, color=colour, label=label, linewidth=2)
    locator = dates.AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_locator(locator)
    formatter = dates.ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
    panel.xaxis.set_major_formatter(formatter)
    panel.set(title="Cumulative purchases in the holdout", ylabel="purchases")
    panel.set_ylim(bottom=0)
    panel.margins(x=0)


def _deciles(metrics: Metrics) -> tuple[Sequence[float], Sequence[float]]:
    return (
        [group.predicted_mean for group in metrics.by_decile],
        [group.actual_mean for group in metrics.by_decile],
    )


def _root(values: Floats) -> Floats:
    # Matplotlib asks for what is left of the axis too.
    roots: Floats = np.sqrt(np.maximum(values, 0))
    return roots


def _root_ticks(top: float) -> list[float]:
    """Return some five round numbers up to ``top``, denser where small."""
    unit = 10.0 ** np.floor(np.log10(top)) if top else 1.0
    return [unit * share for share in (0, 0.1, 0.5, 1, 2, 4, 6, 8) if unit * share <= 1.05 * top]
