"""Columns of a transactions table: the usual names, and what each of them means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from streamer.files.layout import USUAL, Layout

ALIASES: Mapping[str, Sequence[str]] = {
    "customer_id": ("customer_id", "customer", "user_id", "user", "client_id", "cust_id"),
    "occurred_at": (
        "occurred_at",
        "timestamp",
        "datetime",
        "date",
        "invoice_date",
        "order_date",
        "purchase_date",
        "transaction_date",
        "created_at",
    ),
    "amount": (
        "amount",
        "value",
        "revenue",
        "total",
        "total_amount",
        "order_value",
        "dollar_value",
        "spend",
        "sales",
    ),
    "event_id": ("event_id",),
    "order_id": ("order_id", "order", "invoice_no", "invoice", "invoice_id", "transaction_id"),
    "currency": ("currency", "currency_code"),
    "cost": ("cost", "cogs", "total_cost"),
    "subtotal": ("subtotal",),
    "tax": ("tax", "vat"),
    "shipping": ("shipping",),
    "discount": ("discount",),
    "coupon": ("coupon", "coupon_code"),
    "channel": ("channel",),
    "location": ("location", "country"),
    "product_id": ("product_id", "product", "sku", "stock_code"),
    "category": ("category", "product_category"),
    "quantity": ("quantity", "qty"),
    "unit_price": ("unit_price", "price"),
}
"""Field of the event → names its column may have, the preferred one first."""

REQUIRED = ("customer_id", "occurred_at", "amount")
DELIMITERS = (",", ";", "\t", "|")


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


@dataclass(frozen=True, slots=True)
class Header:
    """Where each known field stands in a row.

    Attributes:
        names: The columns' names as the file gives them.
        places: Field → index of its column, in the order of `ALIASES` whatever the file's order.
        delimiter: What parts the columns; empty for files that are no text.
        unknown: Columns that the layout names and that are not there.
    """

    names: tuple[str, ...]
    places: Mapping[str, int]
    delimiter: str = ""
    unknown: tuple[str, ...] = ()

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields without which a row is no transaction and that no column gives."""
        given = {*self.places, "amount"} if "unit_price" in self.places else self.places.keys()
        return tuple(field for field in REQUIRED if field not in given)

    @property
    def is_complete(self) -> bool:
        """Whether every required field has its column, and every column asked for is there."""
        return not (self.missing or self.unknown)

    def complaint(self) -> str:
        """Say which columns are missing and how to name them."""
        if self.unknown:
            return f"the header {', '.join(self.names)} has no column {', '.join(self.unknown)}"
        wanted = "; ".join(f"{field} ({', '.join(ALIASES[field][:4])})" for field in self.missing)
        example = ",".join(f"{field}=..." for field in self.missing)
        return (
            f"the header {', '.join(self.names)} lacks {wanted}: rename the columns so, or name"
            f" yours with --columns {example}"
        )


def find_columns(names: Sequence[str], delimiter: str = "", layout: Layout = USUAL) -> Header:
    """Match columns to fields by name, whatever their case, spaces and underscores."""
    at = {_plain(name): index for index, name in reversed(list(enumerate(names)))}
    places = {
        field: at[_plain(alias)]
        for field, aliases in ALIASES.items()
        for alias in reversed(aliases)
        if _plain(alias) in at
    }
    for field, name in layout.columns.items():
        places.pop(field, None)
        if _plain(name) in at:
            places[field] = at[_plain(name)]
    unknown = tuple(name for name in layout.columns.values() if _plain(name) not in at)
    return Header(tuple(name.strip() for name in names), places, delimiter, unknown)


def header_of(line: bytes, layout: Layout = USUAL) -> Header:
    """Read a header line with the delimiter that makes the most of it."""
    text = line.decode("utf-8", errors="replace")
    candidates = [
        find_columns([name.strip().strip('"') for name in text.split(delimiter)], delimiter, layout)
        for delimiter in DELIMITERS
    ]
    return max(candidates, key=lambda header: (len(header.places), len(header.names)))
