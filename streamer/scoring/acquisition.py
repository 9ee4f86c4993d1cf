"""Acquisition (V8): what winning a customer cost, against what the customer is worth.

The lifetime value is the best that is known: ``total_clv`` by a fitted model, otherwise the formula
on margin, otherwise the formula on revenue. The cost is the customer's own, the sum of its
``acquisition_cost`` events; where none came, what the channel of its first purchase costs a
customer, as configured.

At a target ratio R a customer of lifetime value L may cost L/R in all: that is the most winning one
like it may cost, and what acquisition left of it is for retention.
"""

from collections.abc import Mapping
from functools import lru_cache
from operator import attrgetter
from typing import Literal, NamedTuple

import numpy as np

from streamer.records.instants import NEVER
from streamer.records.money import DECIMALS, format_amounts
from streamer.scoring.columns import Flags
from streamer.scoring.measure import Measure, members
from streamer.scoring.occasion import where_known
from streamer.scoring.rhythm import Floats
from streamer.scoring.rounding import in_minor_units, rounded
from streamer.state.row import Row

CostBasis = Literal["events", "channel"]
ValueBasis = Literal["total_clv", "formula_margin_ltv", "formula_ltv"]


class Lifetime(NamedTuple):
    """The best known lifetime value of n customers, in millionths; shape (n,) each."""

    value: Floats
    known: Flags
    basis: list[ValueBasis | None]
    bought: list[bool]


class _Cost(NamedTuple):
    amount: int | None
    basis: CostBasis | None
    channel: str | None


_BASES: tuple[ValueBasis | None, ...] = ("total_clv", "formula_margin_ltv", "formula_ltv", None)


def lifetime_of(
    bought: Flags,
    total: tuple[Floats, Flags],
    by_margin: tuple[Floats, Flags],
    by_revenue: tuple[Floats, Flags],
) -> Lifetime:
    """Return the first known of three values, each with where it is known."""
    value = np.where(by_revenue[1], by_revenue[0], 0.0)
    value = np.where(by_margin[1], by_margin[0], value)
    value = np.where(total[1], total[0], value)
    place = np.where(total[1], 0, np.where(by_margin[1], 1, np.where(by_revenue[1], 2, 3)))
    bases = [_BASES[one] for one in place.tolist()]
    return Lifetime(value, place < len(_BASES) - 1, bases, bought.tolist())


def acquisition(
    rows: list[Row],
    lifetime: Lifetime,
    channel_costs: Mapping[str, int],
    target: float,
    digits: int,
) -> tuple[list[float | None], Measure]:
    """Return LTV:CAC of the customers of ``rows``, and the figures around it.

    Args:
        rows: n of them.
        lifetime: their values.
        channel_costs: a customer's, in millionths, by channel.
        target: the ratio of value to cost below which a customer is flagged, above 0.
        digits: of the currency.
    """
    if not any(map(attrgetter("engagement"), rows)):
        return [None] * len(rows), _unpaid(lifetime, target, digits)
    told = [_cost(row, channel_costs) for row in rows]
    costs, cost_bases, channels = map(list, zip(*told, strict=True))
    has_cost = np.array([cost is not None for cost in costs])
    amounts = np.array([cost or 0 for cost in costs], dtype=np.int64)
    divides = lifetime.known & (amounts > 0)
    value = _as_told(lifetime, digits)
    ratio, is_known = value / np.where(divides, amounts, 1), divides.tolist()
    budget = np.maximum(value, 0) / target
    columns = (
        lifetime.basis,
        where_known((ratio < target).tolist(), is_known),
        where_known(format_amounts(amounts, digits), has_cost.tolist()),
        cost_bases,
        channels,
        rounded(budget, lifetime.known, digits),
        rounded(np.maximum(budget - amounts, 0), lifetime.known & has_cost, digits),
    )
    return where_known(ratio.tolist(), is_known), Measure(columns, _reasons(told, lifetime))


def _unpaid(lifetime: Lifetime, target: float, digits: int) -> Measure:
    """Return the figures where nothing is told of any customer: the usual batch of many shops."""
    unknown = [None] * len(lifetime.bought)
    budget = np.maximum(_as_told(lifetime, digits), 0) / target
    columns = (
        *(lifetime.basis, unknown, unknown, unknown, unknown),
        *(rounded(budget, lifetime.known, digits), unknown),
    )
    return Measure(columns, _reasons([_UNKNOWN_COST] * len(unknown), lifetime))


def _as_told(lifetime: Lifetime, digits: int) -> Floats:
    """Return the values as the wire tells them, so that who divides by hand gets the same."""
    unit = 10 ** (DECIMALS - digits)
    value: Floats = in_minor_units(lifetime.value, unit) * unit
    return value


_UNKNOWN_COST = _Cost(None, None, None)


def channel_of(row: Row) -> str | None:
    """Return the channel that won the customer: of its first purchase, or else of its first cost.

    None where neither names one.
    """
    kept = row.engagement
    if kept is None:
        return None
    at, channel = kept.channel
    if at == NEVER or at != row.first_purchase_at:
        channel = kept.paid_channel[1]
    return channel or None


def _cost(row: Row, channel_costs: Mapping[str, int]) -> _Cost:
    kept = row.engagement
    if kept is None:
        return _UNKNOWN_COST
    channel = channel_of(row)
    if kept.acquisition_costs:
        return _Cost(kept.acquisition_cost, "events", channel)
    amount = None if channel is None else channel_costs.get(channel)
    return _Cost(amount, None if amount is None else "channel", channel)


@lru_cache(maxsize=32)
def _nulls(value: str | None, cost: str | None, channel: bool) -> str:
    """Return the reasons of what is null: why ``value`` and ``cost`` are not known, or are 0."""
    unpaid = cost if cost == "no_acquisition_cost" else None
    if value and unpaid and not channel:
        return members({"ltv_to_cac": value, "acquisition": value})
    return members(
        {
            "ltv_to_cac": value or cost,
            "ltv_to_cac_basis": value,
            "ltv_below_target": value or cost,
            "acquisition_cost": unpaid,
            "acquisition_cost_basis": unpaid,
            "acquisition_channel": None if channel else "no_channel",
            "acquisition_budget": value,
            "retention_budget": value or unpaid,
        }
    )


def _reasons(told: list[_Cost], lifetime: Lifetime) -> list[str]:
    return [
        _nulls(
            None if known else "one_occasion" if bought else "no_purchase",
            "no_acquisition_cost" if cost is None else None if cost else "free_acquisition",
            channel is not None,
        )
        for (cost, _, channel), known, bought in zip(
            told, lifetime.known.tolist(), lifetime.bought, strict=True
        )
    ]
