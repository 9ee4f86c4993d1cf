"""Shows a report as tables, for people."""

from rich.console import Console
from rich.table import Table

from benchmarks.figures import Latency, Results, Throughput, fastest, ratio
from benchmarks.report import Report
from benchmarks.steady import WARM_UP_SHARE

NOT_MEASURED = "-"


def show(report: Report, console: Console) -> None:
    """Print a report as tables."""
    results = report.results
    if measured(results):
        console.print(_throughputs(report))
    if results.latency or results.latency_of_peers:
        console.print(_latencies(report))
    if results.scale or results.scale_of_peers:
        console.print(_scale(report))
    console.print(_floors(report))
    if report.disturbed:
        console.print(
            "The machine was busy with something else: take these figures for rough ones, and "
            "measure again when it is quiet.",
            style="yellow",
        )
    console.print(
        "streamer, Kafka Streams and Quix Streams score by MBG/NBD and Gamma-Gamma with CDNOW's "
        "parameters, plain Faust by formula.",
        style="dim",
    )
    machine, versions = report.machine, report.versions
    console.print(
        f"{machine.cpu}, {machine.cores} cores, load average {machine.load_average:.1f} at the "
        f"start, {machine.system}",
        style="dim",
    )
    console.print(", ".join(f"{name} {of}" for name, of in versions.items()), style="dim")


def _throughputs(report: Report) -> Table:
    plan, results = report.plan, report.results
    keys = f"Zipf {plan.skew:g}" if plan.skew else "uniform"
    table = Table(
        title=f"Throughput: {plan.events:,} events, {plan.customers:,} {keys} customers, "
        f"{plan.partitions} partitions, steady from {WARM_UP_SHARE:.0%} to 100 %",
    )
    table.add_column("")
    table.add_column("guarantee")
    for name in (
        f"median of {plan.runs}, events/s",
        "lowest to highest",
        "streamer's over it",
        "of limit",
        "CPU µs/event",
    ):
        table.add_column(name, justify="right")
    for figure in measured(results):
        table.add_row(*_throughput_row(figure, fastest(results.ours), results.read_limit))
    return table


def measured(results: Results) -> list[Throughput]:
    """Return all throughputs there are: the limit, ours, and the peers'."""
    limit = [results.read_limit] if results.read_limit else []
    announcing = [results.streamer_announcing] if results.streamer_announcing else []
    return [*limit, *results.ours, *announcing, *results.peers]


def _throughput_row(
    figure: Throughput, ours: Throughput | None, limit: Throughput | None
) -> tuple[str, ...]:
    spread, cpu = figure.events_per_second, figure.cpu_us_per_event
    return (
        figure.title,
        figure.guarantee or NOT_MEASURED,
        f"{spread.median:,.0f}",
        f"{spread.lowest:,.0f} to {spread.highest:,.0f}",
        _number(ratio(ours, figure), ".3g"),
        _number(ratio(figure, limit), ".3f"),
        _number(None if cpu is None else cpu.median, ",.3g"),
    )


def _latencies(report: Report) -> Table:
    plan = report.plan
    table = Table(
        title=f"Latency from the producer to the committed score, ms: median of {plan.runs} times "
        f"{plan.run_seconds} s (lowest to highest)",
    )
    table.add_column("")
    for name in ("events/s asked", "kept", "p50", "p99", "p99.9", "no score of their own"):
        table.add_column(name, justify="right")
    for latency in all_latencies(report.results):
        spreads = latency.quantiles_ms.values()
        table.add_row(
            latency.title,
            f"{latency.rate:,}",
            f"{latency.achieved_rate:,.0f}",
            *(f"{s.median:.0f} ({s.lowest:.0f} to {s.highest:.0f})" for s in spreads),
            f"{latency.unseen:,}",
        )
    return table


def all_latencies(results: Results) -> list[Latency]:
    """Return them all: without a worker, ours, and the peers'."""
    return [*results.latency_without_worker, *results.latency, *results.latency_of_peers]


def _scale(report: Report) -> Table:
    table = Table(title=f"Throughput of {report.plan.events:,} events when all customers have rows")
    table.add_column("")
    for name in ("customers", "events/s", "of that with the fewest", "CPU µs/event"):
        table.add_column(name, justify="right")
    results = report.results
    for scale in (results.scale, results.scale_of_peers):
        for scaled in scale:
            figure, cpu = scaled.throughput, scaled.throughput.cpu_us_per_event
            table.add_row(
                figure.title,
                f"{scaled.customers:,}",
                f"{figure.events_per_second.median:,.0f}",
                _number(ratio(figure, scale[0].throughput), ".2f"),
                _number(None if cpu is None else cpu.median, ",.3g"),
            )
    return table


def _floors(report: Report) -> Table:
    table = Table(title="Floors")
    table.add_column("")
    for name in ("promised", "measured", "", "aim", ""):
        table.add_column(name, justify="right")
    words = {None: "not measured", True: "[green]met[/]", False: "[red]not met[/]"}
    reached = {None: "", True: "[green]reached[/]", False: "not reached"}
    for floor in report.floors:
        figure = _number(floor.figure, ".3g")
        aim = floor.aim or "", reached[floor.aim_met]
        table.add_row(floor.name, floor.promised, figure, words[floor.met], *aim)
    return table


def _number(figure: float | None, form: str) -> str:
    return NOT_MEASURED if figure is None else format(figure, form)
