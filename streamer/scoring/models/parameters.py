"""The ranges in which parameters and horizons are taken: wide enough for any shop and time unit."""

from math import isfinite

SHAPE_MIN, SHAPE_MAX = 1e-6, 1e6
"""Of r, s, a, b, p and q: pure numbers."""

SCALE_MIN, SCALE_MAX = 1e-9, 1e12
"""Of alpha, beta (times) and gamma (money): in whatever unit."""


def check_shapes(**shapes: float) -> None:
    """Refuse a shape that is no number from ``SHAPE_MIN`` to ``SHAPE_MAX``, by its name.

    Raises:
        ValueError: as said.
    """
    _check(shapes, SHAPE_MIN, SHAPE_MAX)


def check_scales(**scales: float) -> None:
    """Refuse a scale that is no number from ``SCALE_MIN`` to ``SCALE_MAX``, by its name.

    Raises:
        ValueError: as said.
    """
    _check(scales, SCALE_MIN, SCALE_MAX)


def _check(values: dict[str, float], low: float, high: float) -> None:
    for name, value in values.items():
        if not low <= value <= high:  # nan is refused too
            raise ValueError(f"{name} must be above 0, a number from {low:g} to {high:g}")


def check_span(horizon: float, *, rate: float = 0.0) -> None:
    """Refuse a horizon or a discount rate that no figure can be given for.

    Raises:
        ValueError: one is negative or no number, or the horizon is infinite and nothing discounted.
    """
    if not (isfinite(rate) and rate >= 0):
        raise ValueError("rate must be a finite number, 0 or more")
    if not horizon >= 0:
        raise ValueError("horizon must be a number, 0 or more")
    if not (isfinite(horizon) or rate > 0):
        raise ValueError("horizon must be finite where nothing is discounted")
