"""Calendar months in UTC, counted from January 1970, and how many of them are kept."""

import numpy as np
from numpy.typing import NDArray

MONTHS_KEPT = 12
"""This month and the eleven before it: their days are all within the year that rows hold."""

MONTHS = 12
FIRST_YEAR = 1970


def months_of(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the months of ``days`` (since 1970-01-01), in their shape."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_month(today: int) -> int:
    """Return the first month that is kept on the day ``today`` (since 1970-01-01).

    >>> label(first_month(20_454))  # 2026-01-01
    '2025-02'
    """
    return int(months_of(np.array(today))) - MONTHS_KEPT + 1


def label(month: int) -> str:
    """Return ``month`` as in ISO 8601.

    >>> label(0), label(671)
    ('1970-01', '2025-12')
    """
    years, months = divmod(month, MONTHS)
    return f"{FIRST_YEAR + years:04d}-{months + 1:02d}"
