"""Which distribution the purchases to come have in which model."""

import numpy as np

from streamer.scoring.models.beta_geometric import BetaGeometric
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.parameters import check_span
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive.counts import Counts, CutByLifetime, CutByPurchase

_ODDS_MIN = 1e-200
"""Stands for 0, which has no logarithm."""


def counts_ahead(
    model: PurchaseModel, customers: Histories, horizon: float, correction: Floats | float
) -> Counts:
    """Return the number of purchases in (T, T + horizon], given alive.

    Forecasts of a shop may be found too low or too high. ``correction`` then multiplies the rates
    of its customers from T on, λ' = c·λ; who is alive, and what ends the buying, stay as they are.
    In Pareto/NBD the expectation is multiplied by just c, in (M)BG/NBD by less than c, because more
    purchases are more chances to leave. Unlike a factor on the bounds it moves P(no purchase) too,
    and leaves numbers whole.

    Args:
        model: with its parameters.
        customers: n histories.
        horizon: in the model's time unit, finite, 0 or more.
        correction: above 0, shape (n,) or one for all.

    Raises:
        ValueError: ``horizon`` is out of range.
        TypeError: the model is none of those this is known of.
    """
    check_span(horizon)
    match model:
        case BetaGeometric():
            b = model.b + model.chances(customers.x)
            odds = correction * horizon / (model.alpha + customers.T)
            return CutByPurchase(model.r + customers.x, np.maximum(odds, _ODDS_MIN), model.a, b)
        case ParetoNbd():
            odds = correction * horizon / (model.alpha + customers.T)
            end = horizon / (model.beta + customers.T)
            return CutByLifetime(
                model.r + customers.x,
                np.maximum(odds, _ODDS_MIN),
                model.s,
                np.maximum(end, _ODDS_MIN),
            )
        case _:
            raise TypeError(f"{model!r} has no predictive distribution here")
