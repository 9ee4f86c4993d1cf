"""What the models know of a customer: sufficient statistics, many customers at once."""

from typing import Self

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

_FEW = 64
"""Up to so many customers a dictionary tells who differ for less than numpy's calls."""


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

    def of(self, rows: NDArray[np.intp]) -> Self:
        """Return some of the customers."""
        return type(self)(self.x[rows], self.t_x[rows], self.T[rows])


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


def distinct(*columns: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the places of customers who differ, and where each customer is among these.

    Many are alike, as all who have just bought for the first time: a forecast serves them all.

    Args:
        columns: what counts for a forecast, shape (n,) each.

    >>> some, places = distinct(np.array([0.0, 2.0, 0.0]), np.array([1.0, 1.0, 1.0]))
    >>> some.tolist(), places.tolist()
    ([0, 1], [0, 1, 0])
    """
    table = np.array(columns)
    if table.shape[1] <= _FEW:
        return _distinct_of_few(table)
    bits = table.view(np.uint64)
    keys = np.zeros(bits.shape[1], np.uint64)
    for column in bits:
        keys = (keys ^ (keys >> _SHIFT) ^ column) * _ODD
    _, some, places = np.unique(keys, return_index=True, return_inverse=True)
    if (bits[:, some[places]] != bits).any():  # two keys are equal by chance
        some = places = np.arange(len(keys))
    return some, places


def _distinct_of_few(table: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    width, bits = table.shape[0] * table.itemsize, table.T.tobytes()
    keys = [bits[begin : begin + width] for begin in range(0, len(bits), width)]
    first: dict[bytes, int] = {}
    for customer, key in enumerate(keys):
        first.setdefault(key, customer)
    if len(first) == len(keys):
        everyone = np.arange(len(keys))
        return everyone, everyone
    number = {key: place for place, key in enumerate(first)}
    return np.array(list(first.values())), np.array([number[key] for key in keys])


_ODD, _SHIFT = np.uint64(0x9E3779B97F4A7C15), np.uint64(29)
"""Multiplying by an odd number and shifting spreads the bits (Steele et al. 2014, OOPSLA)."""
