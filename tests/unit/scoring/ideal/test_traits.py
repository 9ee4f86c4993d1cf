"""Each trait's classes at their edges."""

import pytest

from streamer.records.instants import DAY, NEVER
from streamer.records.models import TRAITS
from streamer.scoring.ideal.traits import lasting_traits_of, traits_of
from streamer.state.engagement import Engagement
from streamer.state.row import Row

FIRST = 20_000


def row(days: int = 0, occasions: int = 1, **fields: object) -> Row:
    """A customer who bought first on the day ``FIRST`` and last so many days later."""
    return Row(
        orders=occasions,
        occasions=occasions,
        first_day=FIRST,
        first_purchase_at=FIRST * DAY,
        last_purchase_at=(FIRST + days) * DAY,
        **fields,  # type: ignore[arg-type]
    )


def trait(name: str, of: Row, days: float = 0) -> str:
    return traits_of(of, round((FIRST + days) * DAY))[TRAITS.index(name)]


def test_nothing_is_known_of_who_bought_once_and_told_nothing() -> None:
    assert traits_of(row(), FIRST * DAY) == ("", "", "", "", "new")


def test_the_first_category_is_the_earliest_and_of_one_day_the_lesser_name() -> None:
    categories = {"toys": [FIRST, FIRST], "food": [FIRST, FIRST + 9], "art": [FIRST + 1, FIRST + 1]}
    assert trait("first_category", row(categories=categories)) == "food"
    assert trait("first_category", row(categories={"toys": [FIRST, FIRST]})) == "toys"


def test_channel_and_location_are_those_of_the_updates() -> None:
    told = Engagement(channel=(FIRST * DAY, "email"), location=(FIRST * DAY, "Bern"))
    assert traits_of(row(engagement=told), FIRST * DAY)[1:3] == ("email", "Bern")
    paid = Engagement(channel=(NEVER, ""), paid_channel=(FIRST * DAY, "fair"))
    assert traits_of(row(engagement=paid), FIRST * DAY)[1:3] == ("fair", "")


@pytest.mark.parametrize(
    ("days", "occasions", "rhythm"),
    [
        (10, 2, "weekly"),
        (21, 3, "monthly"),
        (45, 2, "monthly"),
        (46, 2, "quarterly"),
        (270, 3, "quarterly"),
        (271, 3, "rarely"),
    ],
)
def test_the_rhythm_is_the_mean_gap(days: int, occasions: int, rhythm: str) -> None:
    assert trait("rhythm", row(days, occasions)) == rhythm


@pytest.mark.parametrize(
    ("days", "tenure"),
    [
        (29.9, "new"),
        (30, "first_year"),
        (365, "established"),
        (1094, "established"),
        (1095, "veteran"),
    ],
)
def test_tenure_is_as_the_segments_have_it(days: float, tenure: str) -> None:
    assert trait("tenure", row(), days) == tenure


def test_tenure_alone_does_not_last() -> None:
    one = row(12, 2)
    assert (*lasting_traits_of(one), "veteran") == traits_of(one, (FIRST + 2000) * DAY)
