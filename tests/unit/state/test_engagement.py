import pytest

from streamer.records.events import (
    AcquisitionCost,
    Exposure,
    Profile,
    Purchase,
    Rating,
    Surroundings,
)
from streamer.records.instants import DAY
from streamer.records.money import TOTAL_LIMIT
from streamer.serdes.rows import decode_row, encode_row
from streamer.state.engagement import Engagement
from streamer.state.fold import admits, fold
from streamer.state.row import Row

LATENESS = 30 * DAY
NOON = 20_000 * DAY + DAY // 2
LONG = "\U0001f600" * 32
"""128 bytes."""


def purchase(name: str, at: int, where: Surroundings | None = None) -> Purchase:
    return Purchase(name, "c", at, "o", 5, None, where)


def kept(row: Row) -> Engagement:
    assert row.engagement is not None
    return row.engagement


def test_a_plain_purchase_leaves_nothing() -> None:
    assert fold(Row(), purchase("e", NOON), LATENESS).engagement is None


def test_the_channel_is_of_the_earliest_and_the_location_of_the_latest() -> None:
    row = Row()
    fold(row, purchase("e2", NOON, Surroundings("web", "Ulm")), LATENESS)
    fold(row, purchase("e1", NOON - 5, Surroundings("fair", "Köln")), LATENESS)
    fold(row, purchase("e3", NOON + 5, Surroundings("app")), LATENESS)
    assert (kept(row).channel, kept(row).location) == ((NOON - 5, "fair"), (NOON, "Ulm"))


def test_the_first_arm_wins_whoever_told_of_it() -> None:
    row = Row()
    fold(row, Exposure("x", "c", NOON, "free", "treated"), LATENESS)
    fold(row, purchase("e", NOON - 1, Surroundings("", "", "free", "control")), LATENESS)
    assert kept(row).experiments == {"free": (NOON - 1, "control")}


def test_an_attribute_is_the_latest_and_may_become_null() -> None:
    row = Row()
    for name, at, value in (("p1", NOON, '"Ulm"'), ("p2", NOON + 2, "null"), ("p3", NOON + 1, "1")):
        fold(row, Profile(name, "c", at, {"city": value}), LATENESS)
    assert kept(row).attributes == {"city": (NOON + 2, "null")}


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_ratings_at_one_instant_the_lower_is_the_last(turned: bool) -> None:
    row = Row()
    for rating in (4, 2) if turned else (2, 4):
        fold(row, Rating(f"r{rating}", "c", NOON, rating), LATENESS)
    fold(row, Rating("r5", "c", NOON - 1, 5), LATENESS)
    assert kept(row).last_rating == (NOON, 2)
    assert (kept(row).ratings, kept(row).rating_sum) == (3, 11)


def test_costs_stay_in_their_range() -> None:
    row = fold(Row(), AcquisitionCost("a", "c", NOON, 5, ""), LATENESS)
    kept(row).acquisition_cost = TOTAL_LIMIT - 2
    assert admits(row, AcquisitionCost("b", "c", NOON, 1, ""), LATENESS)
    with pytest.raises(Exception, match="leave its range"):
        admits(row, AcquisitionCost("b", "c", NOON, 2, ""), LATENESS)


def test_it_is_bounded() -> None:
    row = Row()
    wide = Surroundings("\U0001f600" * 256, "\U0001f600" * 256)
    fold(row, purchase("e", NOON, wide), LATENESS)
    fold(row, AcquisitionCost("a", "c", NOON, 5, "\U0001f600" * 256), LATENESS)
    for n in range(100):
        name = f"{n:03d}" + "x" * 61
        fold(row, Profile(f"p{n}", "c", NOON + n, {name: '"' + "y" * 126 + '"'}), LATENESS)
        fold(row, Exposure(f"x{n}", "c", NOON + n, f"{n:04d}{LONG[1:]}", LONG), LATENESS)
    without = Row()
    without.recent = row.recent
    assert len(encode_row(row)) - len(encode_row(without)) < 16 * 1024
    assert (len(kept(row).attributes), len(kept(row).experiments)) == (24, 24)
    assert min(kept(row).experiments).startswith("0000"), "the earliest stay"
    assert min(kept(row).attributes).startswith("076"), "the latest stay"
    assert decode_row(encode_row(row)) == row


def test_ids_beyond_the_bound_are_not_kept() -> None:
    row = fold(Row(), Exposure("x", "c", NOON, LONG + "!", "a"), LATENESS)
    assert kept(row).experiments == {}
