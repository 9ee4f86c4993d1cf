"""Drawn moments against the closed forms of the papers, within four standard errors."""

from typing import Literal

import numpy as np
import pytest

from streamer.simulate import PurchaseProcess, Spend
from streamer.simulate.draws import Floats, amounts, purchase_times, stream

CUSTOMERS = 40_000
Model = Literal["mbg_nbd", "bg_nbd"]
PARAMETERS = [(0.2426, 30.9, 0.7929, 2.4259), (0.525, 43.28, 0.891, 1.614), (2.0, 20.0, 1.5, 6.0)]


def gauss_hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Sum the power series; all arguments positive and z below 1."""
    term = total = 1.0
    n = 0
    while abs(term) > 1e-15 * abs(total):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        n += 1
    return total


def expected_repeats(process: PurchaseProcess, t: float) -> float:
    """E[X(t)]: Fader, Hardie & Lee 2005, eq. 9; the same with MBG/NBD's dropout."""
    r, alpha, a, b = process.r, process.alpha, process.a, process.b
    shift = 0 if process.model == "bg_nbd" else 1
    numerator = a + b - 1 if process.model == "bg_nbd" else b
    series = gauss_hypergeometric(r, b + shift, a + b - 1 + shift, t / (alpha + t))
    return float(numerator / (a - 1) * (1 - (alpha / (alpha + t)) ** r * series))


def share_without_repeat(process: PurchaseProcess, t: float) -> float:
    silent = (process.alpha / (process.alpha + t)) ** process.r
    gone = process.a / (process.a + process.b) if process.model == "mbg_nbd" else 0.0
    return float(gone + (1 - gone) * silent)


def repeats(process: PurchaseProcess, t: float, seed: int) -> Floats:
    days, buyers = purchase_times(process, np.zeros(CUSTOMERS), t, stream(seed, "purchases"))
    assert np.all(np.diff(days) >= 0)
    assert days[-1] <= t
    return np.bincount(buyers, minlength=CUSTOMERS).astype(np.float64) - 1


def assert_mean(sample: Floats, expected: float) -> None:
    error = sample.std(ddof=1) / np.sqrt(len(sample))
    assert abs(sample.mean() - expected) < 4 * error


@pytest.mark.parametrize("t", [30.0, 365.0])
@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("model", ["mbg_nbd", "bg_nbd"])
def test_repeat_purchases_have_the_moments_of_the_model(
    model: Model, parameters: tuple[float, float, float, float], t: float
) -> None:
    process = PurchaseProcess(model, *parameters)
    drawn = repeats(process, t, seed=1)
    assert_mean(drawn, expected_repeats(process, t))
    assert_mean((drawn == 0).astype(float), share_without_repeat(process, t))


def test_amounts_have_the_moments_of_gamma_gamma() -> None:
    """z/(z + γ) ~ Beta(p, q), which has all moments whatever q is."""
    spend = Spend(p=6.25, q=3.74, gamma=1544.0)
    buyers = np.arange(CUSTOMERS)
    drawn = amounts(spend, buyers, CUSTOMERS, stream(1, "amounts")) / 100
    p, q = spend.p, spend.q
    ratio = drawn / (drawn + spend.gamma)
    assert_mean(ratio, p / (p + q))
    assert_mean(ratio**2, p * (p + 1) / ((p + q) * (p + q + 1)))
    assert_mean(drawn, spend.mean)


def test_one_customers_amounts_vary_less_than_the_shops() -> None:
    """Given ν, z ~ Gamma(p, ν): the squared coefficient of variation is 1/p."""
    spend = Spend(p=6.25, q=3.74, gamma=1544.0)
    drawn = amounts(spend, np.zeros(CUSTOMERS, dtype=np.int64), 1, stream(2, "amounts")) / 100
    assert_mean((drawn / drawn.mean() - 1) ** 2, 1 / spend.p)


def test_an_amount_is_never_nothing() -> None:
    tiny = Spend(p=0.01, q=3.0, gamma=0.01)
    assert amounts(tiny, np.arange(100), 100, stream(1, "amounts")).min() == 1


def test_streams_differ_by_seed_and_by_name() -> None:
    first = [stream(seed, name).random() for seed in (1, 2) for name in ("a", "b", "ab")]
    assert len(set(first)) == 6
    assert stream(1, "a").random() == first[0]
