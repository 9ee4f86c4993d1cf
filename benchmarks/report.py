"""Puts together what was measured; writes it as JSON, for programs."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from benchmarks.figures import Results, Throughput, ratio
from benchmarks.floors import Floor, floors
from benchmarks.machine import Machine
from benchmarks.plan import Plan

BUSY_SHARE = 0.5
"""Of the cores; a higher load average at the start tells of other work."""
SPREAD_MAX = 1.25
"""Highest to lowest read limit: on a quiet machine they are nearer."""


class Report(Struct, frozen=True):
    """A run, all of it."""

    started_at: datetime
    seconds: float
    plan: Plan
    machine: Machine
    versions: Mapping[str, str]
    results: Results
    ratios: Mapping[str, float | None]
    floors: list[Floor]
    disturbed: bool
    """Whether something else was at work on the machine, as far as figures tell."""


def report_of(
    *,
    plan: Plan,
    results: Results,
    machine: Machine,
    versions: Mapping[str, str],
    started_at: datetime,
    seconds: float,
) -> Report:
    """Put the figures beside each other."""
    return Report(
        started_at,
        seconds,
        plan,
        machine,
        versions,
        results,
        ratios(results),
        floors(results),
        disturbed(machine, results.read_limit),
    )


def ratios(results: Results) -> dict[str, float | None]:
    """Return how many times the pace of each other ours is; None where one is missing."""
    plain = results.plain_faust[:1]
    others = [("read limit", results.read_limit)]
    peers = *results.kafka_streams, *results.quix, *results.bytewax, *plain
    others += [(peer.title, peer) for peer in peers]
    ours = ("streamer", results.streamer), ("streamer, 2 processes", results.streamer_on_two_cores)
    return {
        f"{title} / {name}": ratio(figure, other)
        for name, other in others
        for title, figure in ours
    }


def disturbed(machine: Machine, read_limit: Throughput | None) -> bool:
    """Tell whether something else was at work, by the load before and the spread of the limit."""
    if machine.load_average > machine.cores * BUSY_SHARE:
        return True
    if read_limit is None:
        return False
    spread = read_limit.events_per_second
    return spread.highest > spread.lowest * SPREAD_MAX


def write_json(report: Report, file: Path) -> None:
    """Write a report as JSON."""
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
