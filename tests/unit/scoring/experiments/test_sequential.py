"""The mixture by quadrature; and experiments without any effect, looked at every day."""

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from streamer.scoring.experiments.sequential import (
    always_valid_half_width,
    always_valid_p,
    mixture_variance,
)

ALPHA = 0.05
RUNS, DAYS = 1_000, 60


@settings(max_examples=25, deadline=None)
@given(st.floats(-6, 6), st.integers(10, 100_000), st.sampled_from([0.01, 0.05, 0.1]))
def test_p_is_one_over_the_mixture_s_likelihood_ratio(z: float, n: int, alpha: float) -> None:
    """Of n unit normal draws with mean 0 against means drawn from N(0, ρ²)."""
    variance = mixture_variance(alpha)
    total = z * n**0.5
    centre = total / (n + 1 / variance)
    width = (n + 1 / variance) ** -0.5
    with mpmath.workdps(30):
        ratio = mpmath.quad(
            lambda mean: (
                mpmath.exp(mean * total - n * mean**2 / 2)
                * mpmath.npdf(mean, 0, mpmath.sqrt(variance))
            ),
            [centre + k * width for k in (-20, -5, 0, 5, 20)],
        )
    found = float(always_valid_p(z, 1.0, n, alpha))
    assert found == pytest.approx(min(1.0, float(1 / ratio)), rel=1e-6)


@given(st.floats(0.01, 100), st.integers(60, 10**6), st.sampled_from([0.01, 0.05]))
def test_the_interval_leaves_0_out_just_where_p_is_alpha(
    error: float, n: int, alpha: float
) -> None:
    half = always_valid_half_width(error, n, alpha)
    assert always_valid_p(half, error, n, alpha) == pytest.approx(alpha)
    assert always_valid_p(half * 1.01, error, n, alpha) < alpha


def test_it_is_narrowest_near_the_planned_customers() -> None:
    """In standard errors: a little over three there, wider before and after; always over 1.96."""
    sizes = np.array([50, 500, 5_000, 50_000, 500_000])
    widths = always_valid_half_width(1.0, sizes, ALPHA)
    assert widths.argmin() == 2
    assert widths[2] == pytest.approx(3.03, abs=0.01)
    assert widths[0] > 8


def looked_at_daily(daily: NDArray[np.float64]) -> tuple[Any, Any]:
    """Return in what share of experiments some day shows a difference, always valid and not.

    ``daily``: the outcomes, shape (runs, 2 arms, days, customers a day), without any effect.
    """
    n = daily.shape[-1] * np.arange(1, DAYS + 1)
    means = daily.sum(-1).cumsum(-1) / n
    squares = np.square(daily).sum(-1).cumsum(-1)
    variances = (squares - n * means**2) / (n - 1)
    error = np.sqrt(variances.sum(1) / n)
    difference = np.abs(means[:, 1] - means[:, 0])
    looks = n >= 30
    always = difference > always_valid_half_width(error, 2 * n, ALPHA)
    once = difference > 1.96 * error
    return always[:, looks].any(1).mean(), once[:, looks].any(1).mean()


@pytest.mark.parametrize("customers_a_day", [4, 40])
@pytest.mark.parametrize("outcome", ["money", "skewed money", "rate"])
def test_daily_looks_do_not_find_what_is_not_there(customers_a_day: int, outcome: str) -> None:
    rng = np.random.default_rng(3)
    shape = RUNS, 2, DAYS, customers_a_day
    draws = {
        "money": lambda: rng.standard_exponential(shape),
        "skewed money": lambda: rng.lognormal(0, 1.5, shape),
        "rate": lambda: (rng.random(shape) < 0.1).astype(np.float64),
    }
    always, once = looked_at_daily(draws[outcome]())
    assert always <= ALPHA
    # The same looks with an interval for a single one: that is why.
    assert once > 0.15


def test_it_holds_while_customers_go_on_buying() -> None:
    """Enrolled over the first half, each buys throughout: what is summed up changes every day."""
    rng = np.random.default_rng(4)
    customers = 600
    joined = np.arange(customers) * (DAYS // 2) // customers
    totals = np.zeros((500, 2, customers))
    rates = rng.gamma(1, 0.1, (500, 2, customers))
    found = np.zeros(500, np.bool_)
    for day in range(DAYS):
        here = joined <= day
        n = int(here.sum())
        totals[..., here] += rng.poisson(rates[..., here])
        means, variances = totals[..., here].mean(-1), totals[..., here].var(-1, ddof=1)
        error = np.sqrt(variances.sum(1) / n)
        half = always_valid_half_width(error, 2 * n, ALPHA)
        found |= np.abs(means[:, 1] - means[:, 0]) > half
    assert found.mean() <= ALPHA


def test_a_real_difference_is_found_in_the_end() -> None:
    rng = np.random.default_rng(6)
    daily = rng.standard_exponential((200, 2, DAYS, 40))
    daily[:, 1] *= 1.2
    always, _ = looked_at_daily(daily)
    assert always > 0.9
