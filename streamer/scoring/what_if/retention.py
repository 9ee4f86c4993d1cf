"""What some points of retention do to the profit of a customer."""

from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from streamer.scoring.what_if.customer import EXACT, HUNDRED, ONE, Customer


class RetentionChange(Struct, frozen=True, kw_only=True):
    """What some points of retention are worth."""

    retention_rate: Decimal
    changed_retention_rate: Decimal
    margin_multiple: Decimal
    changed_margin_multiple: Decimal
    profit_per_customer: Decimal | None
    """None where order value or frequency are not known."""
    changed_profit_per_customer: Decimal | None
    profit_percent: Decimal | None
    """Change of the profit or, where that is not known, of the margin multiple. None where there
    is nothing above 0 to compare with."""


def retention_change(customer: Customer, points: Decimal) -> RetentionChange:
    """Return what ``points`` of retention, in percentage points, do to ``customer``'s profit.

    >>> from decimal import Decimal
    >>> change = retention_change(Customer(), Decimal(5))  # 0.80/0.30 against 0.75/0.35
    >>> round(change.profit_percent, 2)
    Decimal('24.44')

    Raises:
        ValueError: the retention rate would leave 0 to 1.
    """
    rate = EXACT.add(customer.retention_rate, EXACT.divide(points, HUNDRED))
    changed = replace(customer, retention_rate=rate)
    before, after = customer.profit, changed.profit
    multiples = customer.margin_multiple, changed.margin_multiple
    compared = multiples if before is None or after is None else (before, after)
    return RetentionChange(
        retention_rate=customer.retention_rate,
        changed_retention_rate=rate,
        margin_multiple=multiples[0],
        changed_margin_multiple=multiples[1],
        profit_per_customer=before,
        changed_profit_per_customer=after,
        profit_percent=_percent(*compared),
    )


def _percent(before: Decimal, after: Decimal) -> Decimal | None:
    if before <= 0:
        return None
    return EXACT.multiply(HUNDRED, EXACT.subtract(EXACT.divide(after, before), ONE))
