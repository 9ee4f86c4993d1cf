"""Tells what was measured: tables for people, JSON for programs."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from benchmarks.figures import Floor, Results, Throughput, floors, ratio
from benchmarks.machine import Machine
from benchmarks.plan import Plan

NOT_MEASURED = "-"
BUSY_SHARE = 0.5
"""Of the cores; a higher load average at the start tells of other work."""
SPREAD_MAX = 1.25
"""Highest to lowest read limit: on a quiet machine they are nearer."""


class Report(Struct, frozen=True):
    """A run, all of it."""

    started_at: datetime
    seconds: float
    plan: Plan
    machine: Machine
    versions: Mapping[str, str]
    results: Results
    ratios: Mapping[str, float | None]
    floors: list[Floor]
    disturbed: bool
    """Whether something else was at work on the machine, as far as figures tell."""


def report_of(
    *,
    plan: Plan,
    results: Results,
    machine: Machine,
    versions: Mapping[str, str],
    started_at: datetime,
    seconds: float,
) -> Report:
    """Put the figures beside each other."""
    plain = results.plain_faust[0] if results.plain_faust else None
    ratios = {
        "streamer / plain Faust": ratio(results.streamer, plain),
        "streamer / read limit": ratio(results.streamer, results.read_limit),
        "streamer, 2 processes / read limit": ratio(
            results.streamer_on_two_cores, results.read_limit
        ),
    }
    return Report(
        started_at,
        seconds,
        plan,
        machine,
        versions,
        results,
        ratios,
        floors(results),
        disturbed(machine, results.read_limit),
    )


def disturbed(machine: Machine, read_limit: Throughput | None) -> bool:
    """Tell whether something else was at work, by the load before and the spread of the limit."""
    if machine.load_average > machine.cores * BUSY_SHARE:
        return True
    if read_limit is None:
        return False
    spread = read_limit.events_per_second
    return spread.highest > spread.lowest * SPREAD_MAX


def write_json(report: Report, file: Path) -> None:
    """Write a report as JSON."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def show(report: Report, console: Console) -> None:
    """Print a report as tables."""
    if report.results.read_limit or report.results.streamer or report.results.plain_faust:
        console.print(_throughputs(report))
    if report.results.latency:
        console.print(_latencies(report))
    console.print(_floors(report))
    if report.disturbed:
        console.print(
            "The machine was busy with something else: take these figures for rough ones, and "
            "measure again when it is quiet.",
            style="yellow",
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
        f"{plan.partitions} partitions, steady from 10 % to 100 %",
    )
    table.add_column("")
    table.add_column("guarantee")
    for name in (
        f"median of {plan.runs}, events/s",
        "lowest to highest",
        "times plain",
        "of limit",
        "CPU µs/event",
    ):
        table.add_column(name, justify="right")
    plain = results.plain_faust[0] if results.plain_faust else None
    for figure in (
        results.read_limit,
        results.streamer,
        results.streamer_on_two_cores,
        *results.plain_faust,
    ):
        if figure is not None:
            table.add_row(*_throughput_row(figure, plain, results.read_limit))
    return table


def _throughput_row(
    figure: Throughput, plain: Throughput | None, limit: Throughput | None
) -> tuple[str, ...]:
    spread, cpu = figure.events_per_second, figure.cpu_us_per_event
    return (
        figure.title,
        figure.guarantee or NOT_MEASURED,
        f"{spread.median:,.0f}",
        f"{spread.lowest:,.0f} to {spread.highest:,.0f}",
        _number(ratio(figure, plain), ".3g"),
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
    for latency in (*report.results.latency_without_worker, *report.results.latency):
        spreads = latency.quantiles_ms.values()
        table.add_row(
            latency.title,
            f"{latency.rate:,}",
            f"{latency.achieved_rate:,.0f}",
            *(f"{s.median:.0f} ({s.lowest:.0f} to {s.highest:.0f})" for s in spreads),
            f"{latency.unseen:,}",
        )
    return table


def _floors(report: Report) -> Table:
    table = Table(title="Floors")
    table.add_column("")
    for name in ("promised", "measured", ""):
        table.add_column(name, justify="right")
    words = {None: "not measured", True: "[green]met[/]", False: "[red]not met[/]"}
    for floor in report.floors:
        table.add_row(floor.name, floor.promised, _number(floor.figure, ".3g"), words[floor.met])
    return table


def _number(figure: float | None, form: str) -> str:
    return NOT_MEASURED if figure is None else format(figure, form)
