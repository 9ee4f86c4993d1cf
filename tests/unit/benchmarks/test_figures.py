import pytest

from benchmarks.figures import (
    Scaled,
    Spread,
    Throughput,
    fastest,
    most_over_fewest,
    quantile,
    quantiles,
    ratio,
)
from benchmarks.steady import Pace


def throughput(*rates: float) -> Throughput:
    return Throughput("somebody", None, Spread.of(rates), None)


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


def test_the_fastest_is_the_one_of_the_highest_median() -> None:
    slow, fast = throughput(1, 1, 100), throughput(2, 2, 2)
    assert fastest([slow, fast]) is fast
    assert fastest([]) is None


def test_scale_is_told_by_the_most_customers_over_the_fewest() -> None:
    scale = [Scaled(10, throughput(4)), Scaled(1_000, throughput(3)), Scaled(100, throughput(1))]
    assert most_over_fewest(scale) == 0.75
    assert most_over_fewest(scale[:1]) is None
