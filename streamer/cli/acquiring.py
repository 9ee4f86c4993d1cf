"""What the customers of each channel cost, as ``streamer programme`` shows it."""

from collections.abc import Mapping

from rich.table import Table

from streamer.cli.showing import amount, shown_text
from streamer.records.measures import AcquisitionFigures, ProgrammeMeasure

UNKNOWN = "[dim]-[/]"
BELOW = "[red]below target[/]"


def acquisition_table(measures: Mapping[str, ProgrammeMeasure]) -> Table | None:
    """Return spend, CAC, LTV:CAC and budgets of all groups that are won; None if nobody spends."""
    rows = {name: one.acquisition for name, one in measures.items() if one.acquisition}
    if all(row.acquisition_cost is None for row in rows.values()):
        return None
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("group")
    for column in ("won", "spent", "CAC", "LTV:CAC", "budget", "to retain"):
        table.add_column(column, justify="right")
    table.add_column("")
    for name, row in rows.items():
        table.add_row(shown_text(name), *_cells(row))
    return table


def _cells(row: AcquisitionFigures) -> tuple[str, ...]:
    return (
        f"{row.acquired_customers:,}",
        _money(row.acquisition_cost),
        _money(row.cost_per_customer),
        UNKNOWN if row.ltv_to_cac is None else f"{row.ltv_to_cac:.2f}",
        _money(row.acquisition_budget),
        _money(row.retention_budget),
        BELOW if row.ltv_below_target else "",
    )


def _money(text: str | None) -> str:
    return UNKNOWN if text is None else amount(text)
