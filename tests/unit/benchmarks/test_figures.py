import pytest

from benchmarks.figures import (
    Latency,
    Results,
    Spread,
    Throughput,
    floors,
    quantile,
    quantiles,
    ratio,
)
from benchmarks.steady import Pace


def throughput(*rates: float) -> Throughput:
    return Throughput("somebody", None, Spread.of(rates), None)


def latency(rate: int, p99: float) -> Latency:
    return Latency("somebody", rate, float(rate), 1, 0, {"p99": Spread.of([p99])})


def test_a_spread_is_the_median_with_its_extremes() -> None:
    assert Spread.of([3.0, 1.0, 8.0]) == Spread(3.0, 1.0, 8.0, (3.0, 1.0, 8.0))
    assert Spread.of([1.0, 2.0]).median == 1.5


@pytest.mark.parametrize(
    ("q", "expected"), [(0.5, 500), (0.99, 990), (0.999, 999), (1.0, 1000), (0.0001, 1)]
)
def test_a_quantile_is_a_value_that_was_measured(q: float, expected: int) -> None:
    assert quantile(range(1, 1001), q) == expected


def test_quantiles_are_taken_of_each_run() -> None:
    spreads = quantiles([[3.0, 1.0, 2.0], [30.0, 10.0, 20.0]])
    assert spreads["p50"].runs == (2.0, 20.0)
    assert spreads["p99"].runs == (3.0, 30.0)


def test_ratios_are_of_medians() -> None:
    assert ratio(throughput(10, 30, 20), throughput(1, 2, 300)) == 10
    assert ratio(throughput(1), None) is None
    assert ratio(None, throughput(1)) is None


def test_throughput_condenses_paces() -> None:
    figure = Throughput.of("somebody", None, [Pace(10, 3), Pace(20, 5)])
    assert figure.events_per_second.runs == (10, 20)
    assert figure.cpu_us_per_event == Spread(4, 3, 5, (3, 5))
    assert Throughput.of("somebody", None, [Pace(10, None)]).cpu_us_per_event is None


def test_all_floors_are_met() -> None:
    results = Results(
        read_limit=throughput(390_000),
        streamer=throughput(41_000),
        streamer_on_two_cores=throughput(78_000),
        plain_faust=[throughput(3_000), throughput(1)],
        latency=[latency(10_000, 500), latency(1_000, 100)],
    )
    assert [floor.met for floor in floors(results)] == [True, True, True, True]
    assert [floor.figure for floor in floors(results)] == [41 / 3, 41 / 390, 0.2, 100]


def test_no_floor_is_met() -> None:
    results = Results(
        read_limit=throughput(400_000),
        streamer=throughput(20_000),
        streamer_on_two_cores=throughput(30_000),
        plain_faust=[throughput(3_000)],
        latency=[latency(1_000, 100.1)],
    )
    assert [floor.met for floor in floors(results)] == [False] * 4


def test_what_was_not_measured_is_not_judged() -> None:
    assert [floor.met for floor in floors(Results(streamer=throughput(1)))] == [None] * 4
