"""The oracle: the integrals of the definitions, by mpmath."""

from collections.abc import Callable

import mpmath as mp
import numpy as np
import pytest

from streamer.scoring.models.predictive.counts import Counts, CutByLifetime, CutByPurchase

CASES = [(0.25, 0.1), (0.53, 0.9), (3.0, 25.0), (60.0, 0.8), (5000.0, 3.0)]
NUMBERS = [1.0, 2.0, 9.0, 60.0, 256.0, 257.0, 5000.0, 14_000.0]


def not_less(counts: Counts, n: float) -> float:
    with np.errstate(all="raise", under="ignore"):
        return float(counts.at_least(np.array([[n]]))[0, 0])


def mixed_over_time(
    n: float, shape: float, odds: float, survival: Callable[[mp.mpf], mp.mpf]
) -> float:
    """E[survival(log odds of y); y < z] for y ~ Beta(n, R), integrated over the log odds."""
    top, peak, width = mp.log(odds), mp.log(n / shape), mp.sqrt(1 / n + 1 / shape)
    steps = [peak + width * k for k in (-60, -30, -14, -9, -6, -4, -2, 0, 2, 4, 6, 9, 14, 30, 60)]
    points = [top - 60, *sorted(point for point in steps if top - 60 < point < top), top]

    def density(v: mp.mpf) -> mp.mpf:
        return mp.exp(n * v - (n + shape) * mp.log1p(mp.exp(v))) * survival(v)

    with mp.workdps(30):
        return float(mp.quad(density, points) / mp.beta(n, shape))


@pytest.mark.parametrize("n", NUMBERS)
@pytest.mark.parametrize(("shape", "odds"), CASES)
def test_purchases_cut_by_a_purchase(shape: float, odds: float, n: float) -> None:
    a, b = 0.9, 2.6
    counts = CutByPurchase(np.array([shape]), np.array([odds]), a, np.array([b]))
    stays = mp.beta(a, b + n - 1) / mp.beta(a, b)
    exact = stays * mp.betainc(n, shape, 0, odds / (1 + mp.mpf(odds)), regularized=True)
    assert not_less(counts, n) == pytest.approx(float(exact), rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("n", NUMBERS)
@pytest.mark.parametrize(("shape", "odds"), CASES)
def test_purchases_cut_by_the_end_of_a_lifetime(shape: float, odds: float, n: float) -> None:
    s, end = 0.6, 1.7
    counts = CutByLifetime(np.array([shape]), np.array([odds]), s, np.array([end]))
    exact = mixed_over_time(n, shape, odds, lambda v: (1 + end / odds * mp.exp(v)) ** -s)
    assert not_less(counts, n) == pytest.approx(exact, abs=1e-5)


def test_a_customer_has_the_same_probabilities_alone_and_among_others() -> None:
    shape, b = np.array([0.5, 7.5, 300.0]), np.array([2.6, 9.6, 300.0])
    odds = np.array([0.9, 2.0, 1.0])
    n = np.array([[1.0, 2.0, 40.0], [1.0, 7.0, 256.0], [1.0, 90.0, 400.0]])
    for counts in (CutByPurchase(shape, odds, 0.9, b), CutByLifetime(shape, odds, 0.6, odds / 2)):
        together = counts.at_least(n)
        alone = [counts.of(np.array([row])).at_least(n[[row]])[0] for row in range(3)]
        assert np.array_equal(together, np.stack(alone))
