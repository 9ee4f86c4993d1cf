"""Bounds of what a row keeps of baskets."""

import pytest

from streamer.records.events import Details, Purchase
from streamer.records.instants import DAY
from streamer.serdes.rows import encode_row
from streamer.state.baskets import CATEGORIES_MAX, PRODUCTS_MAX, products_bought
from streamer.state.fold import fold, seal
from streamer.state.row import Row

LATENESS = 30 * DAY


def bought(places: range, name: str = "") -> Row:
    row = Row()
    for place in places:
        details = Details(units=1000, lines=((f"p{place}", f"{name}{place}"),))
        at = 20_000 * DAY + abs(place) * DAY
        fold(row, Purchase(f"e{place}", "c", at, f"o{place}", 5, None, details=details), LATENESS)
    seal(row, LATENESS)
    return row


def test_products_are_exact_up_to_the_bound() -> None:
    assert products_bought(bought(range(PRODUCTS_MAX))) == PRODUCTS_MAX


@pytest.mark.parametrize("products", [300, 3000])
def test_products_are_estimated_beyond(products: int) -> None:
    """Within four standard errors."""
    assert products_bought(bought(range(products))) == pytest.approx(products, rel=4 * 0.09)


def test_which_categories_stay_depends_on_their_names_alone() -> None:
    up, down = bought(range(100)), bought(range(99, -1, -1))
    assert len(up.categories) == CATEGORIES_MAX
    assert up.categories.keys() == down.categories.keys()
    assert up.products == down.products


def test_baskets_stay_small() -> None:
    assert len(encode_row(bought(range(1000), "\U0001f600" * 200))) < 32 * 1024


def test_a_row_of_fifty_purchases_in_ten_categories_is_about_a_kilobyte() -> None:
    row = Row()
    for place in range(50):
        details = Details(lines=((f"product-{place % 30}", f"category-{place % 10}"),), units=1000)
        at = (20_000 + 7 * place) * DAY
        fold(
            row,
            Purchase(f"e{place}", "c", at, f"o{place}", 10**8, 10**7, details=details),
            LATENESS,
        )
    seal(row, LATENESS)
    assert len(encode_row(row)) < 1536
