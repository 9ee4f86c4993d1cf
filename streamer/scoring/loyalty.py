"""Loyalty (V10): points by the shop's rules, and the tiers they reach.

Points are a function of the row's sums and the rules, so a refund takes them back, in any order,
and new rules hold at once for everybody. The arithmetic is whole numbers: exact.
"""

from bisect import bisect_right
from typing import Literal, NamedTuple

from msgspec import Struct

from streamer.records.money import UNIT
from streamer.scoring.nulls import Nulls
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


class LoyaltyFigures(NamedTuple):
    """Columns of n entries."""

    tier: list[str | None]
    points: list[int | None]
    next_tier: list[str | None]
    points_to_next_tier: list[int | None]
    previous_tier: list[str | None]
    change: list[TierChange | None]
    nulls: list[Nulls]


_Figures = tuple[
    str | None, int | None, str | None, int | None, str | None, TierChange | None, Nulls
]

_FIELDS = (
    "loyalty_tier",
    "loyalty_points",
    "next_tier",
    "points_to_next_tier",
    "previous_loyalty_tier",
    "loyalty_tier_change",
)
_NEXT, _CHANGE = _FIELDS[2:4], _FIELDS[4:]
_NO_PROGRAMME = Nulls(dict.fromkeys(_FIELDS, "no_loyalty_programme"))
_NOTHING: _Figures = (None, None, None, None, None, None, _NO_PROGRAMME)
_NULLS = {
    (below, top, change, before): Nulls(
        ({"loyalty_tier": "below_tiers"} if below else {})
        | (dict.fromkeys(_NEXT, "top_tier") if top else {})
        | ({} if change else {"loyalty_tier_change": "tier_unchanged"})
        | ({} if before else {"previous_loyalty_tier": "below_tiers"} if change else {})
        | ({} if change else {"previous_loyalty_tier": "tier_unchanged"})
    )
    for below in (False, True)
    for top in (False, True)
    for change in (False, True)
    for before in (False, True)
}


def loyalty_figures(rows: list[Row], rules: LoyaltyRules | None) -> LoyaltyFigures:
    """Return the loyalty figures of ``rows``; all null without ``rules``."""
    told = [_NOTHING if rules is None else _of(row, rules) for row in rows]
    return LoyaltyFigures(*map(list, zip(*told, strict=True)))


def _of(row: Row, rules: LoyaltyRules) -> _Figures:
    points = rules.points(row)
    reached = bisect_right(rules.thresholds, points)
    tier = rules.names[reached - 1] if reached else ""
    top = reached == len(rules.names)
    change, before = _change(row.loyalty_tier, tier, rules), row.loyalty_tier
    return (
        tier or None,
        points,
        None if top else rules.names[reached],
        None if top else rules.thresholds[reached] - points,
        (before or None) if change else None,
        change,
        _NULLS[not tier, top, change is not None, bool(before)],
    )


def _change(before: str, now: str, rules: LoyaltyRules) -> TierChange | None:
    """Return how ``now`` stands to the tier told last; one that no longer is counts as none."""
    if before == now:
        return None
    ranks = {name: place for place, name in enumerate(rules.names)}
    return "up" if ranks.get(now, -1) > ranks.get(before, -1) else "down"
