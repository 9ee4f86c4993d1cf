"""Predictive intervals by drawing: what a customer will do, not what they do on average."""

import numpy as np

from streamer.scoring.models.beta_geometric import BetaGeometric
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.pareto_nbd import ParetoNbd

_DRAWS = 20_000


def purchase_interval(
    model: BetaGeometric | ParetoNbd, customers: Histories, horizon: float, level: float
) -> tuple[Floats, Floats]:
    """Return the (1 − level)/2 and (1 + level)/2 quantiles of the purchases in (T, T + horizon].

    Args:
        model: any of the purchase models.
        customers: n histories.
        horizon: finite, above 0.
        level: between 0 and 1.
    """
    generator = np.random.default_rng(1)
    shape = _DRAWS, len(customers.x)
    rates = generator.gamma(model.r + customers.x, size=shape) / (model.alpha + customers.T)
    if isinstance(model, ParetoNbd):
        leaving = generator.gamma(model.s, size=shape) / (model.beta + customers.T)
        lifetimes = generator.exponential(size=shape) / np.maximum(leaving, 1e-300)
        purchases = generator.poisson(rates * np.minimum(lifetimes, horizon))
    else:
        chances = generator.beta(model.a, model.b + model.chances(customers.x), size=shape)
        last = generator.geometric(np.maximum(chances, 1e-9))
        purchases = np.minimum(generator.poisson(rates * horizon), last)
    purchases = np.where(generator.random(shape) < model.probability_alive(customers), purchases, 0)
    low, high = np.quantile(
        purchases, [(1 - level) / 2, (1 + level) / 2], axis=0, method="inverted_cdf"
    )
    return low.astype(np.float64), high.astype(np.float64)
