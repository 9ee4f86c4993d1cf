"""What the models know of a customer: sufficient statistics, many customers at once."""

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


class Histories(Struct, frozen=True):
    """Purchase histories of n customers, in one time unit; every array has shape (n,).

    A day with at least one purchase is one occasion.
    """

    x: Floats
    """Repeat occasions: whole, 0 or more."""
    t_x: Floats
    """Time from the first occasion to the last: 0 to T, and 0 where x is 0."""
    T: Floats
    """Time from the first occasion to the instant of the forecast."""


def histories(x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Histories:
    """Return checked histories; scalars and arrays are broadcast to one shape (n,).

    Raises:
        ValueError: a number is not finite, negative, or t_x is above T; the message says which.
    """
    columns = np.broadcast_arrays(
        *(np.atleast_1d(np.asarray(column, dtype=np.float64)) for column in (x, t_x, T))
    )
    for name, column in zip(("x", "recency", "age"), columns, strict=True):
        if not (np.isfinite(column) & (column >= 0)).all():
            raise ValueError(f"{name} must be a finite number, 0 or more")
    if (columns[1] > columns[2]).any():
        raise ValueError("recency is counted from the first purchase: it cannot be above age")
    return Histories(*columns)
