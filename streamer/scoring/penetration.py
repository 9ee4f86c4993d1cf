"""Category penetration (V7) and share of wallet (V11): what is bought here, and what could be."""

from collections.abc import Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

from streamer.records.instants import DAY
from streamer.records.money import UNIT
from streamer.records.scores import MEASURES
from streamer.scoring.columns import Columns
from streamer.scoring.measure import Measure, members, nothing
from streamer.scoring.parameters import ScoringParameters
from streamer.state.baskets import products_bought
from streamer.state.row import Row

YEAR_BEFORE_DAYS = 365

_Figures = tuple[Any, ...]
_UNKNOWN: _Figures = (None,) * 8


def penetration(
    columns: Columns, parameters: ScoringParameters
) -> tuple[list[int | None], Measure]:
    """Return category depth, and the other figures, of each row.

    The others are products bought, products a category, growth of the depth within a year, the next
    category to offer, whether to widen the basket, the share of the catalogue's categories that was
    bought within a year, and the categories' names.
    """
    if not any(map(attrgetter("itemed_orders"), columns.rows)):
        unknown = nothing(len(columns.rows), len(MEASURES["penetration"]), _NO_ITEMS)
        return unknown.columns[0], unknown
    catalogue, low_value = parameters.catalogue_categories, parameters.low_order_value * UNIT
    found, nulls = [], []
    for row, as_of, net in zip(
        columns.rows, columns.as_of.tolist(), columns.net.tolist(), strict=True
    ):
        if row.itemed_orders:
            low = net < low_value * row.orders if low_value else None
            figures = _figures(row, as_of // DAY, catalogue, low)
            grows, follows = figures[3] is not None, figures[4] is not None
            reasons = _nulls(bool(row.categories), grows, follows, bool(low_value), bool(catalogue))
        else:
            figures, reasons = _UNKNOWN, _NO_ITEMS
        found.append(figures)
        nulls.append(reasons)
    depth, *others = map(list, zip(*found, strict=True)) if found else ([] for _ in _UNKNOWN)
    return depth, Measure(tuple(others), nulls)


def _figures(row: Row, day: int, catalogue: Sequence[str], low_value: bool | None) -> _Figures:
    bought, products = row.categories, products_bought(row)
    if not bought:
        return None, products, *_UNKNOWN[2:]
    before = day - YEAR_BEFORE_DAYS
    earlier = sum(first <= before for first, _ in bought.values())
    following = next((name for name in catalogue if name not in bought), None)
    lately = sum(name in bought and bought[name][1] > before for name in catalogue)
    return (
        len(bought),
        products,
        products / len(bought),
        len(bought) - earlier if row.first_day <= before else None,
        following,
        low_value and following is not None if catalogue and low_value is not None else None,
        lately / len(catalogue) if catalogue else None,
        tuple(sorted(bought)),
    )


_NO_ITEMS = members({"category_depth": "no_items", "penetration": "no_items"})


@lru_cache(maxsize=32)
def _nulls(categorised: bool, grows: bool, follows: bool, threshold: bool, named: bool) -> str:
    if not categorised:
        fields = (
            "category_depth",
            *(name for name in MEASURES["penetration"] if name != "products_bought"),
        )
        return members(dict.fromkeys(fields, "no_category"))
    catalogue = None if named else "no_catalogue"
    return members(
        {
            "category_growth": None if grows else "no_year_before",
            "next_category": None if follows else catalogue or "all_categories",
            "widen_basket": catalogue or (None if threshold else "no_low_order_value"),
            "share_of_wallet_categories": catalogue,
        }
    )
