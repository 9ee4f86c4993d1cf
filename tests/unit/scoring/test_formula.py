"""By hand, and against a sum over the years."""

import numpy as np
import pytest

from streamer.scoring.formula import formula_ltv, formula_margin_ltv, purchase_frequency


def column(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, dtype=np.float64)


def test_frequency_by_hand() -> None:
    found = purchase_frequency(column(4, 4, 2, 2), column(365.25, 730.5, 30, 3))
    assert found == pytest.approx([4, 2, 24.35, 24.35])


def test_formula_by_hand() -> None:
    """$50 an order, 4 orders a year, 3 years."""
    assert formula_ltv(column(50), column(4), 3)[0] == 600


def test_the_brief_s_what_if() -> None:
    """$5 more an order, 18 orders a year, 5 years: $450 a customer."""
    more = formula_ltv(column(25), column(18), 5) - formula_ltv(column(20), column(18), 5)
    assert more[0] == 450


@pytest.mark.parametrize(("kept", "discount"), [(0.75, 0.1), (0.0, 0.1), (0.9, 0.0), (0.99, 0.3)])
def test_the_margin_form_is_the_sum_over_the_years(kept: float, discount: float) -> None:
    years = sum(100 * (kept / (1 + discount)) ** year for year in range(1, 20_000))
    assert formula_margin_ltv(column(100), kept, discount)[0] == pytest.approx(years)
