"""``streamer experiments``: what each arm did, and how sure that is."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.measuring import NoMeasureError, of_file, published
from streamer.cli.showing import print_json, shown_text
from streamer.records.measures import EXPERIMENT, ArmComparison, ExperimentMeasure, MetricUplift
from streamer.settings import load_settings

STYLES = {"higher": "green", "lower": "red"}
NAMES = {"average_order_value": "order value", "retention_rate": "retention", "ltv": "LTV"}


def experiments(
    experiment: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Only this one; all without it.")
    ] = None,
    *,
    file: Annotated[
        Path | None, typer.Option(help="A replay's programme-measures.jsonl; else Kafka is read.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the measures as JSON.")] = False,
) -> None:
    """Show the uplift of each arm on order value, retention and lifetime value.

    Example: streamer experiments free-shipping
    """
    found = (
        of_file(file, EXPERIMENT) if file else asyncio.run(published(load_settings(), EXPERIMENT))
    )
    measures = [
        measure
        for measure in found.values()
        if isinstance(measure, ExperimentMeasure) and experiment in (None, measure.experiment)
    ]
    if json:
        print_json(measures)
        return
    if not measures:
        raise NoMeasureError(
            f"there is no measure of {'any experiment' if experiment is None else repr(experiment)}"
            ": events of the last twelve months tell of none."
        )
    console = Console()
    for measure in measures:
        show(measure, console)


def show(measure: ExperimentMeasure, console: Console) -> None:
    """Print one experiment."""
    arms = ", ".join(f"{shown_text(arm)} {number:,}" for arm, number in measure.arms.items())
    console.print(
        f"[bold]{shown_text(measure.experiment)}[/], up to {measure.as_of:%Y-%m-%d}: {arms} "
        f"customers, control is {shown_text(measure.control)}; in {measure.currency}",
        highlight=False,
        soft_wrap=True,
    )
    for line in _warnings(measure):
        console.print(f"  [red]{line}[/]", highlight=False, soft_wrap=True)
    for comparison in measure.comparisons:
        console.print(_table(measure, comparison))


def _table(measure: ExperimentMeasure, comparison: ArmComparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    columns = ("control", shown_text(comparison.arm), "difference", "at any look")
    for column in columns:
        table.add_column(column, justify="right", overflow="fold")
    table.add_column(f"at {measure.confidence_level:.4g}")
    for uplift in comparison.uplifts:
        name, words = NAMES[uplift.metric], uplift.verdict.replace("_", " ")
        verdict = f"[{STYLES.get(uplift.verdict, 'dim')}]{words}[/]"
        table.add_row(name, *_figures(uplift), verdict)
    return table


def _figures(uplift: MetricUplift) -> tuple[str, ...]:
    if uplift.verdict == "too_little_data":
        return ("", "", "", f"{uplift.customers_control}, {uplift.customers_treatment} customers")
    is_rate = uplift.metric == "retention_rate"
    scale, unit = (100, " %") if is_rate else (1, "")
    figures = (
        uplift.control,
        uplift.treatment,
        uplift.difference,
        uplift.always_valid_low,
        uplift.always_valid_high,
    )
    control, treatment, difference, low, high = (scale * (figure or 0) for figure in figures)
    return (
        f"{control:,.2f}{unit}",
        f"{treatment:,.2f}{unit}",
        f"{difference:+,.2f}",
        f"{low:+,.2f} to {high:+,.2f}",
    )


def _warnings(measure: ExperimentMeasure) -> list[str]:
    lines = []
    if not measure.trustworthy and measure.sample_ratio is not None:
        expected = ", ".join(
            f"{shown_text(arm)} {number:,.0f}"
            for arm, number in measure.sample_ratio.expected.items()
        )
        lines.append(f"the arms are not of the sizes they should be ({expected}): believe nothing")
    if measure.unplanned_arms:
        names = ", ".join(
            f"{shown_text(arm)} {number:,}" for arm, number in measure.unplanned_arms.items()
        )
        lines.append(f"not planned, so not compared: {names}")
    return lines
