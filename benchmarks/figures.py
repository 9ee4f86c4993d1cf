"""Condenses what was measured: medians, spreads, quantiles, ratios and floors. Pure."""

from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Self

from msgspec import Struct

from benchmarks.steady import Pace

QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
FLOOR_TIMES_PLAIN_FAUST = 10.0
FLOOR_OF_READ_LIMIT = 0.103
"""40,000 events/s on a machine that reads 390,000."""
FLOOR_P99_MS = 100.0
FLOOR_RATE = 1_000
"""The pace at which the floor of latency holds, in events/s."""


class Spread(Struct, frozen=True):
    """Several measurements of one thing."""

    median: float
    lowest: float
    highest: float
    runs: tuple[float, ...]

    @classmethod
    def of(cls, runs: Sequence[float]) -> Self:
        """Condense one or more measurements."""
        return cls(median(runs), min(runs), max(runs), tuple(runs))


class Throughput(Struct, frozen=True):
    """Events/s of one contender, or of the read limit, which guarantees nothing."""

    title: str
    guarantee: str | None
    events_per_second: Spread
    cpu_us_per_event: Spread | None
    """Of its own processes; what it has the broker do comes on top."""

    @classmethod
    def of(cls, title: str, guarantee: str | None, paces: Sequence[Pace]) -> Self:
        """Condense one or more measurements."""
        cpu = [pace.cpu_us_per_event for pace in paces if pace.cpu_us_per_event is not None]
        rates = [pace.events_per_second for pace in paces]
        return cls(title, guarantee, Spread.of(rates), Spread.of(cpu) if cpu else None)


class Latency(Struct, frozen=True):
    """Milliseconds from the hand-over to the producer to the committed score, at one pace.

    Attributes:
        rate: The pace that was asked for, events/s.
        achieved_rate: The pace that the load generator kept.
        events: How many were measured.
        unseen: How many of all that were sent got no score of their own: one of a later event of
            the same customer in the same unit of work stands for theirs.
        quantiles_ms: By name, over the runs.
    """

    title: str
    rate: int
    achieved_rate: float
    events: int
    unseen: int
    quantiles_ms: dict[str, Spread]


class Floor(Struct, frozen=True):
    """What is promised, and whether it holds; `figure` is null if it was not measured."""

    name: str
    promised: str
    figure: float | None
    met: bool | None


class Results(Struct, frozen=True, kw_only=True):
    """All that a run measured, as far as it was asked to."""

    read_limit: Throughput | None = None
    streamer: Throughput | None = None
    streamer_on_two_cores: Throughput | None = None
    plain_faust: list[Throughput] = []
    latency_without_worker: list[Latency] = []
    latency: list[Latency] = []


def quantile(ordered: Sequence[float], q: float) -> float:
    """Return the least value that a share of `q` does not exceed (nearest rank).

    Args:
        ordered: Rising, one or more.
        q: Above 0, up to 1.

    >>> quantile([1, 2, 3, 4], 0.5)
    2
    """
    return ordered[ceil(q * len(ordered)) - 1]


def quantiles(runs: Sequence[Sequence[float]]) -> dict[str, Spread]:
    """Return each of `QUANTILES` over the runs."""
    ordered = [sorted(run) for run in runs]
    return {name: Spread.of([quantile(run, q) for run in ordered]) for name, q in QUANTILES.items()}


def ratio(figure: Throughput | None, base: Throughput | None) -> float | None:
    """Return how many times the base's median a median is, if both were measured."""
    if figure is None or base is None:
        return None
    return figure.events_per_second.median / base.events_per_second.median


def floors(results: Results) -> list[Floor]:
    """Compare what was measured with what is promised."""
    plain = results.plain_faust[0] if results.plain_faust else None
    times = ratio(results.streamer, plain)
    share = ratio(results.streamer, results.read_limit)
    on_two = ratio(results.streamer_on_two_cores, results.read_limit)
    p99 = next(
        (at.quantiles_ms["p99"].median for at in results.latency if at.rate == FLOOR_RATE), None
    )
    return [
        _at_least("times plain Faust, events/s", FLOOR_TIMES_PLAIN_FAUST, times),
        _at_least("share of the read limit, one process", FLOOR_OF_READ_LIMIT, share),
        _at_least("share of the read limit, two processes", FLOOR_OF_READ_LIMIT, on_two),
        Floor(
            f"p99 at {FLOOR_RATE:,} events/s, ms",
            f"<= {FLOOR_P99_MS:g}",
            p99,
            None if p99 is None else p99 <= FLOOR_P99_MS,
        ),
    ]


def _at_least(name: str, promised: float, figure: float | None) -> Floor:
    met = None if figure is None else figure >= promised
    return Floor(name, f">= {promised:g}", figure, met)
