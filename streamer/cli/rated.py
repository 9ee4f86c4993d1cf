"""Which products and categories need a review, as ``streamer programme --ratings`` shows it."""

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from streamer.cli.showing import shown_text
from streamer.records.measures import RatingMeasure

SHOWN = 20
"""Products and categories each; ``--json`` has all."""

VERDICTS = {True: "[red]needs review[/]", False: "", None: "[dim]too few ratings[/]"}


def show_ratings(measures: Mapping[str, RatingMeasure], console: Console) -> None:
    """Print what was rated, the surely worst first."""
    for kind in ("product", "category"):
        found = [one for one in measures.values() if one.rated.startswith(f"{kind}:")]
        if not found:
            continue
        console.print(_table(kind, found))
        if len(found) > SHOWN:
            console.print(f"[dim]and {len(found) - SHOWN:,} more: see --json[/]", highlight=False)
        console.print()
    reviews = [one for one in measures.values() if one.needs_review]
    console.print(
        f"to be reviewed: {len(reviews):,} of {len(measures):,}; surely too many of their ratings "
        "are below 3 of 5",
        highlight=False,
    )


def _table(kind: str, found: list[RatingMeasure]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(kind)
    for column in ("ratings", "average", "low", "share", "95 %"):
        table.add_column(column, justify="right")
    table.add_column("")
    worst = sorted(found, key=lambda one: (not one.needs_review, -one.low_share_low, one.rated))
    for one in worst[:SHOWN]:
        table.add_row(
            shown_text(one.rated.partition(":")[2]),
            f"{one.ratings:,}",
            f"{one.rating_average:.2f}",
            f"{one.low_ratings:,}",
            f"{one.low_share:.0%}",
            f"{one.low_share_low:.0%} to {one.low_share_high:.0%}",
            VERDICTS[one.needs_review],
        )
    return table
