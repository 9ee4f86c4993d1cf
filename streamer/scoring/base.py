"""The base of customers as the models' fits see it: histories up to a day, and what came after.

Days are UTC and whole, as in fits of files. The rows keep a year and the lateness of days, so a
base can be looked at as it was on any day of that time.
"""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.records.money import UNIT
from streamer.scoring.columns import integers_of
from streamer.scoring.models.histories import Floats, Histories
from streamer.state.row import Row
from streamer.state.windows import DAY_FIELDS, ORDERS, REVENUE

_FIELDS = "occasions", "first_day", "revenue", "refunded", "first_day_revenue"


class Base(Struct, frozen=True):
    """n customers who had purchased by a day; every array has shape (n,), time is in days."""

    customers: Histories
    mean_value: Floats
    """Of the repeat occasions, net of refunds, in the reporting currency; 0 where x is 0."""
    purchases: Floats
    """Occasions after that day, up to the end."""


class Days(Struct, frozen=True):
    """The rows' days as columns: one entry a day that has orders, m in all; shape (m,) each."""

    owner: NDArray[np.int64]
    """Place of the row."""
    day: NDArray[np.int64]
    """Since 1970."""
    revenue: NDArray[np.int64]
    totals: NDArray[np.int64]
    """Shape (5, n): occasions, first day, revenue, refunded and the first day's revenue."""


def days_of(rows: Sequence[Row]) -> Days:
    """Return the days of the ``rows`` that hold a purchase."""
    bought = [row for row in rows if row.orders]
    lengths = [len(row.days) // DAY_FIELDS for row in bought]
    flat = np.array(list(chain.from_iterable(row.days for row in bought)), dtype=np.int64).reshape(
        -1, DAY_FIELDS
    )
    occasions = flat[:, ORDERS] > 0
    return Days(
        owner=np.repeat(np.arange(len(bought)), lengths)[occasions],
        day=flat[occasions, 0],
        revenue=flat[occasions, REVENUE],
        totals=integers_of(bought, *_FIELDS),
    )


def base_at(days: Days, until: int, end: int) -> Base:
    """Return the base as it was at the end of the day ``until``, and what came up to ``end``.

    Args:
        days: of the rows.
        until: a day since 1970 that the rows' days still reach.
        end: a day since 1970, ``until`` or later.
    """
    occasions, first_day, revenue, refunded, first_revenue = days.totals
    n = len(occasions)
    later = days.day > until
    after = np.bincount(days.owner[later], minlength=n)
    came = np.bincount(days.owner[later & (days.day <= end)], minlength=n)
    revenue_after = np.bincount(days.owner[later], days.revenue[later], minlength=n)
    # Days stand in order, so the last of a row's entries up to then is its last occasion.
    last_day = first_day.copy()
    last_day[days.owner[~later]] = days.day[~later]
    known = first_day <= until
    x = (occasions - after - 1)[known].astype(np.float64)
    repeat = (revenue - first_revenue - revenue_after)[known] / np.maximum(x, 1)
    kept = ((revenue - refunded) / np.maximum(revenue, 1))[known]
    return Base(
        customers=Histories(
            x,
            np.where(x > 0, (last_day - first_day)[known], 0).astype(np.float64),
            (until - first_day[known]).astype(np.float64),
        ),
        mean_value=np.where(x > 0, np.maximum(repeat * kept, 0), 0) / UNIT,
        purchases=came[known].astype(np.float64),
    )
