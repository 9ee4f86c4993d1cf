"""LTV by formula (V2), for a marketer to check by hand beside the model's figure."""

from streamer.records.instants import DAY, YEAR_DAYS
from streamer.state.row import Row

TENURE_DAYS_MIN = 30.0
"""Two orders in one week are no rhythm of a hundred a year: tenure counts as at least this."""


def purchase_frequency(row: Row, as_of: int) -> float | None:
    """Return orders a year, orders ÷ tenure; null before the second occasion."""
    if row.occasions < 2:
        return None
    tenure_days = max((as_of - row.first_purchase_at) / DAY, TENURE_DAYS_MIN)
    return row.orders * YEAR_DAYS / tenure_days


def formula_ltv(order_value: float, frequency: float, lifespan_years: float) -> float:
    """Return average order value × orders a year × years.

    >>> formula_ltv(50.0, 4.0, 3.0)
    600.0
    """
    return order_value * frequency * lifespan_years


def formula_margin_ltv(yearly_margin: float, retention_rate: float, discount_rate: float) -> float:
    """Return m · r / (1 + d − r): margin a year, kept at r a year, discounted at d.

    Gupta & Lehmann 2003, Journal of Interactive Marketing 17:9, eq. 3.

    >>> round(formula_margin_ltv(100.0, 0.75, 0.1), 2)
    214.29
    """
    return yearly_margin * retention_rate / (1 + discount_rate - retention_rate)
