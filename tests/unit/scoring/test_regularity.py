"""The shape of gaps against maximum likelihood by scipy, and against customers of known shape."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import digamma

from streamer.scoring.regularity import gamma_shape


def likeliest_shape(gaps: list[float]) -> float:
    """Return the root of ln k − ψ(k) = ln(mean) − mean(ln), less the bias of few gaps."""
    spread = np.log(np.mean(gaps)) - np.mean(np.log(gaps))
    k = brentq(lambda shape: np.log(shape) - digamma(shape) - spread, 1e-6, 1e9)
    bias = (3 * k - 2 / 3 * k / (1 + k) - 4 / 5 * k / (1 + k) ** 2) / len(gaps)
    return float(max(k - bias, 0))


@pytest.mark.parametrize(
    "gaps", [[7, 7, 7, 8], [1, 30, 2, 60], [10, 20, 30, 40, 50], [1, 1, 1, 365], [30, 29, 31] * 9]
)
def test_the_shape_is_the_likeliest(gaps: list[float]) -> None:
    found = gamma_shape(*(np.array([a]) for a in (len(gaps), np.mean(gaps), np.mean(np.log(gaps)))))
    assert found[0] == pytest.approx(likeliest_shape(gaps), rel=0.03)


@pytest.mark.parametrize("k", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("gaps", [6, 40])
def test_customers_of_a_shape_have_it_on_average(k: float, gaps: int) -> None:
    drawn = np.random.default_rng(1).gamma(k, 100 / k, (20_000, gaps))
    found = gamma_shape(np.full(20_000, gaps), drawn.mean(axis=1), np.log(drawn).mean(axis=1))
    assert found.mean() == pytest.approx(k, rel=0.1)
