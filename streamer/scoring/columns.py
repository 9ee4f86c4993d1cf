"""Many rows at their instants, as arrays: measures work on these, a batch at a time."""

from collections.abc import Sequence
from itertools import chain
from operator import attrgetter
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from streamer.records.instants import DAY
from streamer.scoring.rhythm import Floats, Instants
from streamer.state.row import Row
from streamer.state.windows import DAY_FIELDS, ORDERS, REFUNDED, REVENUE, WINDOW_DAYS

Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_FIELDS = (
    "first_purchase_at",
    "last_purchase_at",
    "previous_purchase_at",
    "occasions",
    "orders",
    "revenue",
    "refunded",
    "first_day_revenue",
    "costed_orders",
    "cost",
)


class Earlier(Struct, frozen=True, gc=False):
    """What a row said at some moment of what forecasts are made of: fields as in ``Row``."""

    first_purchase_at: int
    last_purchase_at: int
    previous_purchase_at: int
    occasions: int
    orders: int
    revenue: int
    refunded: int
    first_day_revenue: int
    costed_orders: int
    cost: int
    as_of: int


def earlier_of(row: Row) -> Earlier:
    """Return what ``row`` says now; it may go on changing."""
    return Earlier(
        row.first_purchase_at,
        row.last_purchase_at,
        row.previous_purchase_at,
        row.occasions,
        row.orders,
        row.revenue,
        row.refunded,
        row.first_day_revenue,
        row.costed_orders,
        row.cost,
        row.as_of,
    )


class PurchaseColumns(Struct, frozen=True):
    """What n customers bought up to instants; every array has shape (n,)."""

    as_of: Instants
    first: Instants
    last: Instants
    previous: Instants
    occasions: Integers
    orders: Integers
    revenue: Integers
    first_day_revenue: Integers
    net: Integers
    margin: Integers
    """Where ``costed``; elsewhere meaningless."""
    costed: Flags
    """Whether every order came with its cost, and there is one."""
    x: Floats
    """Repeat occasions."""
    t_x: Floats
    """Days from the first purchase to the last."""
    t: Floats
    """Days from the first purchase to ``as_of``."""

    def of(self, chosen: Flags) -> "PurchaseColumns":
        """Return the customers ``chosen``, shape (n,)."""
        return PurchaseColumns(
            *(getattr(self, field)[chosen] for field in PurchaseColumns.__struct_fields__)
        )

    def at(self, as_of: Instants) -> "PurchaseColumns":
        """Return the same purchases seen from other instants, shape (n,)."""
        return replace(self, as_of=as_of, t=(as_of - self.first) / DAY)


class Columns(PurchaseColumns, frozen=True):
    """n rows and the instants they are scored at."""

    rows: Sequence[Row]


def integers_of(rows: Sequence[Any], *fields: str) -> Integers:
    """Return ``fields`` of ``rows``, whole numbers, one column each: shape (fields, n)."""
    told = chain.from_iterable(map(attrgetter(*fields), rows))
    # Half the price of an array of tuples.
    flat = np.fromiter(told, np.int64, len(rows) * len(fields))
    return flat.reshape(-1, len(fields)).T


def columns_of(rows: Sequence[Row], as_of: Sequence[int]) -> Columns:
    """Return ``rows`` at ``as_of`` (microseconds since 1970, one each) as columns."""
    return Columns(rows=rows, **_arrays(rows, np.array(as_of, dtype=np.int64)))


def purchases_of(earlier: Sequence[Earlier], as_of: Instants) -> PurchaseColumns:
    """Return what there was ``earlier``, seen from ``as_of``, as columns."""
    return PurchaseColumns(**_arrays(earlier, as_of))


def joined(parts: Sequence[PurchaseColumns]) -> PurchaseColumns:
    """Return all customers of ``parts``, one part behind the other."""
    fields = PurchaseColumns.__struct_fields__
    return PurchaseColumns(
        **{field: np.concatenate([getattr(part, field) for part in parts]) for field in fields}
    )


def _arrays(rows: Sequence[Row] | Sequence[Earlier], as_of: Instants) -> dict[str, Any]:
    table = integers_of(rows, *_FIELDS)
    first, last, previous, occasions, orders, revenue, refunded, first_day, costed, cost = table
    net = revenue - refunded
    return {
        "as_of": as_of,
        "first": first,
        "last": last,
        "previous": previous,
        "occasions": occasions,
        "orders": orders,
        "revenue": revenue,
        "first_day_revenue": first_day,
        "net": net,
        "margin": net - cost,
        "costed": (orders > 0) & (orders == costed),
        "x": np.maximum(occasions - 1, 0).astype(np.float64),
        "t_x": (last - first) / DAY,
        "t": (as_of - first) / DAY,
    }


def window_sums(columns: Columns) -> tuple[Integers, Integers]:
    """Return orders and net revenue of the last ``WINDOW_DAYS`` UTC days, shapes (n, 4).

    A window ends with the day of ``as_of``.
    """
    n = len(columns.rows)
    lengths = [len(row.days) // DAY_FIELDS for row in columns.rows]
    days = chain.from_iterable([row.days for row in columns.rows])
    flat = np.fromiter(days, np.int64, sum(lengths) * DAY_FIELDS).reshape(-1, DAY_FIELDS)
    owner = np.repeat(np.arange(n), lengths)
    age = (columns.as_of // DAY)[owner] - flat[:, 0]
    # A day in a window is in every wider one too: count it in the narrowest, then accumulate.
    narrowest = np.searchsorted(WINDOW_DAYS, age, side="right")
    cell = owner * (len(WINDOW_DAYS) + 1) + narrowest
    shape = n, len(WINDOW_DAYS) + 1
    orders = np.zeros(shape, np.int64)
    revenue = np.zeros(shape, np.int64)
    np.add.at(orders.reshape(-1), cell, flat[:, ORDERS])
    np.add.at(revenue.reshape(-1), cell, flat[:, REVENUE] - flat[:, REFUNDED])
    return orders[:, :-1].cumsum(axis=1), revenue[:, :-1].cumsum(axis=1)
