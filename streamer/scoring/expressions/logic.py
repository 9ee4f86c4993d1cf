"""Columns compared: flags of three values, so that what is not known is not taken for false.

A flag is int8: 2 true, 1 unknown, 0 false (Kleene 1938); ``and`` is the least, ``or`` the
greatest, ``not`` is 2 less it. CEL's ``&&`` and ``||`` treat an error in an operand likewise.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

TRUE = np.int8(2)
UNKNOWN = np.int8(1)
FALSE = np.int8(0)

Comparison = Callable[[Any, Any], Any]
COMPARISONS: dict[str, tuple[Comparison, Comparison]] = {
    "relation_lt": (operator.lt, operator.ge),
    "relation_le": (operator.le, operator.gt),
    "relation_gt": (operator.gt, operator.le),
    "relation_ge": (operator.ge, operator.lt),
}
"""By their names in CEL's grammar, each with its opposite."""

ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "addition_add": operator.add,
    "addition_sub": operator.sub,
    "multiplication_mul": operator.mul,
    "multiplication_div": operator.truediv,
}


def flags(true: Any, known: Any) -> Array:
    """Return flags that are true where ``true``, unknown where not ``known``."""
    return np.where(known, np.multiply(true, TRUE), UNKNOWN)


def known_numbers(column: Array) -> Array:
    """Return where numbers or instants are known."""
    return ~np.isnan(column)


def known_texts(column: Array) -> Array:
    """Return where texts, or lists of them, are known."""
    known: Array = column != np.array(None)
    return known


def settled(column: Array) -> Array:
    """Return where what was computed, numbers or flags, is known."""
    known: Array = column != UNKNOWN if column.dtype == np.int8 else known_numbers(column)
    return known


def ordered(comparison: tuple[Comparison, Comparison], one: Array, other: Array) -> Array:
    """Compare numbers or instants: unknown where one of them is, and so neither way is true."""
    compare, opposite = comparison
    holds: Array = np.subtract(compare(one, other), opposite(one, other), dtype=np.int8)
    return holds + UNKNOWN


def equal_numbers(one: Array, other: Array) -> Array:
    """Return where numbers or instants are equal, or both null."""
    same: Array = (one == other) | ~(known_numbers(one) | known_numbers(other))
    return same


def equal_objects(one: Array, other: Array) -> Array:
    """Return where texts or flags are equal, or both null."""
    return np.asarray(one == other).astype(bool)


def among_numbers(column: Array, options: tuple[float, ...]) -> Array:
    """Return where numbers are one of ``options``; null is none."""
    return flags(np.isin(column, options), known=True)


def among_texts(column: Array, options: tuple[str, ...]) -> Array:
    """Return where texts are one of ``options``; null is none."""
    wanted = frozenset(options)
    found = np.array([one in wanted for one in column.ravel()], dtype=bool)
    return flags(found.reshape(column.shape), known=True)


def holding(column: Array, text: str) -> Array:
    """Return where lists of texts hold ``text``."""
    found = np.array([one is not None and text in one for one in column], dtype=bool)
    return flags(found, known_texts(column))
