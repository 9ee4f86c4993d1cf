"""The maximum of a posterior density, and how sharp it is.

L-BFGS-B (Byrd, Lu, Nocedal & Zhu 1995) with the analytic gradient comes near; Newton's steps with
differences of the gradient come home and leave the observed information behind.
"""

from collections.abc import Callable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats

Objective = Callable[[Floats], tuple[float, Floats]]
"""A function of k numbers and its gradient, to be maximised."""

BOUND = 11.0
"""The search goes no further from 0 in any direction, by a factor of 60,000 in a parameter: beyond,
the figures are no more than rounding, and what the customers are said to do changes no more."""

DIFFERENCE = 1e-4
"""Step of the differences of the gradient."""

GAIN_MIN = 1e-6
"""The step of Newton's that promises to raise the maximum by less is the last: it ends within about
the square of that, and a millionth is well above rounding in sums over a million customers."""

GAIN_NEAR = 1e-2
"""So near the top a step is taken as it is: rounding may hide that it leads higher."""

NEWTON_STEPS_MAX = 20
HALVINGS_MAX = 30


class Maximum(Struct, frozen=True):
    """Where the maximum lies."""

    place: Floats
    """Shape (k,)."""
    covariance: NDArray[np.float64]
    """Inverse of the observed information there, shape (k, k)."""
    converged: bool


def maximum(objective: Objective, k: int, weight: float, variance_max: float) -> Maximum:
    """Find the maximum of ``objective``, which is near 0 to within some orders of e.

    Args:
        objective: a log-density of k numbers.
        k: how many.
        weight: order of magnitude of the objective's curvature, such as the number of customers.
        variance_max: no direction is taken to be less known than by this variance.
    """
    from scipy.optimize import minimize  # noqa: PLC0415 - half of SciPy: a worker may never fit

    def descent(place: Floats) -> tuple[float, Floats]:
        value, slopes = objective(place)
        return -value / weight, -slopes / weight

    bounds = [(-BOUND, BOUND)] * k
    options = {"maxiter": 200, "ftol": 1e-11, "gtol": 1e-9}
    place = minimize(
        descent, np.zeros(k), jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).x
    return _maximum_near(place, objective, variance_max)


def _maximum_near(place: Floats, objective: Objective, variance_max: float) -> Maximum:
    covariance = variance_max * np.eye(len(place))
    for _ in range(NEWTON_STEPS_MAX):
        value, slopes = objective(place)
        # What strives over the bound is held there, and as unknown as may be.
        held = (np.abs(place) >= BOUND) & (place * slopes > 0)
        curvature = np.where(held | held[:, None], 0, information(objective, place))
        covariance = _inverse(curvature, variance_max)
        step = covariance @ np.where(held, 0, slopes)
        gain = slopes @ step / 2
        if gain < GAIN_MIN:
            return Maximum(_bounded(place + step), covariance, converged=True)
        near = gain < GAIN_NEAR
        place = _bounded(place + step) if near else _higher(objective, place, value, step)
    return Maximum(place, covariance, converged=False)


def information(objective: Objective, place: Floats) -> NDArray[np.float64]:
    """Return the observed information, minus the second derivatives, shape (k, k)."""
    steps = DIFFERENCE * np.eye(len(place))
    rows = [
        (objective(place - step)[1] - objective(place + step)[1]) / (2 * DIFFERENCE)
        for step in steps
    ]
    return (np.array(rows) + np.array(rows).T) / 2


def _inverse(of: NDArray[np.float64], variance_max: float) -> NDArray[np.float64]:
    """Return the inverse of a symmetric matrix, with no principal variance above the greatest."""
    values, vectors = np.linalg.eigh(of)
    inverse: NDArray[np.float64] = (vectors / np.maximum(values, 1 / variance_max)) @ vectors.T
    return inverse


def _higher(objective: Objective, place: Floats, value: float, step: Floats) -> Floats:
    """Return where the first of ever shorter steps leads that leads higher; if none, ``place``."""
    for _ in range(HALVINGS_MAX):
        trial = _bounded(place + step)
        if objective(trial)[0] > value:
            return trial
        step = step / 2
    return place


def _bounded(place: Floats) -> Floats:
    return np.clip(place, -BOUND, BOUND)
