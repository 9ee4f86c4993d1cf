"""Options of the commands that read a file: how its table writes what it says."""

from typing import Annotated

import typer

from streamer.cli.showing import UsageError
from streamer.files import Layout
from streamer.files.columns import ALIASES

Columns = Annotated[
    str,
    typer.Option(
        metavar="FIELD=NAME,...",
        help="Columns of a table that do not have their usual names: customer=Kunde,date=Datum.",
    ),
]
DateFormat = Annotated[
    str,
    typer.Option(
        metavar="FORMAT", help="Of its dates, where they are not as 2025-12-31: %d/%m/%Y %H:%M."
    ),
]
DecimalComma = Annotated[
    bool, typer.Option("--decimal-comma", help="Its amounts are written as 1.234,50.")
]


def layout_of(columns: str, date_format: str, *, decimal_comma: bool) -> Layout:
    """Return the layout that the options tell.

    Raises:
        UsageError: the columns are not told as they should be.
    """
    pairs = [pair.partition("=") for pair in columns.split(",") if pair.strip()]
    named = {_field(field.strip()): name.strip() for field, _, name in pairs}
    if not all(named.values()):
        raise UsageError(
            f"--columns {columns!r} leaves names out: write it as customer=Kunde,amount=Betrag."
        )
    return Layout(named, date_format, decimal_comma)


def _field(name: str) -> str:
    """Return the field that has this name, or goes by it."""
    for field, aliases in ALIASES.items():
        if name.lower() in {field, *aliases}:
            return field
    raise UsageError(f"--columns: there is no field {name!r}: choose of {', '.join(ALIASES)}.")
