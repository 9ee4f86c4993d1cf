"""What is promised, and what is aimed at, beside what was measured. Pure.

Against a peer, the fastest of ours stands beside the fastest of theirs: each may use both cores.
"""

from collections.abc import Sequence

from msgspec import Struct

from benchmarks.figures import Latency, Results, fastest, most_over_fewest, ratio

P99_MS = 100.0
OF_READ_LIMIT = 0.103
"""40,000 events/s on a machine that reads 390,000."""


class Floor(Struct, frozen=True):
    """What is promised, and whether it holds; `figure` is null if it was not measured."""

    name: str
    promised: str
    figure: float | None
    met: bool | None
    aim: str | None = None
    aim_met: bool | None = None


def floors(results: Results) -> list[Floor]:
    """Compare what was measured with what is promised."""
    plain = results.plain_faust[0] if results.plain_faust else None
    ours = fastest(results.ours)
    limit = results.read_limit
    on_two = results.streamer_on_two_cores
    return [
        _at_least(
            "times Kafka Streams, events/s", 1.0, ratio(ours, fastest(results.kafka_streams)), 1.5
        ),
        _at_least("times Quix Streams, events/s", 2.0, ratio(ours, fastest(results.quix)), 3.0),
        _at_least("times plain Faust, events/s", 20.0, ratio(ours, plain), 40.0),
        _at_least(
            "share of the read limit, one process", OF_READ_LIMIT, ratio(results.streamer, limit)
        ),
        _at_least("share of the read limit, two processes", OF_READ_LIMIT, ratio(on_two, limit)),
        *(_latency(results, rate) for rate in (1_000, 10_000)),
        _at_least(
            "throughput, most customers over fewest", 0.7, most_over_fewest(results.scale), 0.9
        ),
    ]


def _at_least(name: str, promised: float, figure: float | None, aim: float | None = None) -> Floor:
    met = None if figure is None else figure >= promised
    if aim is None:
        return Floor(name, f">= {promised:g}", figure, met)
    aim_met = None if figure is None else figure >= aim
    return Floor(name, f">= {promised:g}", figure, met, f">= {aim:g}", aim_met)


def _latency(results: Results, rate: int) -> Floor:
    """Return the floor of latency; the aim is to be below Kafka Streams at its fastest."""
    ours, theirs = _p99(results.latency, rate), _p99(results.latency_of_peers, rate)
    met = None if ours is None else ours <= P99_MS
    name, promised = f"p99 at {rate:,} events/s, ms", f"<= {P99_MS:g}"
    if theirs is None:
        return Floor(name, promised, ours, met)
    return Floor(
        name, promised, ours, met, f"< {theirs:.3g}", None if ours is None else ours < theirs
    )


def _p99(latencies: Sequence[Latency], rate: int) -> float | None:
    medians = [at.quantiles_ms["p99"].median for at in latencies if at.rate == rate]
    return min(medians, default=None)
