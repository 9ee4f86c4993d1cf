"""Log-likelihoods and gradients against the papers' closed forms in mpmath."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import mpmath as mp
import numpy as np
import pytest

from streamer.scoring.fitting.bg_nbd import BgNbdLikelihood, MbgNbdLikelihood
from streamer.scoring.fitting.distinct import distinct
from streamer.scoring.fitting.gamma_gamma import GammaGammaLikelihood
from streamer.scoring.fitting.likelihood import Likelihood
from streamer.scoring.fitting.pareto_nbd import ParetoNbdLikelihood
from streamer.scoring.models.histories import histories

Oracle = Callable[..., Any]
"""Takes x, t_x and age, or x and mean value; then the parameters."""


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def bg_nbd(x: Any, t_x: Any, age: Any, *parameters: Any) -> Any:
    """Fader, Hardie & Lee 2005, the likelihood of r, α, a, b."""
    r, alpha, a, b = parameters
    alive = mp.beta(a, b + x) / mp.beta(a, b) / (alpha + age) ** (r + x)
    left = mp.beta(a + 1, b + x - 1) / mp.beta(a, b) / (alpha + t_x) ** (r + x) if x else 0
    return mp.log(mp.gamma(r + x) / mp.gamma(r) * alpha**r * (alive + left))


def mbg_nbd(x: Any, t_x: Any, age: Any, *parameters: Any) -> Any:
    """Batislam, Denizel & Filiztekin 2007: one more chance to leave, at the first purchase."""
    r, alpha, a, b = parameters
    alive = mp.beta(a, b + x + 1) / mp.beta(a, b) / (alpha + age) ** (r + x)
    left = mp.beta(a + 1, b + x) / mp.beta(a, b) / (alpha + t_x) ** (r + x)
    return mp.log(mp.gamma(r + x) / mp.gamma(r) * alpha**r * (alive + left))


def pareto_nbd(x: Any, t_x: Any, age: Any, *parameters: Any) -> Any:
    """Fader & Hardie 2005, with the hypergeometric functions of both cases."""
    r, alpha, s, beta = parameters
    k = r + s + x
    second, near = (s + 1, alpha) if alpha >= beta else (r + x, beta)

    def term(t: Any) -> Any:
        return mp.hyp2f1(k, second, k + 1, abs(alpha - beta) / (near + t)) / (near + t) ** k

    alive = 1 / ((alpha + age) ** (r + x) * (beta + age) ** s)
    left = s / k * (term(t_x) - term(age))
    return mp.log(mp.gamma(r + x) / mp.gamma(r) * alpha**r * beta**s * (alive + left))


def gamma_gamma(x: Any, z: Any, p: Any, q: Any, gamma: Any) -> Any:
    """Fader & Hardie, note 025, on the mean of x values."""
    front = mp.gamma(p * x + q) / (mp.gamma(p * x) * mp.gamma(q)) * gamma**q
    return mp.log(front * z ** (p * x - 1) * x ** (p * x) / (gamma + x * z) ** (p * x + q))


NBD: dict[type, Oracle] = {
    BgNbdLikelihood: bg_nbd,
    MbgNbdLikelihood: mbg_nbd,
    ParetoNbdLikelihood: pareto_nbd,
}

HOUR, YEAR = 1 / 24, 365.25
CUSTOMERS = [
    (0, 0, HOUR),
    (0, 0, 0),
    (0, 0, 30 * YEAR),
    (1, 0.5, 0.5),
    (2, 213.01, 272.02),
    (12, 1, 30 * YEAR),
    (5000, 20 * YEAR, 20 * YEAR + HOUR),
    (5000, 29 * YEAR, 30 * YEAR),
]
"""In days."""

PARAMETERS = [
    (0.55, 74.0, 0.9, 1.6),
    (0.01, 0.3, 0.05, 20.0),
    (8.0, 2000.0, 3.0, 900.0),
    (1.0, 50.0, 1.0, 50.0),
]


def likelihood_of(kind: Any, customer: Sequence[float]) -> Likelihood:
    found: Likelihood = kind(distinct(histories(*customer)))
    return found


@pytest.mark.parametrize("kind", NBD)
@pytest.mark.parametrize("parameters", PARAMETERS)
def test_purchase_likelihoods_are_exact(kind: Any, parameters: tuple[float, ...]) -> None:
    for customer in CUSTOMERS:
        with mp.workdps(400 if customer[0] > 1000 else 60):
            numbers = [mp.mpf(number) for number in (*customer, *parameters)]
            expected = float(NBD[kind](*numbers))
        value, _ = likelihood_of(kind, customer)(np.array(parameters))
        assert value == pytest.approx(expected, rel=2e-12, abs=1e-11), customer


@pytest.mark.parametrize("kind", NBD)
@pytest.mark.parametrize("parameters", PARAMETERS[:3])
def test_purchase_gradients_are_exact(kind: Any, parameters: tuple[float, ...]) -> None:
    for customer in [CUSTOMERS[0], *CUSTOMERS[3:6]]:
        with mp.workdps(60):
            numbers = [mp.mpf(number) for number in (*customer, *parameters)]
            slopes = [
                mp.diff(NBD[kind], tuple(numbers), tuple(int(i == 3 + k) for i in range(7)))
                for k in range(4)
            ]
            expected = [float(d * p) for d, p in zip(slopes, numbers[3:], strict=True)]
        _, gradient = likelihood_of(kind, customer)(np.array(parameters))
        assert gradient == pytest.approx(expected, rel=1e-10, abs=1e-11), customer


@pytest.mark.parametrize("parameters", [(6.25, 3.74, 15.44), (0.3, 1.01, 9e5), (900.0, 700.0, 3.0)])
@pytest.mark.parametrize("customer", [(1, 9.99), (3, 1e-6), (5000, 40.0), (7, 9e11)])
def test_the_value_likelihood_and_its_gradient_are_exact(
    parameters: tuple[float, ...], customer: tuple[float, float]
) -> None:
    with mp.workdps(60):
        numbers = [mp.mpf(number) for number in (*customer, *parameters)]
        expected = float(gamma_gamma(*numbers))
        slopes = [
            mp.diff(gamma_gamma, tuple(numbers), tuple(int(i == 2 + k) for i in range(5)))
            for k in range(3)
        ]
        expected_gradient = [float(d * p) for d, p in zip(slopes, numbers[2:], strict=True)]
    x, mean_value = np.array(customer[:1], dtype=float), np.array(customer[1:])
    value, gradient = GammaGammaLikelihood(x, mean_value)(np.array(parameters))
    assert value == pytest.approx(expected, rel=1e-9)
    assert gradient == pytest.approx(expected_gradient, rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("kind", NBD)
def test_a_shop_is_the_sum_of_its_customers(kind: Any) -> None:
    parameters = np.array(PARAMETERS[0])
    base = [*CUSTOMERS, CUSTOMERS[4], CUSTOMERS[0], CUSTOMERS[4]]
    together = kind(distinct(histories(*np.array(base, dtype=float).T)))(parameters)
    alone = [likelihood_of(kind, customer)(parameters) for customer in base]
    assert together[0] == pytest.approx(sum(value for value, _ in alone), rel=1e-13)
    assert together[1] == pytest.approx(sum(slopes for _, slopes in alone), rel=1e-11)
