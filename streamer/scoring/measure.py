"""What a measure of many rows gives to their updates: columns, and why figures are null."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import msgspec

T = TypeVar("T")


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


def alike(make: Callable[..., T], *columns: list[Any]) -> list[T]:
    """Return what ``make`` makes of each row of ``columns``, called once for rows that are alike.

    >>> alike(max, [1, 1, 3], [2, 2, 2])
    [2, 2, 3]
    """
    n = len(columns[0])
    if not n:
        return []
    row = [column[0] for column in columns]
    varying = [place for place, first in enumerate(row) if columns[place].count(first) < n]
    if not varying:
        return [make(*row)] * n
    keys = list(zip(*[columns[place] for place in varying], strict=True))
    made = {}
    for key in set(keys):
        for place, value in zip(varying, key, strict=True):
            row[place] = value
        made[key] = make(*row)
    return list(map(made.__getitem__, keys))


def nothing(n: int, fields: int, reasons: str) -> Measure:
    """Return a measure of n rows of which nothing is known, for one and the same ``reasons``."""
    return Measure(([None] * n,) * fields, [reasons] * n)
