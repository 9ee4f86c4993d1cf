"""``streamer backtest``: forecast what is already known, and compare."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streamer.cli.backtest.figures import as_json
from streamer.cli.backtest.forecast import ModelName
from streamer.cli.backtest.run import backtest as backtest_of
from streamer.cli.backtest.text import show
from streamer.cli.layout import Columns, DateFormat, DecimalComma, layout_of
from streamer.cli.showing import UsageError, print_json
from streamer.files.occasions import PurchaseOccasions, read_occasions
from streamer.records.instants import EPOCH
from streamer.scoring.time_unit import TimeUnit
from streamer.settings import load_settings

PICTURES = (".png", ".svg")


def backtest(
    file: Annotated[
        str,
        typer.Argument(help="transactions as CSV, Parquet or CDNOW, or events; - is stdin"),
    ],
    calibration_end: Annotated[
        datetime,
        typer.Option(formats=["%Y-%m-%d"], help="Last day that the forecast knows of."),
    ],
    holdout_end: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Last day to forecast.",
            show_default="the last day of the file",
        ),
    ] = None,
    model: Annotated[ModelName, typer.Option(help="Of purchasing.")] = ModelName.MBG_NBD,
    time_unit: Annotated[TimeUnit, typer.Option(help="Of the parameters.")] = TimeUnit.WEEK,
    interval_level: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="Nominal coverage of the intervals.")
    ] = 0.8,
    picture: Annotated[
        Path | None, typer.Option(help="Draw it into this file: .png or .svg.")
    ] = None,
    *,
    columns: Columns = "",
    date_format: DateFormat = "",
    decimal_comma: DecimalComma = False,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Forecast purchases that are already known, and say how good the forecast was.

    The model is fitted to all days up to --calibration-end; the days after it, up to --holdout-end,
    are foretold and compared. The calibration map is learned from the days before.

    Example: streamer backtest orders.csv --calibration-end 2025-06-30 --picture backtest.png
    """
    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise UsageError(f"--picture {str(picture)!r} is no picture: end its name in .png or .svg.")
    layout = layout_of(columns, date_format, decimal_comma=decimal_comma)
    spinner = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*spinner, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("reading")
        occasions = read_occasions(file, load_settings().decoder(), layout)
        report = backtest_of(
            occasions,
            model.value,
            time_unit,
            calibration_end.date(),
            _last_day(occasions) if holdout_end is None else holdout_end.date(),
            interval_level,
            lambda doing: progress.update(task, description=doing),
        )
    if picture is not None:
        from streamer.cli.backtest.picture import draw  # noqa: PLC0415 - it loads matplotlib

        draw(report, picture)
    if json:
        print_json(as_json(report))
    else:
        show(report)


def _last_day(occasions: PurchaseOccasions) -> date:
    """Return the day of the last purchase; the first of all days where there is none."""
    return (EPOCH + timedelta(int(occasions.day.max(initial=0)))).astimezone(UTC).date()
