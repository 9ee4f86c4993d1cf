"""By hand; by sums over the years; elasticities against differences with 40 digits."""

from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamer.scoring.formula import formula_margin_ltv
from streamer.scoring.what_if.customer import Customer
from streamer.scoring.what_if.levers import levers
from streamer.scoring.what_if.retention import retention_change
from streamer.scoring.what_if.sizing import sizing

D = Decimal
SHOP = Customer(
    order_value=D(40),
    orders_per_year=D(18),
    years=D(5),
    margin=D("0.3"),
    retention_rate=D("0.75"),
    discount_rate=D("0.1"),
    acquisition_cost=D(50),
)
AMOUNTS = st.decimals(0, 10**6, places=2)


def test_the_brief_s_worked_example() -> None:
    """$5 more per order × 18 orders a year × 5 years = $450; 222 customers for $100,000."""
    found = sizing(
        Customer(orders_per_year=D(18), years=D(5)), more_per_order=D(5), target=D(100_000)
    )
    assert found.value_per_customer == 450
    assert found.customers_for_target == 222
    assert found.customers_to_reach_target == 223  # 222 × 450 is 99,900


def test_a_change_of_several_figures_by_hand() -> None:
    """45 × 20 × 6 − 40 × 18 × 5 = 1800, of which 0.3 is margin."""
    changes = {"more_per_order": D(5), "more_orders_per_year": D(2), "more_years": D(1)}
    assert sizing(replace(SHOP, margin=D(1)), **changes).value_per_customer == 1800
    found = sizing(SHOP, **changes)
    assert found.value_per_customer == 540
    assert found.customers_for_target is None


def test_a_loss_reaches_no_target() -> None:
    found = sizing(Customer(orders_per_year=D(2)), more_per_order=D(-3), target=D(10))
    assert found.value_per_customer == -18
    assert found.customers_for_target is None
    assert found.customers_to_reach_target is None


@given(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS, st.decimals(1, 10**12, places=2))
def test_sizing_is_exact(
    value: Decimal, orders: Decimal, years: Decimal, more: Decimal, target: Decimal
) -> None:
    base = Customer(order_value=value, orders_per_year=orders, years=years)
    found = sizing(base, more_per_order=more, target=target)
    gain = Fraction(more) * Fraction(orders) * Fraction(years)
    assert Fraction(found.value_per_customer) == gain
    if gain:
        assert found.customers_to_reach_target == ceil(Fraction(target) / gain)
        assert found.customers_for_target == round(Fraction(target) / gain)


def test_five_points_of_retention_by_hand() -> None:
    """216 a year: 216 · 0.75/0.35 − 50 = 412.86, and 216 · 0.80/0.30 − 50 = 526."""
    found = retention_change(SHOP, D(5))
    assert round(found.profit_per_customer or D(0), 2) == D("412.86")
    assert round(found.changed_profit_per_customer or D(0), 20) == 526
    assert round(found.profit_percent or D(0), 2) == D("27.40")
    unknown = retention_change(Customer(), D(5))
    assert unknown.profit_per_customer is None
    assert round(unknown.profit_percent or D(0), 2) == D("24.44")


def test_the_multiple_is_that_of_the_formula_ltv() -> None:
    by_formula = formula_margin_ltv(np.array([1.0]), 0.75, 0.1)[0]
    assert float(SHOP.margin_multiple) == pytest.approx(float(by_formula))
    years = sum(D("0.75") ** year / D("1.1") ** year for year in range(1, 200))
    assert float(SHOP.margin_multiple) == pytest.approx(float(years))


def test_without_profit_there_is_no_percentage() -> None:
    assert retention_change(replace(SHOP, acquisition_cost=D(1000)), D(5)).profit_percent is None
    assert retention_change(replace(SHOP, retention_rate=D(0)), D(5)).profit_percent is None


