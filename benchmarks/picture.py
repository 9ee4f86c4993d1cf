"""A report as a picture: throughput of all, and latency at each pace."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.figures import Latency, Throughput
from benchmarks.report import Report
from benchmarks.tables import all_latencies

PICTURES = (".png", ".svg")
# Okabe & Ito's colours, told apart by the colour-blind too.
OURS, OTHERS, WHISKERS = "#0072B2", "#BDBDBD", "#4D4D4D"
WIDTH_INCHES, BAR_INCHES, REST_INCHES = 13.0, 0.42, 1.6
DOTS_PER_INCH = 150


def draw(report: Report, file: Path) -> None:
    """Draw bars of the medians, with whiskers from the lowest to the highest, into a file."""
    # Without the read limit, beside which all others would be short.
    throughputs = [*report.results.ours, *report.results.peers]
    latencies = all_latencies(report.results)
    height = REST_INCHES + BAR_INCHES * max(len(throughputs), len(latencies))
    # A Figure of its own, without pyplot: no display is looked for and nothing global is left.
    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DOTS_PER_INCH, layout="constrained")
    left, right = figure.subplots(1, 2)
    _throughput(left, throughputs)
    _latency(right, latencies)
    plan, machine = report.plan, report.machine
    keys = f"Zipf {plan.skew:g}" if plan.skew else "uniform"
    figure.suptitle(
        f"{plan.events:,} purchases, {plan.customers:,} {keys} customers, median of {plan.runs}; "
        f"{machine.cpu}, {machine.cores} cores"
    )
    figure.savefig(file)


def _throughput(panel: Axes, figures: Sequence[Throughput]) -> None:
    names = [f"{figure.title}\n{figure.guarantee}" for figure in figures]
    spreads = [figure.events_per_second for figure in figures]
    middles = [spread.median for spread in spreads]
    below = [spread.median - spread.lowest for spread in spreads]
    above = [spread.highest - spread.median for spread in spreads]
    _bars(panel, names, middles, (below, above))
    panel.set(title="Throughput", xlabel="events/s, more is better")


def _latency(panel: Axes, latencies: Sequence[Latency]) -> None:
    names = [f"{at.title}\n{at.rate:,} events/s" for at in latencies]
    p99 = [at.quantiles_ms["p99"] for at in latencies]
    middles = [spread.median for spread in p99]
    below = [spread.median - spread.lowest for spread in p99]
    above = [spread.highest - spread.median for spread in p99]
    _bars(panel, names, middles, (below, above))
    panel.set(title="Latency to the committed score", xlabel="p99 in ms, less is better")


def _bars(
    panel: Axes, names: Sequence[str], middles: Sequence[float], whiskers: Sequence[list[float]]
) -> None:
    colours = [OURS if name.startswith("streamer") else OTHERS for name in names]
    places = range(len(names))
    bars = panel.barh(places, middles, xerr=whiskers, color=colours, ecolor=WHISKERS)
    panel.bar_label(bars, [f"{middle:,.0f}" for middle in middles], padding=4)
    panel.set_yticks(places, names, fontsize=8)
    panel.margins(x=0.15)
    panel.invert_yaxis()
    panel.spines[["top", "right"]].set_visible(False)
