"""Which figure moves the profit of a customer most: elasticities, and ten percent either way.

Gupta, Lehmann & Stuart 2004, Journal of Marketing Research 41:7, compare firms so.
"""

from collections.abc import Callable
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from streamer.scoring.what_if.customer import EXACT, ONE, ZERO, Customer

CHANGE = Decimal("0.1")
"""The share by which each lever is moved, down and up."""


class Lever(Struct, frozen=True, kw_only=True):
    """A figure that moves the profit of a customer, and how much."""

    lever: str
    value: Decimal
    elasticity: Decimal | None
    """Percent of profit for one percent of the lever; None where the profit is not above 0."""
    value_at_less: Decimal
    """Ten percent less; a share of customers kept stays within 0 to 1."""
    value_at_more: Decimal
    profit_at_less: Decimal
    """Profit of a customer at that value of the lever, the rest as it is."""
    profit_at_more: Decimal

    @property
    def swing(self) -> Decimal:
        """How far apart the two profits are."""
        return abs(EXACT.subtract(self.profit_at_more, self.profit_at_less))


def levers(customer: Customer) -> list[Lever]:
    """Return the levers of ``customer``'s profit, the strongest first.

    The lifespan is that of the retention rate, 1 / (1 − r) years on average: one lever seen from
    two sides; there is none where everyone is kept. A rate that would pass 1 stops there, and
    ``value_at_more`` tells.

    Raises:
        ValueError: the order value or the orders a year are not known.
    """
    if customer.order_value is None or customer.orders_per_year is None:
        raise ValueError("order_value and orders_per_year are needed")
    lost = EXACT.subtract(ONE, customer.retention_rate)
    found = [
        _lever(customer, "order_value", customer.order_value, _with_value),
        _lever(customer, "orders_per_year", customer.orders_per_year, _with_orders),
        _lever(customer, "retention_rate", customer.retention_rate, _with_retention),
        _lever(customer, "acquisition_cost", customer.acquisition_cost, _with_cost),
    ]
    if lost:
        lifespan = EXACT.divide(ONE, lost)
        found.append(_lever(customer, "lifespan_years", lifespan, _with_lifespan))
    return sorted(found, key=lambda lever: (-lever.swing, lever.lever))


def _with_value(customer: Customer, value: Decimal) -> Customer:
    return replace(customer, order_value=value)


def _with_orders(customer: Customer, orders: Decimal) -> Customer:
    return replace(customer, orders_per_year=orders)


def _with_retention(customer: Customer, rate: Decimal) -> Customer:
    """At a rate of 1 and nothing discounted there is no value: then it stays as it is."""
    highest = ONE if customer.discount_rate else customer.retention_rate
    return replace(customer, retention_rate=min(rate, highest))


def _with_lifespan(customer: Customer, years: Decimal) -> Customer:
    rate = EXACT.subtract(ONE, EXACT.divide(ONE, max(ONE, years)))
    return _with_retention(customer, rate)


def _with_cost(customer: Customer, cost: Decimal) -> Customer:
    return replace(customer, acquisition_cost=cost)


def _lever(
    customer: Customer, name: str, value: Decimal, moved: Callable[[Customer, Decimal], Customer]
) -> Lever:
    less, more = (
        moved(customer, EXACT.multiply(value, share)) for share in (ONE - CHANGE, ONE + CHANGE)
    )
    return Lever(
        lever=name,
        value=value,
        elasticity=_elasticity(customer, name),
        value_at_less=_value(less, name),
        value_at_more=_value(more, name),
        profit_at_less=less.profit or ZERO,
        profit_at_more=more.profit or ZERO,
    )


def _value(customer: Customer, lever: str) -> Decimal:
    if lever == "lifespan_years":
        return EXACT.divide(ONE, EXACT.subtract(ONE, customer.retention_rate))
    value: Decimal = getattr(customer, lever)
    return value


def _elasticity(customer: Customer, lever: str) -> Decimal | None:
    """Return d ln(profit) / d ln(lever), for the margin multiple k = r / (1 + d − r).

    d ln k / d ln r = (1 + d) / (1 + d − r); and for r = 1 − 1/L, d ln r = (1 − r)/r · d ln L.
    """
    profit, rate = customer.profit, customer.retention_rate
    if profit is None or profit <= 0:
        return None
    if lever == "acquisition_cost":
        return EXACT.divide(-customer.acquisition_cost, profit)
    factor = ONE
    if lever in {"retention_rate", "lifespan_years"}:
        factor = EXACT.divide(EXACT.add(ONE, customer.discount_rate), customer.leaving)
    if lever == "lifespan_years":
        factor = EXACT.multiply(factor, EXACT.divide(EXACT.subtract(ONE, rate), rate))
    kept = EXACT.add(profit, customer.acquisition_cost)
    return EXACT.divide(EXACT.multiply(kept, factor), profit)
