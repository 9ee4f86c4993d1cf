"""When a figure that falls with silence comes down to a target, by Newton's method or Halley's."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats, Histories

_STEPS_MAX = 100

BY_NEWTON, BY_HALLEY = 3e-8, 1e-6
"""Newton's error is squared at each step, and Halley's cubed, in the scale at which a figure bends:
behind one as short as this it is below a second in thousands of years."""

_LEAST_SLOPE = 1e-300

Rows = NDArray[np.intp]


def falls_to_zero(
    excess: Callable[[Floats, Rows], tuple[Floats, Floats]], end: Floats, near: Floats
) -> Floats:
    """Return the y at which each row's ``excess`` comes down to 0, shape (n,): 0 if it is there.

    The steps of ``excess`` from ``end`` on, and halving where one would leave the bracket. A row's
    result does not depend on the others'.

    Args:
        excess: (y, their rows) → its values, and the steps to where it is about 0; falling in y,
            and not above 0 at ``end``.
        end: finite, shape (n,); below 0 counts as 0.
        near: the row is done behind a step as short as this, of y, and of 1 where y is less; shape
            (n,).
    """
    y = np.maximum(end, 0.0)
    (rows,) = (y > 0).nonzero()
    at = high = y[rows]
    near = near[rows]
    low = np.zeros(len(rows))
    for _ in range(_STEPS_MAX):
        if not len(rows):
            break
        value, step = excess(at, rows)
        above = value > 0
        low, high = np.where(above, at, low), np.where(above, high, at)
        to = at + step
        inside = (to >= low) & (to <= high)
        if not inside.all():
            # The root may be below 0: 0 itself tells.
            halved = np.where(~above & (to < 0) & (low == 0), 0.0, (low + high) / 2)
            to = np.where(inside, to, halved)
        y[rows] = to
        moved = np.abs(to - at) > near * np.maximum(to, 1.0)
        at = to
        if not moved.all():
            rows, at = rows[moved], at[moved]
            low, high, near = low[moved], high[moved], near[moved]
    return y


def newton_step(value: Floats, slope: Floats) -> Floats:
    """Return the step to where a line of this value and slope is 0; of no slope, one too long."""
    step: Floats = -value / np.minimum(slope, -_LEAST_SLOPE)
    return step


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
