"""scipy, published tables, the bootstrap and simulation are the oracles."""

from math import sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from streamer.scoring.experiments.adjusted import cuped
from streamer.scoring.experiments.means import Moments, moments, welch
from streamer.scoring.experiments.rates import newcombe, rate_difference, wilson
from streamer.scoring.experiments.ratios import ratio_difference

Integers = NDArray[np.int64]
COUNTS = st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def of(x: Integers, y: Integers | None = None) -> Moments:
    second = np.zeros_like(x) if y is None else y
    a, b = x.astype(object), second.astype(object)
    return moments(len(x), (a.sum(), (a * a).sum()), (b.sum(), (b * b).sum()), (a * b).sum())


@pytest.mark.parametrize("seed", range(5))
def test_welch_is_scipy_s(seed: int) -> None:
    rng = np.random.default_rng(seed)
    control, treatment = rng.poisson(30, 12 + seed), rng.poisson(40, 40) ** 2 // 30
    found = welch(of(control), of(treatment))
    oracle = stats.ttest_ind(treatment, control, equal_var=False)
    assert found.degrees_of_freedom == pytest.approx(oracle.df)
    for alpha in (0.05, 0.2):
        ends = oracle.confidence_interval(1 - alpha)
        assert found.interval(alpha) == pytest.approx((ends.low, ends.high))


def test_welch_where_one_arm_does_not_vary() -> None:
    found = welch(of(np.full(20, 7)), of(np.arange(10)))
    assert found.degrees_of_freedom == pytest.approx(9)
    assert found.standard_error == pytest.approx(sqrt(np.arange(10).var(ddof=1) / 10))


@given(COUNTS, st.floats(0.001, 0.5))
def test_wilson_is_scipy_s(counted: tuple[int, int], alpha: float) -> None:
    oracle = stats.binomtest(*counted).proportion_ci(1 - alpha, method="wilson")
    assert wilson(*counted, alpha) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


@pytest.mark.parametrize(
    ("treatment", "control", "published"),
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 20), (-0.1611, 0.2775)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_newcombe_s_published_table(
    treatment: tuple[int, int], control: tuple[int, int], published: tuple[float, float]
) -> None:
    """Newcombe 1998, table II, method 10."""
    assert newcombe(control, treatment, 0.05) == pytest.approx(published, abs=5e-5)


@given(COUNTS, COUNTS)
def test_a_difference_of_rates_lies_in_its_interval(
    one: tuple[int, int], other: tuple[int, int]
) -> None:
    low, high = newcombe(one, other, 0.05)
    found = rate_difference(one, other)
    assert -1 <= low <= found.difference + 1e-12
    assert found.difference - 1e-12 <= high <= 1
    assert found.standard_error > 0


@pytest.mark.parametrize(("p", "q", "n"), [(0.02, 0.04, 60), (0.3, 0.3, 40), (0.9, 0.97, 50)])
def test_newcombe_covers_what_it_says(p: float, q: float, n: int) -> None:
    rng = np.random.default_rng(5)
    drawn = rng.binomial(n, [p, q], (2_000, 2)).tolist()
    ends = [newcombe((a, n), (b, n), 0.1) for a, b in drawn]
    covered = np.mean([low <= q - p <= high for low, high in ends])
    assert 0.88 < covered < 0.975


def shoppers(rng: np.random.Generator, n: int) -> tuple[Integers, Integers]:
    """Revenue (cents) and orders: who buys often has his own taste in baskets."""
    orders = rng.geometric(0.4, n) - 1
    taste = rng.gamma(4, 500, n)
    revenue = rng.poisson(taste * orders)
    return revenue, orders


def test_the_order_value_s_error_is_that_of_resampled_customers() -> None:
    rng = np.random.default_rng(11)
    arms = [shoppers(rng, 400), shoppers(rng, 700)]
    found = ratio_difference(*(of(*arm) for arm in arms))
    draws = []
    for _ in range(2_000):
        picked = [rng.integers(0, len(x), len(x)) for x, _ in arms]
        a, b = (x[i].sum() / y[i].sum() for (x, y), i in zip(arms, picked, strict=True))
        draws.append(b - a)
    assert found.standard_error == pytest.approx(np.std(draws), rel=0.08)
    assert found.control == pytest.approx(arms[0][0].sum() / arms[0][1].sum())


def test_intervals_of_the_order_value_cover_what_they_say() -> None:
    """Customers differ in taste; over orders, Welch's interval would cover far less."""
    rng = np.random.default_rng(12)
    covered = over_orders = 0
    for _ in range(600):
        arms = [shoppers(rng, 150), shoppers(rng, 150)]
        found = ratio_difference(*(of(*arm) for arm in arms))
        low, high = found.interval(0.1)
        covered += low <= 0 <= high
        # As if each order were a draw of its own.
        means = [np.repeat(x[y > 0] / y[y > 0], y[y > 0]) for x, y in arms]
        naive = sqrt(sum(m.var(ddof=1) / len(m) for m in means))
        over_orders += abs(means[1].mean() - means[0].mean()) <= 1.645 * naive
    assert 0.87 < covered / 600 < 0.93
    assert over_orders / 600 < 0.8


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_cuped_takes_rho_squared_off_the_variance(share: float) -> None:
    rng = np.random.default_rng(7)
    n = 4_000
    arms = []
    for effect in (0, 300):
        before = rng.gamma(2, 1_000, n)
        after = share * before + rng.gamma(2, 800, n) + effect
        arms.append((after.astype(np.int64), before.astype(np.int64)))
    found = cuped(*(of(*arm) for arm in arms))
    raw = welch(*(of(*arm) for arm in arms))
    rho = np.mean([np.corrcoef(*arm)[0, 1] ** 2 for arm in arms])
    assert found.variance_reduction == pytest.approx(rho, abs=0.01)
    assert found.theta == pytest.approx(share, abs=0.05)
    assert found.estimate.standard_error <= raw.standard_error * 1.000_001
    assert abs(found.estimate.difference - 300) < 4 * found.estimate.standard_error


def test_cuped_leaves_the_expected_difference_and_covers() -> None:
    """Over many experiments: no bias, coverage as said, variance 1 − ρ² of the raw one."""
    rng = np.random.default_rng(8)
    raw, adjusted, covered = [], [], 0
    for _ in range(800):
        before = rng.normal(5_000, 1_000, (2, 100))
        after = (0.8 * before + rng.normal(0, 600, (2, 100)) + [[0], [100]]).astype(np.int64)
        arms = [of(x, y) for x, y in zip(after, before.astype(np.int64), strict=True)]
        found = cuped(arms[0], arms[1]).estimate
        low, high = found.interval(0.1)
        covered += low <= 100 <= high
        raw.append(welch(arms[0], arms[1]).difference)
        adjusted.append(found.difference)
    assert np.mean(adjusted) == pytest.approx(100, abs=15)
    assert 0.875 < covered / 800 < 0.925
    assert np.var(adjusted) / np.var(raw) == pytest.approx(1 - 0.64, abs=0.06)  # ρ = .8


def test_cuped_without_any_past_is_welch() -> None:
    arms = [of(np.arange(40)), of(np.arange(50))]
    found = cuped(arms[0], arms[1])
    assert (found.theta, found.variance_reduction) == (0, 0)
    assert found.estimate == welch(arms[0], arms[1])
