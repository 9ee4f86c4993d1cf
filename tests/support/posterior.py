"""The oracle of predictive distributions: plain draws of what customers will do, given the past.

By the definitions in 4-models, and nothing of the code under test but P(alive).
"""

import numpy as np
from numpy.random import Generator

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd

Model = BgNbd | MbgNbd | ParetoNbd


def draw_purchases(
    model: Model,
    customers: Histories,
    horizon: float,
    rng: Generator,
    draws: int,
    *,
    correction: float = 1.0,
) -> Floats:
    """Draw the numbers of purchases in the horizon, shape (draws, customers).

    ``correction`` multiplies every rate to come.
    """
    shape = draws, len(customers.x)
    alive = rng.random(shape) < model.probability_alive(customers)
    rate = correction * rng.gamma(model.r + customers.x, 1 / (model.alpha + customers.T), shape)
    if isinstance(model, ParetoNbd):
        death = rng.gamma(model.s, 1 / (model.beta + customers.T), shape)
        lifetime = rng.standard_exponential(shape) / death
        bought = rng.poisson(rate * np.minimum(lifetime, horizon))
    else:
        first = isinstance(model, MbgNbd)
        leaving = rng.beta(model.a, model.b + customers.x + first, shape)
        bought = np.minimum(rng.poisson(rate * horizon), rng.geometric(leaving))
    return np.where(alive, bought, 0).astype(np.float64)


def draw_values(
    spend: GammaGamma, purchases: Floats, x: Floats, mean_value: Floats, rng: Generator
) -> Floats:
    """Draw what each of the drawn numbers of purchases is worth, shape (draws, customers)."""
    rate = rng.gamma(spend.q + spend.p * x, 1, purchases.shape)
    rate /= spend.gamma + x * mean_value
    # The sum of n gamma variables of one rate is gamma; n = 0 gives 0.
    return rng.gamma(np.maximum(spend.p * purchases, 1e-300), 1 / rate) * (purchases > 0)
