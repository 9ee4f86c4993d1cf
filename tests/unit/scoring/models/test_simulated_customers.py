"""The oracle: customers simulated from the models' stories, purchase by purchase."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.histories import histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd

CUSTOMERS = 100_000
T, HORIZON = 39.0, 26.0
STANDARD_ERRORS_MAX = 4.0
NEVER = 1e9


class Base:
    """Purchases of simulated customers up to T + horizon, and when each of them leaves."""

    def __init__(self, generator: np.random.Generator, rates: Any, leaves: Any) -> None:
        """Args: ``leaves`` takes the number of the purchase, from 0, and its times."""
        now = np.zeros(CUSTOMERS)
        self.left = leaves(0, now)
        self.x, self.t_x, self.later = np.zeros((3, CUSTOMERS))
        number = 0
        while (now < T + HORIZON).any():
            number += 1
            now = now + generator.exponential(1 / rates)
            bought = now < self.left
            self.x += bought & (now <= T)
            self.t_x = np.where(bought & (now <= T), now, self.t_x)
            self.later += bought & (now > T) & (now <= T + HORIZON)
            self.left = np.where(bought, np.minimum(self.left, leaves(number, now)), self.left)


def beta_geometric(model: Any, generator: np.random.Generator, first: int) -> Base:
    rates = generator.gamma(model.r, 1 / model.alpha, CUSTOMERS)
    chances = generator.beta(model.a, model.b, CUSTOMERS)

    def leaves(number: int, now: NDArray[Any]) -> NDArray[Any]:
        goes = generator.random(CUSTOMERS) < chances
        return np.where(goes & (number >= first), now, NEVER)

    return Base(generator, rates, leaves)


def mbg_nbd(model: Any, generator: np.random.Generator) -> Base:
    return beta_geometric(model, generator, first=0)


def bg_nbd(model: Any, generator: np.random.Generator) -> Base:
    return beta_geometric(model, generator, first=1)


def pareto_nbd(model: Any, generator: np.random.Generator) -> Base:
    rates = generator.gamma(model.r, 1 / model.alpha, CUSTOMERS)
    lifetimes = generator.exponential(1 / generator.gamma(model.s, 1 / model.beta, CUSTOMERS))
    return Base(generator, rates, lambda _, __: lifetimes)


def agrees(found: NDArray[Any], drawn: NDArray[Any]) -> bool:
    """Tell whether the mean of what was drawn is the mean of the figures, up to chance."""
    off = drawn - found
    return bool(abs(off.mean()) <= STANDARD_ERRORS_MAX * off.std() / np.sqrt(len(off)) + 1e-12)


@pytest.mark.parametrize(
    ("model", "simulated"),
    [
        (MbgNbd(r=0.8, alpha=7.0, a=0.9, b=1.6), mbg_nbd),
        (BgNbd(r=0.8, alpha=7.0, a=0.9, b=1.6), bg_nbd),
        (ParetoNbd(r=0.8, alpha=7.0, s=1.0, beta=12.0), pareto_nbd),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_simulated_customers_do_what_their_figures_say(
    model: Any, simulated: Callable[[Any, np.random.Generator], Base]
) -> None:
    base = simulated(model, np.random.default_rng(1))
    customers = histories(base.x, base.t_x, T)
    expected = model.expected_purchases(customers, HORIZON)
    silent = model.no_purchase_probability(customers, HORIZON)
    alive = model.probability_alive(customers)
    lately = base.t_x > 0.7 * T
    for group in (base.x == 0, base.x == 1, (base.x > 1) & lately, (base.x > 1) & ~lately):
        assert group.sum() > 1000
        assert agrees(expected[group], base.later[group])
        assert agrees(silent[group], (base.later == 0)[group])
        assert agrees(alive[group], (base.left > T)[group])
    of_new = model.new_customer_purchases(np.array([T]))
    assert agrees(np.full(CUSTOMERS, of_new[0]), base.x)
