"""``streamer ideal``: what the most valuable customers have in common (V13)."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.measuring import NoMeasureError, of_file, published
from streamer.cli.showing import amount, counted, print_json, shown_text
from streamer.records.measures import PROFILE, IdealProfileMeasure, TraitValueFigures
from streamer.scoring.ideal.top import REASONS
from streamer.settings import load_settings

STYLES = {"more_often": "green", "less_often": "red", "not_significant": "dim"}


def ideal(
    *,
    file: Annotated[
        Path | None, typer.Option(help="A replay's programme-measures.jsonl; else Kafka is read.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON.")] = False,
) -> None:
    """Show which traits the most valuable tenth of the customers have more often than all.

    Example: streamer ideal
    """
    found = of_file(file, PROFILE) if file else asyncio.run(published(load_settings(), PROFILE))
    measure = next((one for one in found.values() if isinstance(one, IdealProfileMeasure)), None)
    if measure is None:
        raise NoMeasureError(
            "no ideal customer profile has been published yet: a worker does so some seconds after "
            "the first customer's lifetime value is known."
        )
    if json:
        print_json(measure)
    else:
        show(measure, Console(highlight=False))


def show(measure: IdealProfileMeasure, console: Console) -> None:
    """Print the lift of each trait with its interval."""
    console.print(
        f"[bold]ideal customer[/], up to {measure.as_of:%Y-%m-%d %H:%M} UTC, by "
        f"{shown_text(measure.model_version)} of {counted(measure.customers, 'customer')}"
    )
    if measure.traits is None or measure.top_customers is None or measure.top_value is None:
        console.print(f"no profile: {REASONS[measure.null_reasons['traits']]}", style="yellow")
        return
    console.print(
        f"the top tenth: {counted(measure.top_customers, 'customer')} worth "
        f"{amount(measure.top_value)} {measure.currency} or more"
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("trait")
    for column in ("customers", "of all", "of the top", "lift", f"{measure.confidence_level:.0%}"):
        table.add_column(column, justify="right")
    table.add_column("")
    for trait in measure.traits:
        table.add_row(
            f"[bold]{trait.trait.replace('_', ' ')}[/]",
            f"[bold]{trait.known_customers:,}[/]",
            f"[bold]{trait.known_customers / measure.customers:.1%}[/]",
        )
        for value in trait.values:
            table.add_row(*_row(value), style=STYLES[value.verdict])
        if trait.other_customers:
            table.add_row("  others", f"{trait.other_customers:,}")
    console.print(table)


def _row(value: TraitValueFigures) -> tuple[str, ...]:
    return (
        f"  {shown_text(value.value)}",
        f"{value.customers:,}",
        f"{value.share:.1%}",
        f"{value.top_share:.1%}",
        f"{value.lift:.2f}",
        f"{value.low:.2f} to {value.high:.2f}",
        value.verdict.replace("_", " "),
    )
