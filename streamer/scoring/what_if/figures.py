"""The answers to all three questions, as the command line and the API give them."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from streamer.records.money import minor_digits
from streamer.scoring.what_if.customer import ZERO, Customer
from streamer.scoring.what_if.levers import levers
from streamer.scoring.what_if.retention import retention_change
from streamer.scoring.what_if.sizing import sizing

NEEDED = "needs order_value and orders_per_year"


class Changes(Struct, frozen=True, kw_only=True):
    """What is to change. Money in the reporting currency."""

    more_per_order: Decimal = ZERO
    more_orders: Decimal = ZERO
    """A year."""
    more_years: Decimal = ZERO
    target: Decimal | None = None
    """Money to be made; None asks nothing."""
    retention_points: Decimal = Decimal(5)


class SizingFigures(Struct, frozen=True, kw_only=True):
    """What a change of orders is worth: money exactly, as a decimal text."""

    value_per_customer: str
    target: str | None
    customers_for_target: int | None
    """To the nearest."""
    customers_to_reach_target: int | None


class RetentionFigures(Struct, frozen=True, kw_only=True):
    """What some points of retention are worth."""

    retention_rate: float
    changed_retention_rate: float
    margin_multiple: float
    changed_margin_multiple: float
    profit_per_customer: str | None
    changed_profit_per_customer: str | None
    profit_percent: float | None


class LeverFigures(Struct, frozen=True, kw_only=True):
    """A figure that moves the profit of a customer, and how much."""

    lever: str
    value: float
    elasticity: float | None
    value_at_less: float
    """Ten percent less; a share of customers kept stays within 0 to 1."""
    value_at_more: float
    profit_at_less: str
    profit_at_more: str
    swing: str


class WhatIf(Struct, frozen=True, kw_only=True):
    """All of it; what cannot be told is null, with its reason."""

    currency: str
    basis: Literal["revenue", "margin"]
    sizing: SizingFigures | None
    retention: RetentionFigures | None
    levers: list[LeverFigures] | None
    null_reasons: dict[str, str]


def what_if(
    customer: Customer, changes: Changes, currency: str, basis: Literal["revenue", "margin"]
) -> WhatIf:
    """Return what ``changes`` of ``customer`` are worth.

    Raises:
        ValueError: a figure is out of its range; the message names it.
    """
    digits = minor_digits(currency)
    sized = _sizing(customer, changes, digits)
    retention = _retention(customer, changes.retention_points, digits)
    found = _levers(customer, digits)
    return WhatIf(
        currency=currency,
        basis=basis,
        sizing=sized,
        retention=retention,
        levers=found,
        null_reasons={
            **_nulls_of_sizing(sized),
            **_nulls_of_retention(retention, changes.retention_points),
            **_nulls_of_levers(found),
        },
    )


def _nulls_of_sizing(found: SizingFigures | None) -> dict[str, str]:
    if found is None:
        asked = "give more_per_order, more_orders or more_years"
        return {"sizing": f"no change of orders is asked for: {asked}"}
    if found.customers_for_target is not None:
        return {}
    reason = "no target is given" if found.target is None else "the change brings nothing"
    nulls = {
        f"sizing.{name}": reason for name in ("customers_for_target", "customers_to_reach_target")
    }
    return nulls if found.target is not None else {"sizing.target": reason, **nulls}


def _nulls_of_retention(found: RetentionFigures | None, points: Decimal) -> dict[str, str]:
    if found is None:
        return {"retention": f"{points} points more take the retention rate out of 0 to 1"}
    nulls = {}
    if found.profit_per_customer is None:
        for name in ("profit_per_customer", "changed_profit_per_customer"):
            nulls[f"retention.{name}"] = NEEDED
    if found.profit_percent is None:
        nulls["retention.profit_percent"] = "there is nothing above 0 to compare with"
    return nulls


def _nulls_of_levers(found: list[LeverFigures] | None) -> dict[str, str]:
    if found is None:
        return {"levers": NEEDED}
    if any(lever.elasticity is None for lever in found):
        return {"levers.elasticity": "the profit is not above 0"}
    return {}


def _sizing(customer: Customer, changes: Changes, digits: int) -> SizingFigures | None:
    if not (changes.more_per_order or changes.more_orders or changes.more_years):
        return None
    found = sizing(
        customer,
        more_per_order=changes.more_per_order,
        more_orders_per_year=changes.more_orders,
        more_years=changes.more_years,
        target=changes.target,
    )
    return SizingFigures(
        value_per_customer=_exact(found.value_per_customer, digits),
        target=None if changes.target is None else _exact(changes.target, digits),
        customers_for_target=found.customers_for_target,
        customers_to_reach_target=found.customers_to_reach_target,
    )


def _retention(customer: Customer, points: Decimal, digits: int) -> RetentionFigures | None:
    if not 0 <= customer.retention_rate + points / 100 <= 1:
        return None
    found = retention_change(customer, points)
    return RetentionFigures(
        retention_rate=float(found.retention_rate),
        changed_retention_rate=float(found.changed_retention_rate),
        margin_multiple=float(found.margin_multiple),
        changed_margin_multiple=float(found.changed_margin_multiple),
        profit_per_customer=_rounded(found.profit_per_customer, digits),
        changed_profit_per_customer=_rounded(found.changed_profit_per_customer, digits),
        profit_percent=_float(found.profit_percent),
    )


def _levers(customer: Customer, digits: int) -> list[LeverFigures] | None:
    if customer.profit is None:
        return None
    return [
        LeverFigures(
            lever=lever.lever,
            value=float(lever.value),
            elasticity=_float(lever.elasticity),
            value_at_less=float(lever.value_at_less),
            value_at_more=float(lever.value_at_more),
            profit_at_less=f"{round(lever.profit_at_less, digits):f}",
            profit_at_more=f"{round(lever.profit_at_more, digits):f}",
            swing=f"{round(lever.swing, digits):f}",
        )
        for lever in levers(customer)
    ]


def _exact(money: Decimal, digits: int) -> str:
    """Return ``money`` with all its decimals, ``digits`` at least."""
    text = f"{money:f}"
    whole, _, fraction = text.partition(".")
    fraction = fraction.rstrip("0").ljust(digits, "0")
    return f"{whole}.{fraction}" if fraction else whole


def _rounded(money: Decimal | None, digits: int) -> str | None:
    return None if money is None else f"{round(money, digits):f}"


def _float(number: Decimal | None) -> float | None:
    return None if number is None else float(number)
