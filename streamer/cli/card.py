"""A customer on one card: the figures in words, and why one is missing."""

from collections.abc import Callable, Iterator
from itertools import chain
from typing import Any, NamedTuple

from rich.console import Group
from rich.panel import Panel
from rich.table import Table

from streamer.cli.showing import amount, counted, shown_text
from streamer.records.scores import MEASURES
from streamer.scoring.nulls import NULL_REASONS, null_reason

Update = dict[str, Any]
WIDTH = 80
BAND_STYLES = {"low": "green", "medium": "yellow", "high": "red", "lapsed": "magenta"}


class Line(NamedTuple):
    """A figure: what it is called, the field that holds it, how it reads, what stands beside."""

    label: str
    field: str
    shown: Callable[[Update], str]
    note: Callable[[Update], str] = lambda _: ""


def money(field: str) -> Callable[[Update], str]:
    """Return a function that shows an amount with its currency."""
    return lambda update: f"{amount(update[field])} {update['currency']}"


def day(field: str) -> Callable[[Update], str]:
    """Return a function that shows the day of an instant."""
    return lambda update: str(update[field])[:10]


def _number(field: str) -> Callable[[Update], str]:
    return lambda update: f"{update[field]:.1f}"


def _orders(update: Update) -> str:
    each = update["average_order_value"]
    words = counted(update["orders"], "order") + (f", {amount(each)} each" if each else "")
    refunds = update["refunds"]
    return words + (f", {amount(update['refunded'])} refunded" if refunds else "")


def _interval(update: Update) -> str:
    low, high = update["predicted_clv_low"], update["predicted_clv_high"]
    return f"{update['interval_level']:.0%} sure: {amount(low)} to {amount(high)}"


def _within(update: Update) -> str:
    return f"within {update['horizon_days']:g} days"


def _last_year(update: Update) -> str:
    window = update["windows"]["365"]
    return f"{amount(window['revenue'])} {update['currency']}"


def _last_year_orders(update: Update) -> str:
    windows = update["windows"]
    return (
        ", ".join(f"{windows[days]['orders']} in {days}" for days in ("365", "90", "30")) + " days"
    )


def _band(update: Update) -> str:
    band = update["risk_band"]
    return f"[{BAND_STYLES.get(band, 'default')}]{band}[/]"


def _before(update: Update) -> str:
    previous = update["previous_risk_band"]
    return f"{previous} before" if previous and previous != update["risk_band"] else ""


def _lapsed(update: Update) -> str:
    return "lapsed since then" if update["risk_band"] == "lapsed" else "lapsed from then on"


def _cost(update: Update) -> str:
    won = f"won for {amount(update['acquisition_cost'])}"
    channel = update["acquisition_channel"]
    return won + (f" by {shown_text(channel)}" if channel else "")


def _below_target(update: Update) -> str:
    left = update["retention_budget"]
    below = "below the target" if update["ltv_below_target"] else f"{amount(left)} left to keep it"
    return f"{_cost(update)}, {below}"


def _rating(update: Update) -> str:
    average = f"{update['rating_average']:.1f} in {counted(update['ratings'], 'rating')}"
    flag = str(update["rating_flag"]).replace("_", " ")
    return f"{flag}; {average}"


def _points(update: Update) -> str:
    points = counted(update["loyalty_points"], "point")
    if update["next_tier"] is None:
        return points
    return f"{points}, {update['points_to_next_tier']:,} to {shown_text(update['next_tier'])}"


def _habits(update: Update) -> str:
    flags = "low_margin_only", "discount_only"
    return ", ".join(name.replace("_", " ") for name in flags if update[name])


def _made_by(update: Update) -> str:
    most = update["profile_traits"][0]
    return f"{shown_text(most['value'])}: {most['lift']:.1f} times as often at the top"


