"""What a customer thinks of the products and categories it has rated: of each what it said last.

A function of the set of ratings: an entry only becomes later, so the ``OPINIONS_MAX`` told of last
stay, in any order. Of several at one instant the lowest counts, under the lesser category.
"""

from streamer.records.events import Rating

OPINIONS_MAX = 20
NAME_BYTES_MAX = 128
"""Of a product's id, and of a category's name. What is longer is not kept."""

PRODUCT, CATEGORY = "product:", "category:"
"""Before the name of what was rated."""

Opinion = tuple[int, int, str]
"""When, the rating in millionths, and the category of a product; "" where it is not known."""


def with_rating(kept: dict[str, Opinion], event: Rating) -> dict[str, Opinion]:
    """Return the opinions of a customer after ``event``, by what was rated, sorted.

    A rating that names no product is of its category; one that names neither is of no concern here.
    """
    category = _name(event.category)
    product = _name(event.product_id)
    rated = PRODUCT + product if product else CATEGORY + category if category else ""
    if not rated:
        return kept
    opinion = event.occurred_at, event.rating, category if product else ""
    before = kept.get(rated)
    if before is not None and (-before[0], *before[1:]) <= (-opinion[0], *opinion[1:]):
        return kept
    found = kept | {rated: opinion}
    latest = sorted(found, key=lambda name: (-found[name][0], name))[:OPINIONS_MAX]
    return {name: found[name] for name in sorted(latest)}


def _name(text: str) -> str:
    """Return ``text``, or "" if it cannot be kept: a control character is six bytes in JSON."""
    fits = text and len(text.encode()) <= NAME_BYTES_MAX and min(text) >= " "
    return text if fits else ""
