"""Transactions and the purchase events that they become."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from streamer.files.values import decimal_text, instant_of, instant_of_date, rfc3339

Event = dict[str, Any]
T = TypeVar("T")

MONEY = ("cost", "subtotal", "tax", "shipping", "discount")
TEXTS = ("event_id", "order_id", "currency", "coupon", "channel", "location")
READABLE_DATES = "write it as 2025-12-31 or 2025-12-31T23:59:59Z"
READABLE_AMOUNTS = "write a plain decimal number such as 1234.50"


class Transaction(msgspec.Struct, frozen=True):
    """One row of a file of transactions.

    The reader judges its form only; what a purchase may say is judged where every event is, so
    a negative amount or an empty customer becomes a dead letter with its reason.

    Attributes:
        occurred_at: Event time, an instant.
        customer_id: As in the file.
        amount: Plain decimal text.
        details: Further fields of the purchase event, JSON-ready.
    """

    occurred_at: int
    customer_id: str
    amount: str
    details: dict[str, Any]


def from_cells(cells: Mapping[str, object]) -> Transaction:
    """Make a transaction of a row's cells.

    Args:
        cells: Field (see `columns.ALIASES`) → text, number or date; None and "" are absent.

    Raises:
        ValueError: A cell cannot be read; the message says which and what to write.
    """
    given = {field: cell for field, cell in cells.items() if cell not in (None, "")}
    details: dict[str, Any] = {field: str(given[field]) for field in TEXTS if field in given}
    details |= {field: _amount(field, given[field]) for field in MONEY if field in given}
    amount = _amount("amount", given.get("amount", ""))
    if "product_id" in given or "category" in given:
        details["items"] = [_item(given)]
    return Transaction(
        occurred_at=_instant(given.get("occurred_at", "")),
        customer_id=str(given.get("customer_id", "")),
        amount=amount,
        details=details,
    )


def to_events(transactions: Iterable[Transaction], currency: str) -> Iterator[Event]:
    """Turn transactions in event-time order into purchase events with ids of their own.

    An id is a digest of the row, so the same row has the same id in any file, wherever it stands
    there. Equal rows are different purchases: the second is numbered 2, and so on. They have
    the same event time, so only the rows of one instant need to be remembered.

    Args:
        transactions: In the order of their event times.
        currency: ISO 4217 code for rows that name none.
    """
    seen: Counter[str] = Counter()
    instant: int | None = None
    for row in transactions:
        if row.occurred_at != instant:
            instant = row.occurred_at
            seen.clear()
        digest = blake2b(msgspec.msgpack.encode(row), digest_size=12).hexdigest()
        seen[digest] += 1
        number = seen[digest]
        yield _purchase(row, digest if number == 1 else f"{digest}-{number}", currency)


def _purchase(row: Transaction, row_id: str, currency: str) -> Event:
    event: Event = {
        "event_id": f"tx-{row_id}",
        "type": "purchase",
        "schema_version": 1,
        "customer_id": row.customer_id,
        "occurred_at": rfc3339(row.occurred_at),
        "order_id": f"order-{row_id}",
        "amount": row.amount,
        "currency": currency,
    }
    return event | row.details


def _instant(cell: object) -> int:
    def read(value: object) -> int:
        instant = instant_of_date(value) if isinstance(value, date) else instant_of(str(value))
        rfc3339(instant)  # the year must be one that can be written
        return instant

    return _read("date", cell, read, READABLE_DATES)


def _amount(field: str, cell: object) -> str:
    return _read(field, cell, lambda value: decimal_text(str(value)), READABLE_AMOUNTS)


def _item(given: Mapping[str, object]) -> Event:
    """Make the row's one item; where only the category is known it stands for the product."""
    item: Event = {"product_id": str(given.get("product_id", given.get("category")))}
    if "category" in given:
        item["category"] = str(given["category"])
    if "quantity" in given:
        item["quantity"] = _read("quantity", given["quantity"], _whole, "write a whole number")
    return item


def _whole(cell: object) -> int:
    number = Decimal(decimal_text(str(cell)))
    if number != int(number):
        raise ValueError(cell)
    return int(number)


def _read(field: str, cell: object, read: Callable[[object], T], advice: str) -> T:
    try:
        return read(cell)
    except (ValueError, OverflowError):
        raise ValueError(f"cannot read {str(cell)!r} as {field}: {advice}") from None
