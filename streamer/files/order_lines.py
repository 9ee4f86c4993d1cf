"""Lines of orders put together: many shops export a row for each product, not for each order.

Only where a row's amount is its own price times its own quantity is it sure to be a part; an
amount that the file gives may as well be the whole order's.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import groupby
from operator import attrgetter

import msgspec

from streamer.files.transactions import MONEY, Transaction, content


def whole_orders(rows: Iterable[Transaction]) -> Iterator[Transaction]:
    """Make one transaction of the parts that share instant, customer and order.

    Only the rows of one instant are remembered.

    Args:
        rows: In the order of their event times.
    """
    for _, instant in groupby(rows, attrgetter("occurred_at")):
        first, *others = instant
        yield from _whole([first, *others]) if others else [first]


def _whole(rows: list[Transaction]) -> Iterator[Transaction]:
    orders: dict[object, list[Transaction]] = {}
    for number, row in enumerate(rows):
        order = row.details.get("order_id")
        parts = row.in_part and order is not None
        orders.setdefault((row.customer_id, order) if parts else number, []).append(row)
    for parts_of_one in orders.values():
        yield parts_of_one[0] if len(parts_of_one) == 1 else _together(parts_of_one)


def _together(parts: list[Transaction]) -> Transaction:
    """Return the order of these lines: money is added up, the rest is as one of them says."""
    first, *_ = parts = sorted(parts, key=content)  # the same order, whatever the file's
    amount = _sum(part.amount for part in parts)
    details = {name: value for name, value in first.details.items() if name not in MONEY}
    for name in MONEY:
        given = [part.details[name] for part in parts if name in part.details]
        if len(given) == len(parts):
            details[name] = _sum(given)
    items = [item for part in parts for item in part.details.get("items", ())]
    if items:
        details["items"] = items
    line = min(part.line for part in parts)
    return msgspec.structs.replace(first, amount=amount, details=details, line=line)


def _sum(amounts: Iterable[str]) -> str:
    return format(sum(map(Decimal, amounts), Decimal()), "f")
