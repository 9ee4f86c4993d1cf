"""LTV by formula (V2), for a marketer to check by hand beside the model's figure.

All functions take numbers or arrays of one shape and return the like.
"""

import numpy as np

from streamer.records.instants import YEAR_DAYS
from streamer.scoring.rhythm import Floats

TENURE_DAYS_MIN = 30.0
"""Two orders in one week are no rhythm of a hundred a year: tenure counts as at least this."""

OCCASIONS_MIN = 2
"""Before the second day with a purchase there is no frequency."""


def purchase_frequency(orders: Floats, tenure_days: Floats) -> Floats:
    """Return orders a year: orders ÷ tenure, which counts as 30 days at least."""
    return orders * YEAR_DAYS / np.maximum(tenure_days, TENURE_DAYS_MIN)


def formula_ltv(order_value: Floats, frequency: Floats, lifespan_years: float) -> Floats:
    """Return average order value × orders a year × years.

    >>> float(formula_ltv(np.float64(50), np.float64(4), 3))
    600.0
    """
    return order_value * frequency * lifespan_years


def formula_margin_ltv(
    yearly_margin: Floats, retention_rate: float, discount_rate: float
) -> Floats:
    """Return m · r / (1 + d − r): margin a year, kept at r a year, discounted at d.

    Gupta & Lehmann 2003, Journal of Interactive Marketing 17:9, eq. 3.

    >>> round(float(formula_margin_ltv(np.float64(100), 0.75, 0.1)), 2)
    214.29
    """
    return yearly_margin * retention_rate / (1 + discount_rate - retention_rate)
