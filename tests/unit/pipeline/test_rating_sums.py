"""Ratings by product: the bound, the recount, and which opinions of a customer are kept."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline.rating_sums import RatingSums
from streamer.records.events import Rating
from streamer.records.money import UNIT
from streamer.scoring.programme.reviews import RatingCounts, opinions_of, review_of
from streamer.state.engagement import Engagement
from streamer.state.opinions import NAME_BYTES_MAX, OPINIONS_MAX, Opinion, with_rating
from streamer.state.row import Row

Told = tuple[int, int, str, str]
"""When, units, product and category."""

TOLD = st.lists(
    st.tuples(
        st.integers(0, 9),
        st.integers(0, 5),
        st.sampled_from(["", *(f"p{n}" for n in range(OPINIONS_MAX + 5))]),
        st.sampled_from(["", "hats"]),
    ),
    max_size=60,
)


def kept_of(told: list[Told]) -> dict[str, Opinion]:
    kept: dict[str, Opinion] = {}
    for place, (at, units, product, category) in enumerate(told):
        kept = with_rating(kept, Rating(f"{place}", "c", at, units * UNIT, product, category))
    return kept


def opinions(told: list[Told]) -> dict[str, RatingCounts]:
    return dict(opinions_of(Row(engagement=Engagement(opinions=kept_of(told)))))


@settings(max_examples=200, deadline=None)
@given(TOLD, st.randoms(use_true_random=False))
def test_no_order_of_arrival_shows_in_a_row(told: list[Told], random: object) -> None:
    shuffled = list(told)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    assert list(kept_of(shuffled).items()) == list(kept_of(told).items())
    assert len(kept_of(told)) <= OPINIONS_MAX


def test_the_latest_rating_of_a_thing_counts_once() -> None:
    found = opinions(
        [(1, 1, "p", "hats"), (2, 5, "p", "hats"), (2, 4, "p", ""), (3, 2, "", "hats")]
    )
    assert found == {
        "product:p": RatingCounts(1, 4 * UNIT, 0),
        "category:hats": RatingCounts(1, 2 * UNIT, 1),
    }
    assert opinions([(1, 1, "", "")]) == {}


@pytest.mark.parametrize("name", ["x" * (NAME_BYTES_MAX + 1), "a\nb"])
def test_names_that_do_not_fit_are_not_kept(name: str) -> None:
    assert opinions([(1, 1, name, "")]) == {}
    assert opinions([(1, 1, "p", name)]).keys() == {"product:p"}


def test_the_first_names_are_kept_in_any_order() -> None:
    for names in permutations("abcd"):
        sums = RatingSums(2)
        for name in names:
            sums.count([({}, {f"product:{name}": RatingCounts(1, UNIT, 1)})])
        assert sums.keys == [("ratings", "product:a"), ("ratings", "product:b")]
        assert sums.beyond["ratings:product"] == ("ratings", "product:c")


def test_what_is_no_more_is_told_once() -> None:
    sums, one = RatingSums(), {"product:a": RatingCounts(1, UNIT, 1)}
    sums.count([({}, one)])
    assert dict(sums.take_changed()) == {("ratings", "product:a"): RatingCounts(1, UNIT, 1)}
    sums.count([(one, {})])
    assert dict(sums.take_changed()) == {("ratings", "product:a"): None}
    assert not sums.has_changed
    assert not sums.keys


@pytest.mark.parametrize(
    ("ratings", "low", "flag"),
    [(4, 4, None), (5, 2, False), (5, 3, True), (100, 25, False), (100, 30, True)],
)
def test_only_what_is_surely_too_bad_is_flagged(ratings: int, low: int, flag: bool | None) -> None:
    found = review_of(RatingCounts(ratings, 0, low), 0.2)
    assert found.needs_review is flag
    assert found.null_reasons.keys() == ({"needs_review"} if flag is None else set())
