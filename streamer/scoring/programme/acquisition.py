"""What a group's customers cost to win, against what they are worth (V8).

The cost is measured: what was spent, over the customers it won. A customer of mean lifetime value L
may cost L/R at a target ratio R: that is the budget for winning one, and what winning left of it is
for keeping one.
"""

from fractions import Fraction

from msgspec import Struct

from streamer.scoring.programme.tallies import Lifetime, Spend

REASONS = {
    "no_acquisition_cost": "no acquisition cost of this group has come",
    "free_acquisition": "winning its customers cost nothing",
    "no_customer": "nobody in this group has purchased",
    "no_value": "no customer of this group has a predicted value",
}
"""The codes of ``null_reasons`` and what they mean."""


class Acquisition(Struct, frozen=True, kw_only=True):
    """Of everyone or of a channel, all their time. Money in millionths."""

    acquisition_cost: int | None
    """What was spent, whether it won a customer or not."""
    acquired_customers: int
    """Who have purchased."""
    cost_per_customer: int | None
    """Customer acquisition cost: what was spent ÷ customers acquired; rounded, as the budgets."""
    ltv_to_cac: float | None
    """Mean lifetime value ÷ cost per customer."""
    ltv_below_target: bool | None
    acquisition_budget: int | None
    """What winning a customer may cost on average; 0 at least."""
    retention_budget: int | None
    """What winning a customer left of that; 0 at least."""
    null_reasons: dict[str, str]


def acquisition_of(spend: Spend, lifetime: Lifetime, target: float) -> Acquisition:
    """Return the figures of ``spend`` on the customers of ``lifetime``.

    Args:
        spend: all of the group's.
        lifetime: of the group's customers, over all cohorts.
        target: lifetime value ÷ cost that the shop wants, above 0.
    """
    cost = Fraction(spend.amount, lifetime.customers) if spend and lifetime.customers else None
    value = Fraction(lifetime.value, lifetime.valued) if lifetime.valued else None
    budget = None if value is None else max(value, Fraction(0)) / Fraction(target)
    ratio = value / cost if value is not None and cost else None
    left = None if budget is None or cost is None else max(budget - cost, Fraction(0))
    return Acquisition(
        acquisition_cost=spend.amount if spend else None,
        acquired_customers=lifetime.customers,
        cost_per_customer=_whole(cost),
        ltv_to_cac=None if ratio is None else float(ratio),
        ltv_below_target=None if ratio is None else ratio < Fraction(target),
        acquisition_budget=_whole(budget),
        retention_budget=_whole(left),
        null_reasons=_reasons(spend, lifetime),
    )


def _reasons(spend: Spend, lifetime: Lifetime) -> dict[str, str]:
    """Return why figures are null: where both are unknown, the value's reason comes first."""
    nobody = None if lifetime.customers else "no_customer"
    value = None if lifetime.valued else nobody or "no_value"
    unpaid = None if spend else "no_acquisition_cost"
    free = None if spend.amount else "free_acquisition"
    ratio = value or unpaid or nobody or free
    reasons = {
        "acquisition_cost": unpaid,
        "cost_per_customer": unpaid or nobody,
        "ltv_to_cac": ratio,
        "ltv_below_target": ratio,
        "acquisition_budget": value,
        "retention_budget": value or unpaid or nobody,
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _whole(micros: Fraction | None) -> int | None:
    """Return millionths rounded half to even."""
    return None if micros is None else round(micros)
