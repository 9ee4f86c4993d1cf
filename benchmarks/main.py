"""What `streamer bench` calls."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from benchmarks.errors import BenchmarkError
from benchmarks.machine import this_machine, versions
from benchmarks.picture import PICTURES, draw
from benchmarks.plan import QUICK, Part, Plan
from benchmarks.report import report_of, write_json
from benchmarks.run import run
from benchmarks.tables import show

SKEW = 1.0
"""Zipf's exponent of `--skewed`: one customer in 500,000 makes 7 % of the purchases."""


def main(
    *,
    events: int | None,
    customers: int | None,
    runs: int | None,
    rates: str | None,
    only: Sequence[str],
    skewed: bool,
    quick: bool,
    json: Path | None,
    picture: Path | None,
) -> None:
    """Measure, print tables, and write JSON and a picture if files for them are named.

    Args:
        events: As in `Plan`, as are `customers`, `runs` and `rates`; None takes its default.
        customers: See above.
        runs: See above.
        rates: Separated by commas.
        only: The parts to measure; none means all.
        skewed: Let few customers make most purchases.
        quick: Smaller sizes where none is given.
        json: The file.
        picture: The file, PNG or SVG by its ending.

    Raises:
        BenchmarkError: Something did not run, or did not do its work in full.
    """
    if picture is not None and picture.suffix.lower() not in PICTURES:
        raise BenchmarkError(f"--picture {str(picture)!r}: end its name in .png or .svg.")
    given = {
        "events": events,
        "customers": customers,
        "runs": runs,
        "rates": rates and parse_rates(rates),
        "parts": parse_parts(only) or None,
        "skew": SKEW if skewed else None,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    plan = Plan(**(QUICK if quick else {}) | chosen)  # type: ignore[arg-type] # checked above
    started_at, began, machine = datetime.now(UTC), time.monotonic(), this_machine()
    results = run(plan, Console(stderr=True, highlight=False).print)
    seconds = time.monotonic() - began
    report = report_of(
        plan=plan,
        results=results,
        machine=machine,
        versions=versions(),
        started_at=started_at,
        seconds=seconds,
    )
    show(report, Console())
    if json is not None:
        write_json(report, json)
    if picture is not None:
        draw(report, picture)


def parse_rates(text: str) -> tuple[int, ...]:
    """Read paces such as "1000,10000".

    Raises:
        BenchmarkError: One is no whole number above 0.
    """
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise BenchmarkError(f"{text!r} are no rates: give whole numbers above 0, as 1000,10000.")
    return tuple(map(int, words))


def parse_parts(names: Sequence[str]) -> tuple[Part, ...]:
    """Read the names of parts.

    Raises:
        BenchmarkError: One is unknown.
    """
    known = [part.value for part in Part]
    if unknown := [name for name in names if name not in known]:
        raise BenchmarkError(f"{unknown[0]!r} is no part: choose from {', '.join(known)}.")
    return tuple(map(Part, names))
