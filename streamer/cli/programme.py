"""``streamer programme``: how the whole base does, and each group of it."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.acquiring import acquisition_table
from streamer.cli.measuring import NoMeasureError, of_file, published
from streamer.cli.rated import show_ratings
from streamer.cli.showing import amount, counted, print_json, shown_text
from streamer.records.measures import (
    PROGRAMME,
    RATED,
    CohortFigures,
    GroupFigures,
    MonthFigures,
    ProgrammeMeasure,
    RatingMeasure,
    ShopMeasure,
)
from streamer.settings import load_settings

ALL = "all"
UNKNOWN = "[dim]-[/]"


def programme(
    *,
    group: Annotated[str, typer.Option(help="all, or such as channel:email.")] = ALL,
    ratings: Annotated[
        bool, typer.Option("--ratings", help="Show which products and categories need a review.")
    ] = False,
    file: Annotated[
        Path | None, typer.Option(help="A replay's programme-measures.jsonl; else Kafka is read.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print all measures as JSON.")] = False,
) -> None:
    """Show retention, repeat purchases, order value, CLV, CAC and churn: by group, month, cohort.

    Example: streamer programme --group channel:email
    """
    kind = RATED if ratings else PROGRAMME
    found = of_file(file, kind) if file else asyncio.run(published(load_settings(), kind))
    if ratings:
        _show_ratings(found, json=json)
        return
    measures = {name: one for name, one in found.items() if isinstance(one, ProgrammeMeasure)}
    if json:
        print_json(list(measures.values()))
        return
    if group not in measures:
        raise NoMeasureError(_missing(group, measures))
    show(measures, group, Console())


def _show_ratings(found: Mapping[str, ShopMeasure], *, json: bool) -> None:
    measures = {name: one for name, one in found.items() if isinstance(one, RatingMeasure)}
    if json:
        print_json(list(measures.values()))
        return
    if not measures:
        raise NoMeasureError(
            "no rating of a product or category has been counted yet: a rating event names it as "
            "product_id or category."
        )
    show_ratings(measures, Console())


def _missing(group: str, measures: Mapping[str, ProgrammeMeasure]) -> str:
    if not measures:
        return (
            "no programme measure has been published yet: a worker does so some seconds after the "
            "first purchases."
        )
    return f"there is no group {group!r}: give one of {', '.join(measures)}."


def show(measures: Mapping[str, ProgrammeMeasure], group: str, console: Console) -> None:
    """Print one group in full, and what there is of the others."""
    measure = measures[group]
    console.print(
        f"[bold]{shown_text(group)}[/], up to {measure.as_of:%Y-%m-%d %H:%M} UTC; in "
        f"{measure.currency}, CLV by {shown_text(measure.model_version)} of "
        f"{counted(measure.figures.valued_customers, 'customer')}",
        highlight=False,
    )
    console.print(_groups(measures, group))
    if won := acquisition_table(measures):
        console.print(
            "\n[bold]acquisition[/]: spent in all; a customer cost, may cost, leaves to retain it",
            highlight=False,
        )
        console.print(won)
    console.print("\n[bold]by month[/]", highlight=False)
    console.print(_months(measure.months))
    console.print(
        "\n[bold]by cohort[/], the month of the first purchase: who purchased 1, 2, … months later",
        highlight=False,
    )
    console.print(_cohorts(measure.cohorts))
    last = measure.cohorts[-1].months if measure.cohorts else []
    if any(not month.complete for month in [*measure.months, *last]):
        console.print("[dim]* not over: its retention still rises[/]", highlight=False)


def _table(first: str, *columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _groups(measures: Mapping[str, ProgrammeMeasure], group: str) -> Table:
    table = _table("group", "customers", "repeat", "orders", "order value", "CLV")
    names = [group, *(name for name in measures if name != group)]
    for name in names:
        table.add_row(shown_text(name), *_figures(measures[name].figures))
    return table


def _figures(figures: GroupFigures) -> tuple[str, ...]:
    return (
        f"{figures.customers:,}",
        _percent(figures.repeat_purchase_rate),
        f"{figures.orders:,}",
        _money(figures.average_order_value),
        _money(figures.clv),
    )


def _months(months: list[MonthFigures]) -> Table:
    table = _table(
        "month", "customers", "new", "retention", "churn", "orders", "revenue", "order value"
    )
    for month in months:
        if not (month.customers or month.orders or month.retention_rate is not None):
            continue
        table.add_row(
            month.month + ("" if month.complete else "*"),
            f"{month.customers:,}",
            f"{month.new_customers:,}",
            _percent(month.retention_rate),
            _percent(month.churn_rate),
            f"{month.orders:,}",
            amount(month.revenue),
            _money(month.average_order_value),
        )
    return table


COHORT_MONTHS_SHOWN = 3
"""As many as eighty columns hold; ``--json`` has all."""


def _cohorts(cohorts: list[CohortFigures]) -> Table:
    """Return the cohorts with the share of each that purchased in its last months."""
    shown = [f"+{age}" for age in range(1, COHORT_MONTHS_SHOWN + 1)]
    table = _table("cohort", "customers", "repeat", "order value", "CLV", *shown)
    for cohort in cohorts:
        figures = cohort.figures
        table.add_row(
            cohort.cohort,
            f"{figures.customers:,}",
            _percent(figures.repeat_purchase_rate),
            _money(figures.average_order_value),
            _money(figures.clv),
            *_active(cohort),
        )
    return table


def _active(cohort: CohortFigures) -> list[str]:
    by_month = {month.month: month for month in cohort.months}
    year, month = map(int, cohort.cohort.split("-"))
    cells = []
    for age in range(1, COHORT_MONTHS_SHOWN + 1):
        years, months = divmod(year * 12 + month - 1 + age, 12)
        found = by_month.get(f"{years:04d}-{months + 1:02d}")
        if found is None:
            cells.append("")
            continue
        share = _percent(found.customers / cohort.figures.customers)
        cells.append(share if found.complete else f"{share}*")
    return cells


def _percent(share: float | None) -> str:
    return UNKNOWN if share is None else f"{share:.1%}"


def _money(text: str | None) -> str:
    return UNKNOWN if text is None else amount(text)
