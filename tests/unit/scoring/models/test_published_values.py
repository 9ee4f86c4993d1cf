"""The oracles: the papers' figures for CDNOW, and what `lifetimes` 0.11.3 says of random customers.

The latter is a table; `tests/support/lifetimes_answers.py` says how it was made.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Histories, histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd

TABLES: dict[str, NDArray[Any]] = dict(np.load(Path(__file__).parent / "lifetimes_answers.npz"))
CUSTOMERS = 50
"""Of one population, in consecutive rows of the tables."""

BG = BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259)
MBG = MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614)
PARETO = ParetoNbd(r=0.5533, alpha=10.578, s=0.6062, beta=11.669)


@pytest.fixture(autouse=True)
def _no_warning() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


def populations(name: str) -> list[NDArray[Any]]:
    return np.split(TABLES[name], len(TABLES[name]) // CUSTOMERS)


def nearly(found: NDArray[Any], expected: NDArray[Any]) -> bool:
    finite = np.isfinite(expected)  # lifetimes overflows for some
    assert np.isfinite(found).all()
    assert finite.mean() > 0.9
    return bool((np.abs(found - expected)[finite] <= 1e-9 * np.abs(expected[finite])).all())


@pytest.mark.parametrize(
    ("name", "kind"), [("mbg_nbd", MbgNbd), ("bg_nbd", BgNbd), ("pareto_nbd", ParetoNbd)]
)
def test_lifetimes_says_the_same(name: str, kind: Any) -> None:
    for rows in populations(name):
        model = kind(*rows[0, :4])
        assert model.name == name
        x, t_x, T, horizons, alive, expected, of_new = rows[:, 4:].T
        customers = histories(x, t_x, T)
        assert nearly(model.probability_alive(customers), alive)
        assert nearly(model.expected_purchases(customers, horizons[0]), expected)
        assert nearly(model.new_customer_purchases(horizons), of_new)


def test_lifetimes_says_the_same_of_values() -> None:
    for rows in populations("gamma_gamma"):
        p, q, gamma = rows[0, :3]
        x, mean, expected = rows[:, 3:].T
        assert nearly(GammaGamma(p, q, gamma).expected_value(x, mean), expected)


def cdnow() -> Histories:
    x, t_x, T = TABLES["cdnow"].astype(float).T
    return histories(x, t_x / 7, T / 7)


@pytest.mark.parametrize(
    ("model", "total"), [(BG, 1653), (MBG, 1577), (PARETO, 1666)], ids=lambda value: str(value)[:4]
)
def test_the_forecast_of_cdnows_holdout_is_the_published_one(model: Any, total: int) -> None:
    assert round(model.expected_purchases(cdnow(), 39).sum()) == pytest.approx(total, abs=1)


def test_the_customer_of_the_bg_nbd_note() -> None:
    customer = histories(2, 30.43, 38.86)
    assert round(float(BG.expected_purchases(customer, 39)[0]), 3) == 1.226


def test_transactions_to_come_are_those_of_the_2005_paper() -> None:
    """Fader, Hardie & Lee 2005, JMR 42:415, eq. 2, by mpmath's confluent hypergeometrics."""
    rate = math.log(1.15) / 52  # their 15 % a year, with weeks as the unit
    customers = histories([0, 1, 7], [0, 50, 75], 77.86)
    found = PARETO.discounted_purchases(customers, np.inf, rate)
    for x, alive, transactions in zip(
        customers.x, PARETO.probability_alive(customers), found, strict=True
    ):
        s, B = PARETO.s, PARETO.beta + 77.86
        known = rate ** (s - 1) * B**s * mpmath.hyperu(s, s, rate * B)
        known *= alive * (PARETO.r + x) / (PARETO.alpha + 77.86)
        assert transactions == pytest.approx(float(known), rel=1e-9)


def test_without_a_finite_mean_a_value_is_infinite() -> None:
    model = GammaGamma(p=0.5, q=0.4, gamma=10)
    found = model.expected_value(np.array([0.0, 1.0, 2.0]), np.array([0.0, 20.0, 20.0]))
    # p·x + q − 1 is −0.6, −0.1 and 0.4
    assert found.tolist() == [np.inf, np.inf, pytest.approx(0.5 * (10 + 40) / 0.4)]


def test_a_simulated_shops_mean_values_come_back() -> None:
    """ν ~ Gamma(q, gamma), z ~ Gamma(p, ν): E[p/ν | mean of x values], by draws near one mean."""
    generator = np.random.default_rng(1)
    p, q, gamma, x = 4.0, 3.0, 30.0, 3
    rates = generator.gamma(q, 1 / gamma, 400_000)
    means = generator.gamma(p * x, 1 / rates) / x
    near = np.abs(means - 60) < 1.5
    expected = GammaGamma(p, q, gamma).expected_value(np.array([3.0]), np.array([60.0]))
    assert (p / rates[near]).mean() == pytest.approx(expected[0], rel=0.01)
