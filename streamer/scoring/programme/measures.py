"""The figures of a group of customers (V16). What cannot be known is None with its reason."""

from collections.abc import Mapping
from fractions import Fraction

from msgspec import Struct

from streamer.scoring.programme.counting import AGE_MAX
from streamer.scoring.programme.months import MONTHS_KEPT, label
from streamer.scoring.programme.tallies import Activity, Lifetime, Tally

REASONS = {
    "no_customer": "nobody in this group has purchased",
    "no_order": "no order in this month",
    "no_value": "no customer of this group has a predicted value",
    "nobody_before": "nobody purchased in the month before",
    "not_kept": "the month before is no longer kept",
}
"""The codes of ``null_reasons`` and what they mean."""


class Figures(Struct, frozen=True, kw_only=True):
    """Of a group or a cohort, all their time. Money in millionths, rounded."""

    customers: int
    repeat_customers: int
    repeat_purchase_rate: float | None
    """Share of the customers with purchases on two days or more."""
    orders: int
    average_order_value: int | None
    """Revenue net of refunds ÷ orders."""
    valued_customers: int
    """Whose lifetime value is known."""
    clv: int | None
    """Mean lifetime value, earned and predicted, of the customers who have one."""
    null_reasons: dict[str, str]


class Month(Struct, frozen=True, kw_only=True):
    """What the customers of a group did in a calendar month (UTC)."""

    month: str
    """As in 2026-01."""
    complete: bool
    """Whether it is over; until then customers may still come."""
    customers: int
    """Who purchased."""
    new_customers: int
    """Whose first purchase it was."""
    retained_customers: int | None
    """Who purchased in the month before, too."""
    retention_rate: float | None
    """Share of those of the month before who purchased again."""
    churn_rate: float | None
    """Share of those of the month before who did not: the rest."""
    orders: int
    revenue: int
    """Net of refunds, each on its own day."""
    average_order_value: int | None
    null_reasons: dict[str, str]


class Cohort(Struct, frozen=True, kw_only=True):
    """The customers whose first purchase was in one month."""

    cohort: str
    figures: Figures
    months: list[Month]
    """Oldest first, from that of the first purchase or the first one kept, up to ``AGE_MAX`` months
    after the first purchase."""


class Measures(Struct, frozen=True, kw_only=True):
    """All figures of a group."""

    figures: Figures
    months: list[Month]
    """Oldest first, as many as are kept."""
    cohorts: list[Cohort]
    """Oldest first."""


def measures_of(tally: Tally, this_month: int) -> Measures:
    """Return the figures of ``tally``, the sums of a group over all partitions.

    Args:
        tally: as kept in ``this_month`` (see ``Tally.since``).
        this_month: the month of the shop's time, not over yet; since January 1970.
    """
    kept = range(this_month - MONTHS_KEPT + 1, this_month + 1)
    everyone = {month: sum(tally.months.get(month, {}).values(), Activity()) for month in kept}
    new = {month: tally.months.get(month, {}).get(0, Activity()).customers for month in kept}
    return Measures(
        figures=_figures(sum(tally.cohorts.values(), Lifetime())),
        months=[_month(month, everyone, new[month], kept) for month in kept],
        cohorts=[
            Cohort(
                cohort=label(cohort),
                figures=_figures(lifetime),
                months=_cohort_months(tally, cohort, kept),
            )
            for cohort, lifetime in tally.cohorts.items()
        ],
    )


def _cohort_months(tally: Tally, cohort: int, kept: range) -> list[Month]:
    cells = {
        month: tally.months.get(month, {}).get(month - cohort, Activity())
        for month in kept
        if cohort <= month <= cohort + AGE_MAX
    }
    return [
        _month(month, cells, cell.customers if month == cohort else 0, kept)
        for month, cell in cells.items()
    ]


def _figures(lifetime: Lifetime) -> Figures:
    customers = lifetime.customers
    reasons = {}
    if not customers:
        reasons = dict.fromkeys(("repeat_purchase_rate", "average_order_value"), "no_customer")
    if not lifetime.valued:
        reasons["clv"] = "no_value" if customers else "no_customer"
    return Figures(
        customers=customers,
        repeat_customers=lifetime.repeat_customers,
        repeat_purchase_rate=_share(lifetime.repeat_customers, customers),
        orders=lifetime.orders,
        average_order_value=_mean(lifetime.revenue - lifetime.refunded, lifetime.orders),
        valued_customers=lifetime.valued,
        clv=_mean(lifetime.value, lifetime.valued),
        null_reasons=reasons,
    )


def _month(month: int, cells: Mapping[int, Activity], new: int, kept: range) -> Month:
    """Return the figures of ``month`` from the ``cells`` of it and of the month before."""
    cell, before = cells[month], cells.get(month - 1, Activity()).customers
    reasons = {}
    if not cell.orders:
        reasons["average_order_value"] = "no_order"
    known = month > kept[0]
    if not known:
        reasons["retained_customers"] = "not_kept"
    if not (known and before):
        rates = ("retention_rate", "churn_rate")
        reasons |= dict.fromkeys(rates, "nobody_before" if known else "not_kept")
    return Month(
        month=label(month),
        complete=month < kept[-1],
        customers=cell.customers,
        new_customers=new,
        retained_customers=cell.retained if known else None,
        retention_rate=_share(cell.retained, before) if known else None,
        churn_rate=_share(before - cell.retained, before) if known else None,
        orders=cell.orders,
        revenue=cell.revenue - cell.refunded,
        average_order_value=_mean(cell.revenue - cell.refunded, cell.orders),
        null_reasons=reasons,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _mean(total: int, number: int) -> int | None:
    """Return a mean of millionths, rounded half to even."""
    return round(Fraction(total, number)) if number else None
