"""What a measure of many rows gives to their updates: columns, and why figures are null."""

from typing import Any, NamedTuple

import msgspec


class Measure(NamedTuple):
    """Figures of n rows."""

    columns: tuple[list[Any], ...]
    """In the order of the update's fields; each has n entries."""
    nulls: list[str]
    """For each row the reasons of its null figures, as ``members`` gives them."""


def members(reasons: dict[str, str | None]) -> str:
    """Return codes by field as members of a JSON object, without braces; None are left out.

    >>> members({"a": "no_cost", "b": None})
    '"a":"no_cost"'
    """
    null = {field: code for field, code in reasons.items() if code is not None}
    return msgspec.json.encode(null).decode()[1:-1]


def nothing(n: int, fields: int, reasons: str) -> Measure:
    """Return a measure of n rows of which nothing is known, for one and the same ``reasons``."""
    return Measure(([None] * n,) * fields, [reasons] * n)