def test_levers_by_hand_the_strongest_first() -> None:
    """Profit 412.857: retention elasticity 1.1/0.35 of 462.857, the cost's −50/412.857."""
    found = {lever.lever: lever for lever in levers(SHOP)}
    assert list(found) == [
        "retention_rate",
        "lifespan_years",
        "order_value",
        "orders_per_year",
        "acquisition_cost",
    ]
    assert found["lifespan_years"].value == 4
    assert round(found["order_value"].profit_at_less, 2) == D("366.57")
    assert round(found["order_value"].profit_at_more, 2) == D("459.14")
    assert round(found["retention_rate"].profit_at_more, 20) == 598  # 216 · .825/.275 − 50
    assert round(found["lifespan_years"].profit_at_more, 20) == 460  # r = 1 − 1/4.4
    assert round(found["retention_rate"].elasticity or D(0), 4) == D("3.5235")
    assert round(found["acquisition_cost"].elasticity or D(0), 4) == D("-0.1211")
    assert found["acquisition_cost"].swing == 10


@given(
    st.decimals("0.05", "0.97", places=3),
    st.decimals(0, "0.5", places=3),
    st.decimals(1, 1000, places=2),
    st.decimals("0.1", 50, places=2),
)
def test_elasticities_are_slopes(
    rate: Decimal, discount: Decimal, value: Decimal, orders: Decimal
) -> None:
    shop = Customer(
        order_value=value,
        orders_per_year=orders,
        retention_rate=rate,
        discount_rate=discount,
        acquisition_cost=D("0.001"),
    )
    with localcontext() as context:
        context.prec = 60
        step = D("1e-15")
        for lever in levers(shop):
            moved = lever.value * (1 + step)
            field = lever.lever
            if field == "lifespan_years":
                field, moved = "retention_rate", 1 - 1 / moved
            before, after = shop.profit, replace(shop, **{field: moved}).profit
            assert before is not None
            assert after is not None
            slope = (after / before - 1) / step
            assert lever.elasticity is not None
            assert float(lever.elasticity) == pytest.approx(float(slope), rel=1e-9, abs=1e-12)


def test_levers_at_the_ends_of_their_ranges() -> None:
    kept = {lever.lever: lever for lever in levers(replace(SHOP, retention_rate=D(1)))}
    assert "lifespan_years" not in kept
    assert round(kept["retention_rate"].profit_at_more, 9) == round(D(216) / D("0.1") - 50, 9)
    capped = {lever.lever: lever for lever in levers(replace(SHOP, retention_rate=D("0.98")))}
    assert capped["retention_rate"].value_at_less == D("0.882")
    assert capped["retention_rate"].value_at_more == 1  # 1.078 is no share
    assert capped["lifespan_years"].value_at_more == pytest.approx(D(55))
    undiscounted = replace(SHOP, retention_rate=D("0.95"), discount_rate=D(0))
    found = {lever.lever: lever for lever in levers(undiscounted)}
    assert found["retention_rate"].profit_at_more == undiscounted.profit
    assert found["retention_rate"].value_at_more == D("0.95")
    lost = {lever.lever: lever for lever in levers(replace(SHOP, retention_rate=D(0)))}
    assert lost["lifespan_years"].profit_at_less == -50
    assert lost["order_value"].elasticity is None


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"margin": D("1.1")}, "margin must be a share"),
        ({"retention_rate": D(2)}, "retention_rate must be a share"),
        ({"retention_rate": D(1), "discount_rate": D(0)}, "discount_rate must be above 0"),
        ({"order_value": D(-1)}, "order_value must be a finite number, 0 or more"),
        ({"years": D("nan")}, "years must be a finite number"),
        ({"acquisition_cost": D("inf")}, "acquisition_cost must be a finite number"),
    ],
)
def test_what_cannot_be_is_refused(figures: dict[str, Decimal], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(SHOP, **figures)


def test_what_is_needed_is_said() -> None:
    with pytest.raises(ValueError, match="orders_per_year is needed"):
        sizing(Customer(), more_per_order=D(5))
    with pytest.raises(ValueError, match="order_value is needed"):
        sizing(Customer(orders_per_year=D(1)), more_years=D(1))
    with pytest.raises(ValueError, match="years after the change must be"):
        sizing(SHOP, more_years=D(-6))
    with pytest.raises(ValueError, match="order_value and orders_per_year"):
        levers(Customer())
    with pytest.raises(ValueError, match="retention_rate must be a share"):
        retention_change(SHOP, D(30))
