"""Sizing: what a change of what customers do is worth, and how many of them make a target."""

from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Decimal

from msgspec import Struct

from streamer.scoring.what_if.customer import EXACT, ZERO, Customer, check, product


class Sizing(Struct, frozen=True, kw_only=True):
    """What a change is worth."""

    value_per_customer: Decimal
    """Over all the years, undiscounted; exact; negative for a loss. What is left of it after costs:
    the customer's margin, which is 1 where it is not known."""
    target: Decimal | None
    customers_for_target: int | None
    """Target ÷ value per customer, to the nearest customer; None without a target or a gain."""
    customers_to_reach_target: int | None
    """The least number that brings the target in full."""


def sizing(
    customer: Customer,
    *,
    more_per_order: Decimal = ZERO,
    more_orders_per_year: Decimal = ZERO,
    more_years: Decimal = ZERO,
    target: Decimal | None = None,
) -> Sizing:
    """Return order value × orders a year × years × margin after the change less before it.

    Args:
        customer: before the change; the order value is not needed where only it changes.
        more_per_order: added to the order value; negative is less.
        more_orders_per_year: added to the orders a year.
        more_years: added to the years.
        target: money to be made, 0 or more.

    >>> regular = Customer(orders_per_year=Decimal(18), years=Decimal(5))
    >>> sizing(regular, more_per_order=Decimal(5)).value_per_customer
    Decimal('450')

    Raises:
        ValueError: a figure that the product needs is not known, or would fall below 0.
    """
    check("target", target)
    if customer.orders_per_year is None:
        raise ValueError("orders_per_year is needed")
    if customer.order_value is None and (more_orders_per_year or more_years):
        raise ValueError("order_value is needed where frequency or lifespan change")
    # Where nothing but the order value changes only its change counts: any value serves.
    value = max(ZERO, -more_per_order) if customer.order_value is None else customer.order_value
    before = value, customer.orders_per_year, customer.years
    added = more_per_order, more_orders_per_year, more_years
    after = [EXACT.add(*pair) for pair in zip(before, added, strict=True)]
    for name, figure in zip(("order_value", "orders_per_year", "years"), after, strict=True):
        check(f"{name} after the change", figure)
    more = EXACT.subtract(product(*after), product(*before))
    gain = EXACT.multiply(more, customer.margin)
    return Sizing(
        value_per_customer=gain,
        target=target,
        customers_for_target=_customers(target, gain, ROUND_HALF_EVEN),
        customers_to_reach_target=_customers(target, gain, ROUND_CEILING),
    )


def _customers(target: Decimal | None, gain: Decimal, rounding: str) -> int | None:
    if target is None or gain <= 0:
        return None
    return int(EXACT.divide(target, gain).to_integral_value(rounding))
