"""Transactions and the purchase events that they become."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeVar

import msgspec

from streamer.files.layout import USUAL, Layout
from streamer.files.values import (
    decimal_text,
    formats_of,
    instant_in,
    instant_of,
    instant_of_date,
    rfc3339,
    without_sign,
)

Event = dict[str, Any]
T = TypeVar("T")

MONEY = ("cost", "subtotal", "tax", "shipping", "discount")
TEXTS = ("event_id", "order_id", "currency", "coupon", "channel", "location")
READABLE_DATES = "write it as 2025-12-31 or 2025-12-31T23:59:59Z"
READABLE_AMOUNTS = "write a plain decimal number such as 1234.50"
READABLE_COMMAS = "write it as 1.234,50, or leave --decimal-comma out"


class UnreadableError(ValueError):
    """A cell that cannot be read.

    Args:
        what: Which, and as what.
        advice: What to write.
    """

    def __init__(self, what: str, advice: str) -> None:
        super().__init__(f"{what}: {advice}")
        self.what = what
        self.advice = advice


class Transaction(msgspec.Struct, frozen=True):
    """One row of a file of transactions.

    The reader judges its form only; what a purchase may say is judged where every event is, so
    a negative amount or an empty customer becomes a dead letter with its reason.

    Attributes:
        occurred_at: Event time, an instant.
        customer_id: As in the file.
        amount: Plain decimal text.
        details: Further fields of the purchase event, JSON-ready.
        line: Where it stands in its file, from 1; 0 where that is not told.
        in_part: Whether it is one line of an order, whose amount is the price of its own goods.
    """

    occurred_at: int
    customer_id: str
    amount: str
    details: dict[str, Any]
    line: int = 0
    in_part: bool = False


def from_cells(cells: Mapping[str, object], layout: Layout = USUAL, line: int = 0) -> Transaction:
    """Make a transaction of a row's cells.

    Args:
        cells: Field (see `columns.ALIASES`) → text, number or date; None and "" are absent.
        layout: How the file writes dates and amounts.
        line: Where the row stands in its file.

    Raises:
        UnreadableError: A cell cannot be read; it says which and what to write.
    """
    given = {field: cell for field, cell in cells.items() if cell not in (None, "")}
    details: dict[str, Any] = {field: str(given[field]) for field in TEXTS if field in given}
    details |= {field: _amount(field, given[field], layout) for field in MONEY if field in given}
    amount = _total(given, layout)
    if "currency" not in details and (currency := _currency(given)):
        details["currency"] = currency
    if "product_id" in given or "category" in given:
        details["items"] = [_item(given, layout)]
    return Transaction(
        occurred_at=_instant(given.get("occurred_at", ""), layout),
        customer_id=str(given.get("customer_id", "")),
        amount=amount,
        details=details,
        line=line,
        in_part="amount" not in given,
    )


def _total(given: Mapping[str, object], layout: Layout) -> str:
    """Read the amount; where the file has none, it is the price of one times the quantity."""
    if "amount" in given or "unit_price" not in given:
        return _amount("amount", given.get("amount", ""), layout)
    price = Decimal(_amount("unit_price", given["unit_price"], layout))
    return format(price * _quantity(given.get("quantity", 1)), "f")


def _currency(given: Mapping[str, object]) -> str:
    """Return what the sign beside the amount says, for a file without a column of currencies."""
    return without_sign(str(given.get("amount", given.get("unit_price", ""))))[1]


def to_events(
    transactions: Iterable[Transaction], currency: str, file: str = ""
) -> Iterator[Event]:
    """Turn transactions in event-time order into purchase events with ids of their own.

    An id is a digest of the row, so the same row has the same id in any file, wherever it stands
    there. Equal rows are different purchases: the second is numbered 2, and so on. They have
    the same event time, so only the rows of one instant need to be remembered.

    Args:
        transactions: In the order of their event times.
        currency: ISO 4217 code for rows that name none.
        file: Their file's name, which with the line is the event's `source`: so a dead letter
            tells where to correct it.
    """
    seen: Counter[str] = Counter()
    instant: int | None = None
    for row in transactions:
        if row.occurred_at != instant:
            instant = row.occurred_at
            seen.clear()
        digest = blake2b(content(row), digest_size=12).hexdigest()
        seen[digest] += 1
        number = seen[digest]
        event = _purchase(row, digest if number == 1 else f"{digest}-{number}", currency)
        if row.line:
            event["source"] = f"{file}:{row.line}"
        yield event


def content(row: Transaction) -> bytes:
    """Return what makes a row the row it is, wherever it stands."""
    return msgspec.msgpack.encode(
        {
            "occurred_at": row.occurred_at,
            "customer_id": row.customer_id,
            "amount": row.amount,
            "details": row.details,
        }
    )


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


def _instant(cell: object, layout: Layout) -> int:
    def read(value: object) -> int:
        if isinstance(value, date):
            instant = instant_of_date(value)
        elif layout.date_format:
            instant = instant_in(str(value), layout.date_format)
        else:
            instant = instant_of(str(value))
        rfc3339(instant)  # the year must be one that can be written
        return instant

    try:
        return read(cell)
    except (ValueError, OverflowError):
        what = f"cannot read {str(cell)!r} as date"
        raise UnreadableError(what, _date_advice(str(cell), layout)) from None


def _date_advice(text: str, layout: Layout) -> str:
    """Say how to write a date, or how to tell in which way this one is written."""
    if layout.date_format:
        return f"write a day that there is, as --date-format says: {layout.date_format}"
    options = " or ".join(f"--date-format '{one}'" for one in formats_of(text)[:3])
    return f"{READABLE_DATES}, or add {options}" if options else READABLE_DATES


def _amount(field: str, cell: object, layout: Layout) -> str:
    comma = layout.decimal_comma and isinstance(cell, str)
    advice = READABLE_COMMAS if comma else READABLE_AMOUNTS
    if "," in str(cell) and not comma:
        advice += ", or add --decimal-comma if that is its comma"
    return _read(field, cell, lambda value: _plain(str(value), comma=comma), advice)


def _plain(text: str, *, comma: bool) -> str:
    return decimal_text(without_sign(text)[0], comma=comma)


def _item(given: Mapping[str, object], layout: Layout) -> Event:
    """Make the row's one item; where only the category is known it stands for the product."""
    item: Event = {"product_id": str(given.get("product_id", given.get("category")))}
    if "category" in given:
        item["category"] = str(given["category"])
    if "quantity" in given:
        item["quantity"] = _quantity(given["quantity"])
    if "unit_price" in given:
        item["price"] = _amount("unit_price", given["unit_price"], layout)
    return item


def _quantity(cell: object) -> int:
    return _read("quantity", cell, _whole, "write a whole number")


def _whole(cell: object) -> int:
    number = Decimal(decimal_text(str(cell)))
    if number != int(number):
        raise ValueError(cell)
    return int(number)


def _read(field: str, cell: object, read: Callable[[object], T], advice: str) -> T:
    try:
        return read(cell)
    except (ValueError, OverflowError):
        raise UnreadableError(f"cannot read {str(cell)!r} as {field}", advice) from None
