"""What was bought (V7) and how well it paid (V12): sets and extremes, bounded.

- Of the products the ``PRODUCTS_MAX`` least hashes are kept: their number is exact up to there,
  and an estimate beyond (k minimum values, Bar-Yossef et al. 2002, standard error 9 %).
- Of the categories those ``CATEGORIES_MAX`` are kept whose names have the least hashes. Which ones
  stay depends on their names alone, so no order of arrival shows.
"""

from bisect import bisect_left

from xxhash import xxh3_64_intdigest

from streamer.records.events import NO_MARGIN, Details, Purchase
from streamer.records.instants import DAY
from streamer.state.row import Row

PRODUCTS_MAX = 128
CATEGORIES_MAX = 32
CATEGORY_CHARS = 64
"""Names are cut to so many characters."""

_HASHES = 2**32
_LOWEST = -1_000_000_000
"""Of a margin: goods sold for a thousandth of their cost, or given away."""


def margin_rate(revenue: int, cost: int) -> int:
    """Return (revenue − cost) ÷ revenue in millionths, rounded down, bounded below.

    >>> margin_rate(50, 40), margin_rate(0, 1)
    (200000, -1000000000)
    """
    if not revenue:
        return _LOWEST
    return max((revenue - cost) * 1_000_000 // revenue, _LOWEST)


def add_margin(row: Row, purchase: Purchase) -> None:
    """Note the best margin of what was bought: of the items if told, else of the order."""
    details = purchase.details
    best = NO_MARGIN if details is None else details.best_margin
    if best == NO_MARGIN and purchase.cost is not None:
        best = margin_rate(purchase.amount, purchase.cost)
    if best != NO_MARGIN:
        row.margin_orders += 1
        row.best_margin = max(row.best_margin, best)


def add_items(row: Row, at: int, details: Details) -> None:
    """Note products and categories bought at an instant."""
    day = at // DAY
    for product, category in details.lines:
        _add_product(row.products, product)
        if category:
            _add_category(row.categories, category[:CATEGORY_CHARS], day)


def products_bought(row: Row) -> int:
    """Return how many distinct products were bought; an estimate above ``PRODUCTS_MAX``."""
    count = len(row.products)
    if count <= PRODUCTS_MAX:
        return count
    return PRODUCTS_MAX * _HASHES // row.products[-1]


def _add_product(products: list[int], product: str) -> None:
    """One more than ``PRODUCTS_MAX`` stays: it tells that there are more, and how many."""
    hashed = _hash(product)
    place = bisect_left(products, hashed)
    if place == len(products) or products[place] != hashed:
        products.insert(place, hashed)
        del products[PRODUCTS_MAX + 1 :]


def _add_category(categories: dict[str, list[int]], category: str, day: int) -> None:
    days = categories.get(category)
    if days is not None:
        days[0], days[1] = min(days[0], day), max(days[1], day)
        return
    categories[category] = [day, day]
    if len(categories) > CATEGORIES_MAX:
        del categories[max(categories, key=lambda name: (_hash(name), name))]


def _hash(name: str) -> int:
    return xxh3_64_intdigest(name.encode()) % _HASHES
