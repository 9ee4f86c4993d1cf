"""`streamer what-if`: what a change is worth, by arithmetic that can be done again by hand."""

import re
from decimal import Decimal, InvalidOperation
from math import isclose
from typing import Annotated, Any, Literal

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.showing import UsageError, amount, counted, print_json
from streamer.records.money import TEXT_MAX, WHOLE_DIGITS
from streamer.scoring.what_if.customer import ONE, ZERO, Customer
from streamer.scoring.what_if.figures import Changes
from streamer.scoring.what_if.figures import what_if as figures_of
from streamer.settings import load_settings

Figures = dict[str, Any]
Basis = Literal["revenue", "margin"]

LEVER_WORDS = {
    "order_value": "value of an order",
    "orders_per_year": "orders a year",
    "retention_rate": "share of customers kept a year",
    "lifespan_years": "years a customer stays, the same seen otherwise",
    "acquisition_cost": "cost of winning a customer",
}
NAMES = re.compile("|".join((*Customer.__struct_fields__, *Changes.__struct_fields__)))


def _number(given: str | Decimal) -> Decimal:
    """Read a decimal number, below a trillion either way; a default is one already."""
    text = str(given)
    try:
        number = Decimal(text if len(text) <= TEXT_MAX else "nan")
    except InvalidOperation:
        number = Decimal("nan")
    if not (number.is_finite() and abs(number) < 10**WHOLE_DIGITS):
        raise typer.BadParameter(f"{text[:TEXT_MAX]!r} is no number such as 12.34.")
    return number


def _option(words: str) -> Any:
    return typer.Option(parser=_number, metavar="NUMBER", help=words)


def what_if(
    *,
    more_per_order: Annotated[Decimal, _option("Money more in each order.")] = ZERO,
    more_orders: Annotated[Decimal, _option("Orders more a year.")] = ZERO,
    more_years: Annotated[Decimal, _option("Years more that customers stay.")] = ZERO,
    target: Annotated[Decimal | None, _option("Money to be made: by how many customers?")] = None,
    retention_points: Annotated[Decimal, _option("Points more of retention.")] = Decimal(5),
    order_value: Annotated[Decimal | None, _option("Average value of an order.")] = None,
    orders_per_year: Annotated[Decimal | None, _option("Of a customer.")] = None,
    years: Annotated[Decimal | None, _option("A customer stays; else the setting.")] = None,
    margin: Annotated[Decimal | None, _option("Share of revenue left after costs.")] = None,
    retention_rate: Annotated[Decimal | None, _option("A year; else the setting.")] = None,
    discount_rate: Annotated[Decimal | None, _option("A year; else the setting.")] = None,
    acquisition_cost: Annotated[Decimal, _option("Of winning a customer.")] = ZERO,
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Say what a change would be worth: bigger baskets, more orders, longer custom, retention.

    Example: streamer what-if --more-per-order 5 --orders-per-year 18 --years 5 --target 100000
    """
    settings = load_settings()
    try:
        customer = Customer(
            order_value=order_value,
            orders_per_year=orders_per_year,
            years=_or_setting(years, settings.lifespan_years),
            margin=ONE if margin is None else margin,
            retention_rate=_or_setting(retention_rate, settings.retention_rate),
            discount_rate=_or_setting(discount_rate, settings.discount_rate),
            acquisition_cost=acquisition_cost,
        )
        changes = Changes(
            more_per_order=more_per_order,
            more_orders=more_orders,
            more_years=more_years,
            target=target,
            retention_points=retention_points,
        )
        basis: Basis = "revenue" if margin is None else "margin"
        found = figures_of(customer, changes, settings.reporting_currency, basis)
    except ValueError as error:  # the figures' own, which name what is wrong
        raise UsageError(f"{_with_options(str(error))}.") from None
    figures: Figures = msgspec.to_builtins(found)
    reasons = figures["null_reasons"]
    figures["null_reasons"] = {name: _with_options(reason) for name, reason in reasons.items()}
    if json:
        print_json(figures)
    else:
        _show(figures)


def _with_options(text: str) -> str:
    """Return ``text`` with the options' names in the place of the figures'."""
    return NAMES.sub(lambda name: f"--{name[0].replace('_', '-')}", text)


def _or_setting(given: Decimal | None, setting: float) -> Decimal:
    return Decimal(repr(setting)) if given is None else given


def _show(figures: Figures) -> None:
    console, currency = Console(), figures["currency"]
    sizing_figures, retention, table = figures["sizing"], figures["retention"], figures["levers"]
    if sizing_figures is not None:
        of = " of margin" if figures["basis"] == "margin" else ""
        console.print(_sizing_words(sizing_figures, currency + of), soft_wrap=True)
    if retention is not None:
        console.print(_retention_words(retention, currency), soft_wrap=True)
    if table is not None:
        console.print(_lever_table(table, currency))
    for name, reason in figures["null_reasons"].items():
        if name in figures:
            console.print(f"no {name}: {reason}", style="dim", markup=False)


def _sizing_words(found: Figures, currency: str) -> str:
    words = f"{amount(found['value_per_customer'])} {currency} per customer"
    if found["target"] is None:
        return words
    wanted = f"{amount(found['target'])} {currency}"
    number = found["customers_for_target"]
    if number is None:
        return f"{words}: no number of customers makes {wanted}"
    least = found["customers_to_reach_target"]
    more = "" if least == number else f" ({least:,} to have it in full)"
    return f"{words}: {counted(number, 'customer')} for {wanted}{more}"


def _retention_words(found: Figures, currency: str) -> str:
    rates = f"retention {found['retention_rate']:.4g} → {found['changed_retention_rate']:.4g}"
    multiples = (found["margin_multiple"], found["changed_margin_multiple"])
    words = "{}: margin multiple {:.3f} → {:.3f}".format(rates, *multiples)
    if found["profit_per_customer"] is not None:
        before, after = found["profit_per_customer"], found["changed_profit_per_customer"]
        words += f", profit per customer {amount(before)} → {amount(after)} {currency}"
    if found["profit_percent"] is not None:
        words += f", {found['profit_percent']:+.1f} %"
    return words


def _lever_table(found: list[Figures], currency: str) -> Table:
    table = Table("", "now", "per 1 %", "10 % less", "10 % more", title=f"profit, {currency}")
    for lever in found:
        elasticity = lever["elasticity"]
        table.add_row(
            LEVER_WORDS[lever["lever"]],
            f"{lever['value']:,.4g}",
            "unknown" if elasticity is None else f"{elasticity:+.2f} %",
            _at(lever, "less", 0.9),
            _at(lever, "more", 1.1),
        )
    return table


def _at(lever: Figures, way: str, share: float) -> str:
    """Return the profit there, and where that is if the lever could not be moved so far."""
    told, value = amount(lever[f"profit_at_{way}"]), lever[f"value_at_{way}"]
    whole = isclose(value, lever["value"] * share, rel_tol=1e-9)
    return told if whole else f"{told} (at {value:.4g})"
