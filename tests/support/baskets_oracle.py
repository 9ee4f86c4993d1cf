"""What was bought, counted anew from the wire's contract with sets and Decimals."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.support.oracle import WireEvent, moment, money

YEAR = timedelta(days=365)
Figures = dict[str, Any]


def penetration_figures(
    events: Iterable[WireEvent], as_of: datetime, catalogue: Sequence[str]
) -> Figures:
    """Return the V7 figures, but for ``widen_basket``, and the share of wallet."""
    orders = [event for event in events if event["type"] == "purchase"]
    lines = [(moment(order).date(), item) for order in orders for item in order.get("items") or ()]
    names = [
        "category_depth", "products_bought", "products_per_category", "category_growth",
        "next_category", "share_of_wallet_categories", "categories",
    ]  # fmt: skip
    figures: Figures = dict.fromkeys(names)
    if not lines:
        return figures
    products = {item["product_id"] for _, item in lines}
    days: dict[str, list[date]] = {}
    for day, item in lines:
        if item.get("category"):
            days.setdefault(item["category"], []).append(day)
    figures["products_bought"] = len(products)
    if not days:
        return figures
    before = as_of.date() - YEAR
    if min(moment(order).date() for order in orders) <= before:
        figures["category_growth"] = sum(min(of_one) > before for of_one in days.values())
    left = [name for name in catalogue if name not in days]
    lately = [name for name in catalogue if name in days and max(days[name]) > before]
    return figures | {
        "category_depth": len(days),
        "products_per_category": len(products) / len(days),
        "next_category": left[0] if left else None,
        "share_of_wallet_categories": len(lately) / len(catalogue),
        "categories": sorted(days),
    }


def margin_figures(
    events: Iterable[WireEvent], rates: Mapping[str, Decimal], low_margin: Decimal
) -> Figures:
    """Return the V12 figures."""
    orders = [event for event in events if event["type"] == "purchase"]
    refunds = [event for event in events if event["type"] == "refund"]
    net = sum((money(order, "amount", rates) for order in orders), Decimal(0))
    net -= sum((money(refund, "amount", rates) for refund in refunds), Decimal(0))
    discounted = [order for order in orders if _is_discounted(order)]
    names = "margin_rate", "low_margin_only", "discount_only", "discounted_orders"
    figures: Figures = dict.fromkeys(names)
    if not orders:
        return figures
    figures["discounted_orders"] = len(discounted)
    figures["discount_only"] = len(discounted) == len(orders)
    costs = [money(order, "cost", rates) for order in orders if order.get("cost") is not None]
    if len(costs) == len(orders) and net > 0:
        figures["margin_rate"] = float((net - sum(costs, Decimal(0))) / net)
    best = [_best_margin(order, rates) for order in orders]
    if any(one is not None and one >= low_margin for one in best):
        figures["low_margin_only"] = False
    elif None not in best:
        figures["low_margin_only"] = True
    return figures


def _is_discounted(order: WireEvent) -> bool:
    return bool(order.get("coupon")) or Decimal(str(order.get("discount", 0))) > 0


def _best_margin(order: WireEvent, rates: Mapping[str, Decimal]) -> Decimal | None:
    items = order.get("items") or ()
    if items and all({"price", "cost"} <= item.keys() for item in items):
        lines = [{**item, "currency": order["currency"]} for item in items]
        return max(_rate(money(line, "price", rates), money(line, "cost", rates)) for line in lines)
    if order.get("cost") is None:
        return None
    return _rate(money(order, "amount", rates), money(order, "cost", rates))


def _rate(price: Decimal, cost: Decimal) -> Decimal:
    return (price - cost) / price
