"""How well forecasts put customers in order, whatever their level.

Ties are nobody's fault: each figure is its mean over all the orders of tied customers.
"""

import numpy as np
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats

TOP = 0.1
"""Share of the customers that a shop would pick: a tenth."""


def mid_ranks(values: Floats) -> Floats:
    """Return the ranks from 1 to n, shape (n,); tied values share the mean of their ranks.

    >>> mid_ranks(np.array([3.0, 1.0, 3.0]))
    array([2.5, 1. , 2.5])
    """
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def spearman(predicted: Floats, actual: Floats) -> float | None:
    """Return Spearman's rank correlation, −1 to 1; None where either is constant.

    >>> spearman(np.array([0.1, 0.2, 0.3]), np.array([0.0, 5.0, 2.0]))
    0.5
    """
    ranks = [_centred(mid_ranks(values)) for values in (predicted, actual)]
    scale = np.sqrt((ranks[0] @ ranks[0]) * (ranks[1] @ ranks[1]))
    return float(ranks[0] @ ranks[1] / scale) if scale else None


def normalised_gini(predicted: Floats, actual: Floats) -> float | None:
    """Return the Gini index of ``actual`` in the order of ``predicted``, over that in its own.

    Both are twice the area between the curve of cumulative purchases and the diagonal, which is
    proportional to the covariance of purchases and ranks (Lerman & Yitzhaki 1984): 1 for a
    perfect order, 0 for none, −1 for the reverse. None where ``actual`` is constant.
    """
    best = _centred(mid_ranks(actual)) @ actual
    return float(_centred(mid_ranks(predicted)) @ actual / best) if best else None


def auc(score: Floats, positive: NDArray[np.bool_]) -> float | None:
    """Return P(the score of a positive is above that of a negative), a tie being half.

    The area under the receiver operating characteristic, by Mann & Whitney's U. None where there
    are no positives or no negatives.

    >>> auc(np.array([0.9, 0.4, 0.4]), np.array([True, True, False]))
    0.75
    """
    positives = int(np.count_nonzero(positive))
    negatives = positive.size - positives
    if not positives or not negatives:
        return None
    wins = mid_ranks(score)[positive].sum() - positives * (positives + 1) / 2
    return float(wins / (positives * negatives))


def top_decile_capture(predicted: Floats, actual: Floats) -> float | None:
    """Return the share of all purchases by the tenth of customers with the highest forecasts.

    The tenth is rounded up to whole customers. None where there were no purchases.
    """
    total = float(actual.sum())
    if not total:
        return None
    chosen = int(np.ceil(TOP * predicted.size))
    edge = np.partition(predicted, -chosen)[-chosen]
    above, tied = predicted > edge, predicted == edge
    places = chosen - np.count_nonzero(above)
    captured = actual[above].sum() + places * actual[tied].mean()
    return float(captured / total)


def _centred(values: Floats) -> Floats:
    centred: Floats = values - values.mean()
    return centred
