"""Points and tiers by hand."""

import pytest

from streamer.records.events import Purchase, ReferralCredit, Refund, Share
from streamer.records.instants import DAY
from streamer.scoring.loyalty import LoyaltyRules, loyalty
from streamer.scoring.parameters import ScoringParameters
from streamer.state.fold import fold
from streamer.state.row import Row

AT = 20_000 * DAY
RULES = LoyaltyRules(
    rate=290_000, referral=100, share=5, thresholds=(10, 29, 500), names=("tin", "iron", "gold")
)


def row_of(*, paid: int = 0, back: int = 0, brought: int = 0, shares: int = 0) -> Row:
    """Return a row of amounts in millionths."""
    row = Row()
    if paid:
        fold(row, Purchase("p", "c", AT, "o", paid, None), DAY)
    if back:
        fold(row, Refund("r", "c", AT, "o", back), DAY)
    if brought:
        fold(row, ReferralCredit("x", "c", AT, "d", 0, 0, brought, 1), DAY)
    for number in range(shares):
        fold(row, Share(f"s{number}", "c", AT), DAY)
    return row


@pytest.mark.parametrize(
    ("row", "points", "tier"),
    [
        (row_of(), 0, ""),
        (row_of(paid=100_000_000), 29, "iron"),  # .29 × 100 is 28.999… in binary
        (row_of(paid=99_999_999), 28, "tin"),
        (row_of(paid=100_000_000, back=65_517_241), 10, "tin"),
        (row_of(paid=100_000_000, back=65_517_242), 9, ""),
        (row_of(paid=1, back=100_000_000), 0, ""),
        (row_of(shares=2), 10, "tin"),
        (row_of(brought=4, shares=20), 500, "gold"),
        (row_of(paid=2**62 - 1), (2**62 - 1) * 29 // 10**8, "gold"),
    ],
)
def test_points_are_exact_and_tiers_begin_at_their_thresholds(
    row: Row, points: int, tier: str
) -> None:
    assert (RULES.points(row), RULES.tier(row)) == (points, tier)


@pytest.mark.parametrize(
    ("told", "shares", "change", "previous"),
    [
        ("", 0, None, None),
        ("", 2, "up", None),
        ("tin", 2, None, None),
        ("tin", 6, "up", "tin"),
        ("gold", 2, "down", "gold"),
        ("tin", 0, "down", "tin"),
        ("of old rules", 2, "up", "of old rules"),
    ],
)
def test_a_change_is_against_what_was_told_last(
    told: str, shares: int, change: str | None, previous: str | None
) -> None:
    row = row_of(shares=shares)
    row.loyalty_tier = told
    _, figures = loyalty([row], RULES)
    assert [column[0] for column in figures.columns[3:]] == [previous, change]


def test_the_next_tier_is_told_until_there_is_none() -> None:
    tiers, figures = loyalty([row_of(), row_of(shares=6), row_of(brought=5)], RULES)
    assert tiers == [None, "iron", "gold"]
    assert figures.columns[1:3] == (["tin", "gold", None], [10, 470, None])
    assert '"next_tier":"top_tier"' in figures.nulls[2]


def test_tiers_are_told_in_any_order() -> None:
    shop = ScoringParameters(loyalty_tiers={"gold": 500, "tin": 10})
    assert shop.loyalty == LoyaltyRules(1_000_000, 0, 0, (10, 500), ("tin", "gold"))
    assert ScoringParameters().loyalty is None
