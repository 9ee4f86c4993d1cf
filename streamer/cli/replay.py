"""``streamer replay``: the pipeline without Kafka, from a file to files."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from streamer.cli.layout import Columns, DateFormat, DecimalComma, layout_of
from streamer.cli.showing import UsageError, instant_of_option, print_json, shown_instant
from streamer.files.outputs import OUTPUTS, Form, output_file
from streamer.records.instants import NEVER
from streamer.records.models import ModelParams
from streamer.replay import Replay, replay_file
from streamer.serdes.models import decode_model_params
from streamer.settings import load_settings


def replay(
    file: Annotated[
        str,
        typer.Argument(
            help="events as JSONL, or transactions as CSV, Parquet or CDNOW; - is stdin"
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the files of scores and dead letters.")],
    until: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Let silence run on to this RFC 3339 time."),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Score by this model: JSON as `fit --from-kafka --json` prints it.",
        ),
    ] = None,
    form: Annotated[
        Form,
        typer.Option(
            "--format",
            help="JSON lines, or Parquet for notebooks (docs/notebook.md).",
        ),
    ] = "jsonl",
    *,
    columns: Columns = "",
    date_format: DateFormat = "",
    decimal_comma: DecimalComma = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Score a file of events offline, without Kafka, exactly as a worker would.

    Example: streamer replay events.jsonl --out out --until 2026-01-01T00:00:00Z
    """
    silent_until = NEVER if until is None else instant_of_option("--until", until)
    settings = load_settings()
    layout = layout_of(columns, date_format, decimal_comma=decimal_comma)
    params = None if model is None else _read_model(model)
    started = time.monotonic()
    shown = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(*shown, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task("replaying")
        done = replay_file(
            file,
            out,
            settings,
            now=datetime.now(UTC),
            version=version("streamer"),
            until=silent_until,
            model=params,
            form=form,
            layout=layout,
            progress=lambda replay: progress.update(task, description=_progress(replay)),
        )
    summary = summary_of(done, out, time.monotonic() - started, form)
    if json:
        print_json(summary)
    else:
        _show(summary)


def _read_model(file: Path) -> ModelParams:
    try:
        return decode_model_params(file.read_bytes())
    except OSError as error:
        raise UsageError(f"--model {file} cannot be read: {error.strerror}.") from None


def _progress(replay: Replay) -> str:
    dead = sum(replay.refused.values())
    return f"{replay.events:,} events, {replay.counts['scores']:,} scores, {dead:,} dead letters"


def summary_of(replay: Replay, out: Path, seconds: float, form: Form = "jsonl") -> dict[str, Any]:
    """Return what a replay did, for people and programs."""
    counts = replay.counts
    return {
        "events": replay.events,
        "customers": replay.customers,
        "scores": counts["scores"],
        "silences": counts["silences"],
        "duplicates": counts["duplicates"],
        "erasures": counts["erasures"],
        "erased": counts["erased"],
        "rekeyed": counts["rekeyed"],
        "dead_letters": sum(replay.refused.values()),
        "dead_letters_by_reason": dict(sorted(replay.refused.items())),
        "stream_time": shown_instant(replay.stream_time),
        "seconds": round(seconds, 3),
        "events_per_second": round(replay.events / seconds, 1),
        "files": {name: str(output_file(out, name, form)) for name in OUTPUTS},
    }


_LINES = {
    "events": "events read",
    "customers": "customers",
    "scores": "scores",
    "silences": "of them on silence",
    "duplicates": "duplicates dropped",
    "erasures": "customers erased",
    "erased": "events of theirs passed over",
    "dead_letters": "dead letters",
}
_REMEDIES: Mapping[str, str] = {
    "unknown_currency": ": set STREAMER_REPORTING_CURRENCY to your own, or its rate in "
    "STREAMER_RATES"
}


def _show(summary: dict[str, Any]) -> None:
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    for name, words in _LINES.items():
        if summary[name] or name in ("events", "customers", "scores", "dead_letters"):
            table.add_row(f"{summary[name]:,}", words)
    for reason, count in summary["dead_letters_by_reason"].items():
        table.add_row("", f"{count:,} {reason}{_REMEDIES.get(reason, '')}")
    table.add_row(
        f"{summary['events_per_second']:,.0f}", f"events/s, {summary['seconds']:.1f} s in all"
    )
    console = Console()
    console.print(table)
    if summary["stream_time"]:
        console.print(f"event time has come to {summary['stream_time']}", highlight=False)
    for file in summary["files"].values():
        console.print(file, highlight=False, soft_wrap=True)
