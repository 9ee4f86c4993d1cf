"""Acquisition (V8): what winning a customer cost, against what the customer is worth.

The lifetime value is the best that is known: ``total_clv`` by a fitted model, otherwise the formula
on margin, otherwise the formula on revenue. The cost is the customer's own, the sum of its
``acquisition_cost`` events; where none came, what the channel of its first purchase costs a
customer, as configured.

At a target ratio R a customer of lifetime value L may cost L/R in all: that is the most winning one
like it may cost, and what acquisition left of it is for retention.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np

from streamer.records.instants import NEVER
from streamer.records.money import format_amounts
from streamer.scoring.columns import Flags
from streamer.scoring.nulls import Nulls
from streamer.scoring.occasion import where_known
from streamer.scoring.rhythm import Floats
from streamer.state.row import Row

CostBasis = Literal["events", "channel"]
ValueBasis = Literal["total_clv", "formula_margin_ltv", "formula_ltv"]


class Lifetime(NamedTuple):
    """The best known lifetime value of n customers, in millionths; shape (n,) each."""

    value: Floats
    known: Flags
    basis: list[ValueBasis | None]
    bought: list[bool]


class AcquisitionFigures(NamedTuple):
    """Columns of n entries; money in millionths where it is still to be formatted."""

    ratio: list[float | None]
    value_basis: list[ValueBasis | None]
    below_target: list[bool | None]
    cost: list[str | None]
    cost_basis: list[CostBasis | None]
    channel: list[str | None]
    budget: Floats
    retention_budget: Floats
    costed: Flags
    """Whether the retention budget is known."""
    nulls: list[Nulls]


class _Cost(NamedTuple):
    amount: int | None
    basis: CostBasis | None
    channel: str | None


def lifetime_of(
    bought: Flags,
    total: tuple[Floats, Flags],
    by_margin: tuple[Floats, Flags],
    by_revenue: tuple[Floats, Flags],
) -> Lifetime:
    """Return the first known of three values, each with where it is known."""
    choices: list[Flags] = [total[1], by_margin[1], by_revenue[1]]
    names = np.array(["total_clv", "formula_margin_ltv", "formula_ltv", None], dtype=object)
    place = np.where(total[1], 0, np.where(by_margin[1], 1, np.where(by_revenue[1], 2, 3)))
    value = np.select(choices, [total[0], by_margin[0], by_revenue[0]], 0.0)
    return Lifetime(value, place < len(choices), names[place].tolist(), bought.tolist())


def acquisition_figures(
    rows: list[Row],
    lifetime: Lifetime,
    channel_costs: Mapping[str, int],
    target: float,
    digits: int,
) -> AcquisitionFigures:
    """Return what winning the customers of ``rows`` cost, and how it stands to their value.

    Args:
        rows: n of them.
        lifetime: their values.
        channel_costs: a customer's, in millionths, by channel.
        target: the ratio of value to cost below which a customer is flagged, above 0.
        digits: of the currency.
    """
    told = [_cost(row, channel_costs) for row in rows]
    has_cost = np.array([one.amount is not None for one in told])
    amounts = np.array([one.amount or 0 for one in told], dtype=np.int64)
    divides = lifetime.known & (amounts > 0)
    ratio = lifetime.value / np.where(divides, amounts, 1)
    is_known, budget = divides.tolist(), np.maximum(lifetime.value, 0) / target
    return AcquisitionFigures(
        where_known(ratio.tolist(), is_known),
        lifetime.basis,
        where_known((ratio < target).tolist(), is_known),
        where_known(format_amounts(amounts, digits), has_cost.tolist()),
        [one.basis for one in told],
        [one.channel for one in told],
        budget,
        np.maximum(budget - amounts, 0),
        lifetime.known & has_cost,
        _nulls_of(told, lifetime),
    )


_UNKNOWN_COST = _Cost(None, None, None)


def _cost(row: Row, channel_costs: Mapping[str, int]) -> _Cost:
    kept = row.engagement
    if kept is None:
        return _UNKNOWN_COST
    at, channel = kept.channel
    if at == NEVER or at != row.first_purchase_at:
        channel = kept.paid_channel[1]
    if kept.acquisition_costs:
        return _Cost(kept.acquisition_cost, "events", channel or None)
    amount = channel_costs.get(channel)
    return _Cost(amount, None if amount is None else "channel", channel or None)


def _nulls(value: str, cost: str, *, channel: bool) -> Nulls:
    """Return the reasons of what is null: ``value`` and ``cost`` are known, or say why not."""
    reasons: dict[str, str] = {} if channel else {"acquisition_channel": "no_channel"}
    ratio = "ltv_to_cac", "ltv_below_target"
    if cost == "no_acquisition_cost":
        lacking = "retention_budget", "acquisition_cost", "acquisition_cost_basis"
        reasons |= dict.fromkeys((*ratio, *lacking), cost)
    elif cost != _KNOWN:
        reasons |= dict.fromkeys(ratio, cost)
    if value != _KNOWN:
        lacking = "ltv_to_cac_basis", "acquisition_budget", "retention_budget"
        reasons |= dict.fromkeys((*ratio, *lacking), value)
    return Nulls(reasons)


_KNOWN = "known"
_NULLS = {
    (value, cost, channel): _nulls(value, cost, channel=channel)
    for value in (_KNOWN, "one_occasion", "no_purchase")
    for cost in (_KNOWN, "free_acquisition", "no_acquisition_cost")
    for channel in (False, True)
}


def _nulls_of(told: list[_Cost], lifetime: Lifetime) -> list[Nulls]:
    return [
        _NULLS[
            _KNOWN if known else "one_occasion" if bought else "no_purchase",
            "no_acquisition_cost" if amount is None else _KNOWN if amount else "free_acquisition",
            channel is not None,
        ]
        for (amount, _, channel), known, bought in zip(
            told, lifetime.known.tolist(), lifetime.bought, strict=True
        )
    ]
