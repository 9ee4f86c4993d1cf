"""``streamer fit``: the parameters of a model, found in a file of purchases."""

import asyncio
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, cast

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.layout import Columns, DateFormat, DecimalComma, layout_of
from streamer.cli.showing import UsageError, counted, print_json, shown_text
from streamer.files.histories import PurchaseHistories, read_histories
from streamer.scoring.fitting import Fit, fit_purchases, fit_values
from streamer.scoring.models.histories import Histories
from streamer.scoring.time_unit import TimeUnit
from streamer.settings import Settings, load_settings

if TYPE_CHECKING:
    from streamer.records.models import ModelName


class Model(StrEnum):
    """The models that can be fitted."""

    MBG_NBD = "mbg_nbd"
    BG_NBD = "bg_nbd"
    PARETO_NBD = "pareto_nbd"
    GAMMA_GAMMA = "gamma_gamma"


def fit(
    file: Annotated[
        str | None,
        typer.Argument(
            help="events as JSONL, or transactions as CSV, Parquet or CDNOW; - is stdin"
        ),
    ] = None,
    *,
    from_kafka: Annotated[
        bool, typer.Option("--from-kafka", help="Fit to the live rows, and publish the model.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --from-kafka: publish nothing.")
    ] = False,
    model: Annotated[
        Model | None,
        typer.Option(
            help="When customers buy and leave; or gamma_gamma, for how much.",
            show_default="STREAMER_MODEL, mbg_nbd",
        ),
    ] = None,
    time_unit: Annotated[
        TimeUnit, typer.Option(help="Of the parameters; a month is a twelfth of 365.25 days.")
    ] = TimeUnit.WEEK,
    calibration_end: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Purchases after this day (UTC) are left out; by default it is the last one's.",
        ),
    ] = None,
    columns: Columns = "",
    date_format: DateFormat = "",
    decimal_comma: DecimalComma = False,
    json: Annotated[bool, typer.Option("--json", help="Print the fit as JSON.")] = False,
) -> None:
    """Find the parameters of a model in a file of purchases, or on Kafka, by maximum likelihood.

    Example: streamer fit events.jsonl --model mbg_nbd --calibration-end 2025-12-31 --json

    Example: streamer fit --from-kafka
    """
    settings = load_settings()
    model = model or Model(settings.model)
    if (file is None) != from_kafka:
        raise UsageError("name a file to fit to, or --from-kafka, and not both.")
    if from_kafka:
        fit_live(settings, model, publish=not dry_run, json=json)
        return
    assert file is not None  # noqa: S101 - told above
    with Console(stderr=True).status(f"reading {shown_text(file)}") as status:
        histories = read_histories(
            file,
            calibration_end and calibration_end.date(),
            unit=time_unit,
            decoder=settings.decoder(),
            layout=layout_of(columns, date_format, decimal_comma=decimal_comma),
        )
        status.update(f"fitting {model.value}")
        report = report_of(fitted(model, histories), histories)
    if json:
        print_json(report)
    else:
        _show(report)


def fit_live(settings: Settings, model: Model, *, publish: bool, json: bool) -> None:
    """Fit ``model`` to the rows on Kafka, publish and show it.

    Raises:
        UsageError: ``model`` is none of purchasing.
    """
    # Not needed, and slow to import, for a file.
    from streamer.engine.fitting import fit_shop  # noqa: PLC0415
    from streamer.engine.models import publish as publish_model  # noqa: PLC0415

    if model is Model.GAMMA_GAMMA:
        raise UsageError("with --from-kafka, values are always fitted too: name another --model.")
    with Console(stderr=True).status("reading the rows of all customers, and fitting"):
        params = asyncio.run(fit_shop(settings, cast("ModelName", model.value)))
    if publish:
        asyncio.run(publish_model(settings, params))
    report = msgspec.to_builtins(params) | {"published": publish}
    if json:
        print_json(report)
    else:
        _show_live(report)


def _show_live(report: dict[str, Any]) -> None:
    console = Console(highlight=False)
    told = "published" if report["published"] else "not published (--dry-run)"
    console.print(
        f"{report['model_version']} of {counted(report['customers'], 'customer')}, "
        f"{report['repeat_customers']:,} of them repeat: {told}"
    )
    if report["reason"]:
        console.print(f"scores stay by formula: {report['reason']}", style="yellow")
        return
    table = Table("parameter", "value, in days", "standard error", box=None, padding=(0, 2))
    for kind in ("", "value_"):
        errors = report[kind + "standard_errors"]
        for name, value in (report[kind + "parameters"] or {}).items():
            table.add_row(name, f"{value:.5g}", f"{errors[name]:.2g}")
    console.print(table)
    if check := report["check"]:
        console.print(
            f"the last {check['window_days']:.0f} days: {check['predicted_total']:,.0f} purchases "
            f"foretold, {check['actual_total']:,.0f} came; {check['interval_level']:.0%} intervals "
            f"held {check['interval_coverage']:.0%}"
        )


def fitted(model: Model, histories: PurchaseHistories) -> Fit:
    """Return the fit of ``model`` to ``histories``."""
    if model is Model.GAMMA_GAMMA:
        return fit_values(histories.x, histories.mean_value)
    customers = Histories(histories.x, histories.t_x, histories.T)
    return fit_purchases(model, customers, histories.time_unit)


def report_of(fit: Fit, histories: PurchaseHistories) -> dict[str, Any]:
    """Return what a fit found, for people and programs."""
    return {
        "model": fit.model,
        "time_unit": histories.time_unit,
        "calibration_end": histories.calibration_end,
        "customers": fit.customers,
        "repeat_customers": fit.repeat_customers,
        "parameters": fit.parameters,
        "standard_errors": fit.standard_errors,
        "log_likelihood": fit.log_likelihood,
        "undetermined": fit.undetermined,
        "scored_by": "formula" if fit.reason_for_formula else fit.model,
        "reason": fit.reason_for_formula,
        "refused": histories.refused,
    }


def _show(report: dict[str, Any]) -> None:
    console = Console(highlight=False)
    console.print(
        f"{report['model']} of {counted(report['customers'], 'customer')}, "
        f"{report['repeat_customers']:,} of them repeat, up to {report['calibration_end']}"
    )
    unit = "" if report["model"] == Model.GAMMA_GAMMA else f", in {report['time_unit']}s"
    table = Table("parameter", f"value{unit}", "standard error", box=None, padding=(0, 2))
    for name, value in report["parameters"].items():
        table.add_row(name, f"{value:.5g}", f"{report['standard_errors'][name]:.2g}")
    console.print(table)
    console.print(f"log-likelihood {report['log_likelihood']:,.3f}")
    if report["undetermined"]:
        names = ", ".join(report["undetermined"])
        console.print(f"the data leave open {names}: their errors exceed them", style="yellow")
    for reason, count in report["refused"].items():
        console.print(f"refused, {reason}: {counted(count, 'event')}", style="yellow")
    if report["reason"]:
        console.print(f"scores stay by formula: {report['reason']}", style="yellow")
