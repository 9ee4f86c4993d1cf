"""Loyalty (V10): points by the shop's rules, and the tiers they reach.

Points are a function of the row's sums and the rules, so a refund takes them back, in any order,
and new rules hold at once for everybody. The arithmetic is whole numbers: exact.
"""

from bisect import bisect_right
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from streamer.records.money import UNIT
from streamer.scoring.measure import Measure, members
from streamer.state.row import Row

RATE_UNIT = 1_000_000
TierChange = Literal["up", "down"]


class LoyaltyRules(Struct, frozen=True):
    """How points are earned, and where tiers begin.

    Args:
        rate: points for a currency unit of revenue net of refunds, in millionths, 0 or more.
        referral: points for each customer brought who joined or purchased, 0 or more.
        share: points for a social share, 0 or more.
        thresholds: points where tiers begin, rising, 0 or more.
        names: of the tiers, as many.
    """

    rate: int
    referral: int
    share: int
    thresholds: tuple[int, ...]
    names: tuple[str, ...]

    def points(self, row: Row) -> int:
        """Return the points of ``row``, whole, 0 or more."""
        points: int = (row.revenue - row.refunded) * self.rate // (UNIT * RATE_UNIT)
        points += row.referred_customers * self.referral
        if row.engagement is not None:
            points += row.engagement.shares * self.share
        return max(points, 0)

    def tier(self, row: Row) -> str:
        """Return the tier of ``row``; "" below the lowest."""
        reached = bisect_right(self.thresholds, self.points(row))
        return self.names[reached - 1] if reached else ""


_Figures = tuple[str | None, int | None, str | None, int | None, str | None, TierChange | None, str]
_NOTHING: _Figures = (
    *(None, None, None, None, None, None),
    members({"loyalty_tier": "no_loyalty_programme", "loyalty": "no_loyalty_programme"}),
)


def loyalty(rows: list[Row], rules: LoyaltyRules | None) -> tuple[list[str | None], Measure]:
    """Return the tiers of ``rows``, and their other loyalty figures; all null without ``rules``."""
    told = [_NOTHING if rules is None else _of(row, rules) for row in rows]
    tiers, *columns, nulls = map(list, zip(*told, strict=True))
    return tiers, Measure(tuple(columns), nulls)


def _of(row: Row, rules: LoyaltyRules) -> _Figures:
    points = rules.points(row)
    reached = bisect_right(rules.thresholds, points)
    tier, before = rules.names[reached - 1] if reached else "", row.loyalty_tier
    top, change = reached == len(rules.names), _change(before, tier, rules)
    return (
        tier or None,
        points,
        None if top else rules.names[reached],
        None if top else rules.thresholds[reached] - points,
        (before or None) if change else None,
        change,
        _nulls(tier != "", top, change is not None, before != ""),
    )


@lru_cache(maxsize=16)
def _nulls(tiered: bool, top: bool, changed: bool, before: bool) -> str:
    nothing_higher = "top_tier" if top else None
    unchanged = None if changed else "tier_unchanged"
    return members(
        {
            "loyalty_tier": None if tiered else "below_tiers",
            "next_tier": nothing_higher,
            "points_to_next_tier": nothing_higher,
            "previous_loyalty_tier": unchanged or (None if before else "below_tiers"),
            "loyalty_tier_change": unchanged,
        }
    )


def _change(before: str, now: str, rules: LoyaltyRules) -> TierChange | None:
    """Return how ``now`` stands to the tier told last; one that no longer is counts as none."""
    if before == now:
        return None
    ranks = {name: place for place, name in enumerate(rules.names)}
    return "up" if ranks.get(now, -1) > ranks.get(before, -1) else "down"