VALUE = (
    Line("worth so far", "historic_clv", money("historic_clv"), _orders),
    Line("forecast", "predicted_clv", money("predicted_clv"), _interval),
    Line("LTV by formula", "formula_ltv", money("formula_ltv"), lambda _: "to check by hand"),
    Line("orders to come", "expected_orders", _number("expected_orders"), _within),
    Line("last year", "historic_clv", _last_year, _last_year_orders),
    Line("customer since", "first_purchase_at", day("first_purchase_at")),
    Line("last order", "last_purchase_at", day("last_purchase_at")),
    Line(
        "referrals",
        "referral_value",
        money("referral_value"),
        lambda update: f"of {counted(update['referred_customers'], 'customer')} brought",
    ),
    Line(
        "pays after",
        "payment_days_average",
        lambda update: f"{update['payment_days_average']:.1f} days",
        lambda update: f"{counted(update['unpaid_orders_overdue'] or 0, 'order')} overdue",
    ),
    Line(
        "buys",
        "products_bought",
        lambda update: counted(update["products_bought"], "product"),
        lambda update: f"of {update['category_depth'] or 'no known'} categories",
    ),
    Line("offer next", "next_category", lambda update: shown_text(update["next_category"])),
    Line(
        "margin rate",
        "margin_rate",
        lambda update: f"{update['margin_rate']:.0%}",
        _habits,
    ),
    Line(
        "regularity",
        "regularity",
        lambda update: f"{update['regularity']:.2f}",
        lambda _: "0 clumpy, 0.5 random, 1 clockwork",
    ),
    Line("brought by", "referred_by", lambda update: shown_text(update["referred_by"])),
    Line("LTV : CAC", "ltv_to_cac", _number("ltv_to_cac"), _below_target),
    Line("last rating", "rating_last", _number("rating_last"), _rating),
    Line(
        "in the top 10%",
        "profile_closeness",
        lambda update: f"{update['profile_closeness']:.0%} likely",
        _made_by,
    ),
    Line("loyalty", "loyalty_tier", lambda update: shown_text(update["loyalty_tier"]), _points),
)
RISK = (
    Line("risk", "risk_band", _band, _before),
    Line(
        "no order",
        "churn_probability",
        lambda update: f"{update['churn_probability']:.0%}",
        lambda update: f"likely, {_within(update)}",
    ),
    Line("next order by", "expected_date_of_next_order", day("expected_date_of_next_order"),
         lambda _: "with even odds"),
    Line("win back by", "win_back_by", day("win_back_by"), _lapsed),
    Line("next step up", "next_band_crossing_at", day("next_band_crossing_at"),
         lambda _: "if silent until then"),
)  # fmt: skip


NOTHING_TOLD: Update = dict.fromkeys(chain(*MEASURES.values()))
"""What an update leaves out where it is null."""


def card(customer_id: str, ltv: Update | None, churn_risk: Update | None) -> Panel:
    """Return what the two updates say of a customer, 80 columns wide."""
    parts: list[Any] = []
    for update, lines in ((ltv, VALUE), (churn_risk, RISK)):
        if update is None:
            continue
        told = NOTHING_TOLD | update
        table = Table.grid(padding=(0, 2))
        table.add_column(style="dim", width=15)
        table.add_column(justify="right", width=18)
        table.add_column(style="dim")
        for row in _rows(told, lines):
            table.add_row(*row)
        parts += [table, *(f"[italic]{shown_text(reason)}[/]" for reason in update["reasons"]), ""]
    parts.append(f"[dim]{shown_text(_origin(ltv or churn_risk or {}))}[/]")
    return Panel(Group(*parts), title=f"customer {shown_text(customer_id)}", width=WIDTH)


def _rows(update: Update, lines: tuple[Line, ...]) -> Iterator[tuple[str, str, str]]:
    for line in lines:
        if update.get(line.field) is None:  # or older than the field
            code = null_reason(update["null_reasons"], line.field)
            yield line.label, "—", NULL_REASONS.get(code, code)
        else:
            yield line.label, line.shown(update), line.note(update)


def _origin(update: Update) -> str:
    cause = update["cause"]
    because = f"{cause['type']} {cause['id']}" if cause["kind"] == "event" else cause["kind"]
    return f"as of {update['as_of']}, because of {because}; revision {update['revision']}"
