"""Forecast beside outcome: by what was known of the customers, by the forecast, and over time."""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.scoring.models.histories import Floats

FREQUENCY_MAX = 7
"""Customers with this many repeat occasions or more stand in one line."""
DECILES = 10


class Group(Struct, frozen=True):
    """Customers who have something in common, with the means of forecast and outcome."""

    group: str
    customers: int
    predicted_mean: float
    actual_mean: float


def by_frequency(x: Floats, predicted: Floats, actual: Floats) -> list[Group]:
    """Return a line for each number of repeat occasions that occurs: 0 to 6, and 7+.

    The table of conditional expectations of Fader, Hardie & Lee 2005, figure 7.

    Args:
        x: repeat occasions in the calibration, shape (n,).
        predicted: expected purchases in the holdout, shape (n,).
        actual: purchases in the holdout, shape (n,).
    """
    capped = np.minimum(x, FREQUENCY_MAX).astype(np.int64)
    members = [(number, np.flatnonzero(capped == number)) for number in range(FREQUENCY_MAX + 1)]
    return [
        _group(f"{number}+" if number == FREQUENCY_MAX else str(number), found, predicted, actual)
        for number, found in members
        if found.size
    ]


def by_decile(predicted: Floats, actual: Floats) -> list[Group]:
    """Return ten lines, the tenth of the highest forecasts first; fewer for under 10 customers.

    Customers with the same forecast stay in the order in which they stand.
    """
    order = np.argsort(-predicted, kind="stable")
    tenths = [tenth for tenth in np.array_split(order, DECILES) if tenth.size]
    return [_group(str(number), tenth, predicted, actual) for number, tenth in enumerate(tenths, 1)]


def _group(name: str, members: NDArray[np.int64], predicted: Floats, actual: Floats) -> Group:
    return Group(
        group=name,
        customers=members.size,
        predicted_mean=float(predicted[members].mean()),
        actual_mean=float(actual[members].mean()),
    )
