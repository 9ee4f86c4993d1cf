"""How far forecasts were from what happened: bias, absolute and squared error, deviance, coverage.

Where ``customers`` can be given, an entry stands for so many customers with one forecast, and the
outcome is their mean: these scores' differences between two forecasts need no more than that.
"""

import numpy as np
from scipy.special import xlog1py, xlogy

from streamer.scoring.models.histories import Floats

TINY = np.finfo(np.float64).tiny
"""Least forecast that a logarithm is taken of."""


def bias_percent(predicted: Floats, actual: Floats) -> float | None:
    """Return how much larger the predicted total is than the actual one, in percent.

    Args:
        predicted: expected purchases, shape (n,).
        actual: purchases, shape (n,).

    Returns:
        Negative for too low a forecast; None where there was no purchase.

    >>> bias_percent(np.array([1.0, 2.0]), np.array([4.0, 0.0]))
    -25.0
    """
    total = float(actual.sum())
    return 100 * (float(predicted.sum()) - total) / total if total else None


def mean_absolute_error(predicted: Floats, actual: Floats) -> float:
    """Return the mean of |predicted − actual|, n at least 1."""
    return float(np.abs(predicted - actual).mean())


def root_mean_squared_error(predicted: Floats, actual: Floats) -> float:
    """Return the square root of the mean of (predicted − actual)², n at least 1."""
    return float(np.sqrt(np.square(predicted - actual).mean()))


def poisson_deviance(predicted: Floats, actual: Floats, customers: Floats | None = None) -> float:
    """Return the mean Poisson deviance, 2·[y ln(y/μ) − (y − μ)]: 0 for a perfect forecast.

    It is a proper score of means: the true expectation has the least expected deviance (McCullagh
    & Nelder 1989, section 2.3).

    Args:
        predicted: expected purchases μ, 0 or more, shape (n,); 0 is taken as the least number.
        actual: purchases y, 0 or more, shape (n,), n at least 1.
        customers: how many each entry stands for, shape (n,); 1 by default.
    """
    least = np.maximum(predicted, TINY)
    # The logarithms apart: y / μ overflows where μ is the least number.
    log_ratio = xlogy(actual, np.maximum(actual, TINY)) - actual * np.log(least)
    return float(np.average(2 * (log_ratio - actual + predicted), weights=customers))


def brier_score(probability: Floats, happened: Floats, customers: Floats | None = None) -> float:
    """Return the mean of (probability − outcome)² (Brier 1950), 0 to 1.

    Args:
        probability: of the outcome, shape (n,), n at least 1.
        happened: 1 where it came, 0 where not, shape (n,); a share for several customers.
        customers: how many each entry stands for, shape (n,); 1 by default.
    """
    # (p − 1)²·y + p²·(1 − y), which for y of 0 or 1 is (p − y)².
    squares = np.square(probability) - 2 * probability * happened + happened
    return float(np.average(squares, weights=customers))


def log_loss(probability: Floats, happened: Floats, customers: Floats | None = None) -> float:
    """Return the mean of −ln(probability given to what happened).

    An outcome that was called impossible costs −ln of the least number, not ∞.

    Args:
        probability: of the outcome, shape (n,), n at least 1.
        happened: 1 where it came, 0 where not, shape (n,); a share for several customers.
        customers: how many each entry stands for, shape (n,); 1 by default.
    """
    inside = np.clip(probability, TINY, 1 - np.finfo(np.float64).epsneg)
    losses = -xlogy(happened, inside) - xlog1py(1 - happened, -inside)
    return float(np.average(losses, weights=customers))


def interval_coverage(low: Floats, high: Floats, actual: Floats) -> float | None:
    """Return the share of customers whose purchases lie within low to high, ends included.

    None where there are no customers.
    """
    return float(((low <= actual) & (actual <= high)).mean()) if actual.size else None
