"""Referral value (V6): what the customers are worth whom a customer brought, and they in turn.

After Kumar, Petersen & Leone (2007): only type-one referrals, which would not have come otherwise,
bring the value of who was brought.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from streamer.records.money import TOTAL_LIMIT, UNIT, format_amounts
from streamer.records.scores import MEASURES
from streamer.scoring.measure import Measure, members, nothing
from streamer.scoring.occasion import where_known
from streamer.state.referrals import CUSTOMERS, LEVEL_FIELDS, REVENUE, standing
from streamer.state.row import Row

_NO_PROGRAMME = members({"referrals": "no_programme"})


class ReferralFigures(NamedTuple):
    """Columns of n rows."""

    value: Sequence[str | None]
    customers: Sequence[int | None]
    known: list[bool]
    chain: Measure


def referrals(
    rows: list[Row], weights: tuple[int, ...], digits: int, *, programme: bool
) -> ReferralFigures:
    """Return the referral figures of ``rows``; null where no programme is known to run.

    Args:
        rows: n of them.
        weights: of the net revenue of each level of the chain, from the customers brought directly
            on, in millionths.
        digits: decimals of the currency.
        programme: whether a programme is configured.
    """
    known = [
        programme or bool(row.referrals_sent or row.referred_customers or row.generations)
        for row in rows
    ]
    if True not in known:
        return _nothing_known(len(rows))
    chains = [levels_of(row) if row.generations else () for row in rows]
    values = [_value(row, chain, weights) for row, chain in zip(rows, chains, strict=True)]
    brought = [sum(customers for customers, _ in chain[1:]) for chain in chains]
    revenue = [sum(revenue for _, revenue in chain[1:]) for chain in chains]
    direct = [row.referred_revenue for row in rows]

    def money(micros: list[int]) -> list[str | None]:
        within = np.array([max(-TOTAL_LIMIT, min(TOTAL_LIMIT, one)) for one in micros])
        return where_known(format_amounts(within, digits), known)

    chain = Measure(
        (
            money(direct),
            where_known(brought, known),
            money(revenue),
            where_known([row.referrals_lost for row in rows], known),
        ),
        ["" if is_known else _NO_PROGRAMME for is_known in known],
    )
    customers = where_known([row.referred_customers for row in rows], known)
    return ReferralFigures(money(values), customers, known, chain)


def _nothing_known(n: int) -> ReferralFigures:
    """Return the figures where no programme runs: the usual batch of a shop without one."""
    unknown: list[None] = [None] * n
    chain = nothing(n, len(MEASURES["referrals"]), _NO_PROGRAMME)
    return ReferralFigures(unknown, unknown, [False] * n, chain)


class ReferrersTold(NamedTuple):
    """Columns of n rows: what their referrers have told of their own churn."""

    lapsed: list[bool | None]
    nulls: list[str | None]
    sentences: list[str | None]


def referrers_told(rows: Sequence[Row]) -> ReferrersTold:
    """Return whether the referrers of ``rows`` are known to have lapsed, and why not."""
    lapsed = [row.referrer_standing % 2 == 1 if row.referrer_standing else None for row in rows]
    return ReferrersTold(
        lapsed,
        [
            None if known is not None else "nothing_told" if row.referrer else "not_referred"
            for row, known in zip(rows, lapsed, strict=True)
        ],
        ["its referrer has lapsed" if one else None for one in lapsed],
    )


def levels_of(row: Row) -> tuple[tuple[int, int], ...]:
    """Return customers and net revenue of each level of the chain, nobody counted twice.

    In a cycle of c customers who brought each other, who stands at a level stands again c levels
    further down, and a customer is its own descendant at level c: these go out.
    """
    kept, around = row.generations, len(row.cycle)
    own = standing(row)
    sums = [(own.customers, own.revenue)]
    sums += zip(kept[CUSTOMERS::LEVEL_FIELDS], kept[REVENUE::LEVEL_FIELDS], strict=True)
    if not around:
        return tuple(sums[1:])
    turns = [(0, 0)] * around + sums
    return tuple(
        (customers - again[0], revenue - again[1])
        for (customers, revenue), again in zip(sums[1:], turns[1:], strict=False)
    )


def _value(row: Row, chain: tuple[tuple[int, int], ...], weights: tuple[int, ...]) -> int:
    """Return the weighted net revenue in millionths, rounded half up."""
    if not chain and not row.referred_revenue:
        return 0
    # Who was brought before chains were counted is in the sum of the direct ones alone.
    revenues = (row.referred_revenue, *(revenue for _, revenue in chain[1:]))
    weighed = sum(weight * revenue for weight, revenue in zip(weights, revenues, strict=False))
    value: int = (weighed + UNIT // 2) // UNIT
    return value
