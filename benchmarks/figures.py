"""Condenses what was measured: medians, spreads, quantiles and ratios. Pure."""

from collections.abc import Sequence
from math import ceil
from statistics import median
from typing import Self

from msgspec import Struct

from benchmarks.steady import Pace

QUANTILES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


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


class Scaled(Struct, frozen=True):
    """The throughput of one contender that holds the rows of so many customers."""

    customers: int
    throughput: Throughput


class Results(Struct, frozen=True, kw_only=True):
    """All that a run measured, as far as it was asked to."""

    read_limit: Throughput | None = None
    streamer: Throughput | None = None
    streamer_on_two_cores: Throughput | None = None
    streamer_announcing: Throughput | None = None
    """On two cores, with segments and actions, which no peer makes."""
    kafka_streams: list[Throughput] = []
    quix: list[Throughput] = []
    bytewax: list[Throughput] = []
    plain_faust: list[Throughput] = []
    latency_without_worker: list[Latency] = []
    latency: list[Latency] = []
    latency_of_peers: list[Latency] = []
    scale: list[Scaled] = []
    scale_of_peers: list[Scaled] = []

    @property
    def ours(self) -> list[Throughput]:
        """Return what was measured of streamer doing what its peers do."""
        return [figure for figure in (self.streamer, self.streamer_on_two_cores) if figure]

    @property
    def peers(self) -> list[Throughput]:
        """Return what was measured of others."""
        return [*self.kafka_streams, *self.quix, *self.bytewax, *self.plain_faust]


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


def fastest(figures: Sequence[Throughput]) -> Throughput | None:
    """Return the figure of the highest median, if there is any."""
    return max(figures, key=lambda figure: figure.events_per_second.median, default=None)


def most_over_fewest(scale: Sequence[Scaled]) -> float | None:
    """Return the throughput with the most customers over that with the fewest, if there are."""
    ordered = sorted(scale, key=lambda scaled: scaled.customers)
    if len(ordered) < 2:
        return None
    return ratio(ordered[-1].throughput, ordered[0].throughput)
