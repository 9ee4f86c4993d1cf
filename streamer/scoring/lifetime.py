"""The best known lifetime values of rows, as numbers: the same that ``ltv-updates`` goes by."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streamer.records.instants import NEVER
from streamer.scoring.acquisition import Lifetime, lifetime_of
from streamer.scoring.bands import crossings_of
from streamer.scoring.columns import Columns, columns_of
from streamer.scoring.forecast import expectation
from streamer.scoring.formula import (
    OCCASIONS_MIN,
    formula_ltv,
    formula_margin_ltv,
    purchase_frequency,
)
from streamer.scoring.parameters import ScoringParameters
from streamer.state.row import Row


class Lifetimes(NamedTuple):
    """Of n rows."""

    values: list[int | None]
    """In millionths; None where they are not known."""
    as_of: list[int]
    """The instants that they hold for."""


def lifetimes(
    rows: Sequence[Row], until: Sequence[int], parameters: ScoringParameters
) -> Lifetimes:
    """Return each row's lifetime value.

    It is the value at the row's latest event, or where silence has taken it into another risk band
    since, at that crossing: a function of the row, of the parameters and of ``until``.

    Args:
        rows: n of them.
        until: the instant up to which silence is told of, for each.
        parameters: of the scores.
    """
    if not rows:
        return Lifetimes([], [])
    crossings = crossings_of(rows, parameters)
    told = np.where(crossings <= np.array(until)[:, None], crossings, NEVER).max(axis=1)
    as_of = np.maximum(told, [row.as_of for row in rows]).tolist()
    lifetime = _lifetime(columns_of(rows, as_of), parameters)
    values = np.rint(np.where(lifetime.known, lifetime.value, 0.0)).tolist()
    return Lifetimes(
        [
            int(value) if known else None
            for value, known in zip(values, lifetime.known.tolist(), strict=True)
        ],
        as_of,
    )


def _lifetime(columns: Columns, parameters: ScoringParameters) -> Lifetime:
    """Return what ``ltv_updates`` makes of the same columns."""
    bought, repeated = columns.orders > 0, columns.occasions >= OCCASIONS_MIN
    orders = np.maximum(columns.orders, 1).astype(np.float64)
    frequency = purchase_frequency(orders, columns.t)
    by_revenue = formula_ltv(columns.net / orders, frequency, parameters.lifespan_years)
    by_margin = formula_margin_ltv(
        columns.margin / orders * frequency, parameters.retention_rate, parameters.discount_rate
    )
    total = np.zeros(len(orders)), np.zeros(len(orders), np.bool_)
    expected = expectation(columns, parameters).value
    if expected is not None:
        earned = np.where(expected.on_margin, columns.margin, columns.net)
        mean = np.where(expected.known, expected.purchases * expected.worth, 0.0)
        total = earned + mean, bought & expected.known
    return lifetime_of(
        bought, total, (by_margin, repeated & columns.costed), (by_revenue, repeated)
    )
