"""When a figure that falls with silence comes down to a target, by Newton's method."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats, Histories

_STEPS_MAX = 100
_NEAR = 3e-8
"""Of y, and of 1 where y is less. Newton's error is squared at each step: behind one as short as
this it is below a second in thousands of years."""

Rows = NDArray[np.intp]


def falls_to_zero(excess: Callable[[Floats, Rows], tuple[Floats, Floats]], end: Floats) -> Floats:
    """Return the y at which each row's ``excess`` comes down to 0, shape (n,): 0 if it is there.

    Newton's steps from ``end``, and halving where one would leave the bracket. A row's result does
    not depend on the others'.

    Args:
        excess: (y, their rows) → its values and slopes; falling in y, and not above 0 at ``end``.
        end: finite, shape (n,); below 0 counts as 0.
    """
    low, high = np.zeros_like(end), np.maximum(end, 0.0)
    everyone = np.arange(len(end))
    above, _ = excess(low, everyone)
    high[above <= 0] = 0.0
    y = high.copy()
    rows = np.flatnonzero(high > 0)
    for _ in range(_STEPS_MAX):
        if not len(rows):
            break
        value, slope = excess(y[rows], rows)
        low[rows] = np.where(value > 0, y[rows], low[rows])
        high[rows] = np.where(value > 0, high[rows], y[rows])
        falling = slope < 0
        step = y[rows] - value / np.where(falling, slope, -1.0)
        inside = falling & (step >= low[rows]) & (step <= high[rows])
        step = np.where(inside, step, (low[rows] + high[rows]) / 2)
        moved = ~inside | (np.abs(step - y[rows]) > _NEAR * np.maximum(step, 1.0))
        y[rows] = step
        rows = rows[moved]
    return y


def levels_inside(probability: Floats | float) -> tuple[NDArray[np.bool_], Floats]:
    """Return which levels are between 0 and 1, and the levels, 0.5 in the place of the others."""
    level = np.asarray(probability, dtype=np.float64)
    inside = (level > 0) & (level < 1)
    return inside, np.where(inside, level, 0.5)


def at_either_end(customers: Histories, probability: Floats | float) -> Floats:
    """Return the age at which a probability that is 0 or 1, or always reached, is: t_x or never."""
    return np.where(np.asarray(probability) < 1, customers.t_x, np.inf)


def log_lomax_scale(shape: Floats, time: float, survival: Floats) -> Floats:
    """Return ln of the scale A at which (1 + time/A)^−shape is ``survival``.

    Args:
        shape: above 0, shape (n,).
        time: above 0.
        survival: between 0 and 1, shape (n,) or one for all.
    """
    power = -np.log(survival) / shape
    log_scale: Floats = np.log(time) - power - np.log(-np.expm1(-power))
    return log_scale
