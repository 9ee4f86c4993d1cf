"""Sums are exact: in any order, any grouping, back and forth, and through JSON."""

from fractions import Fraction
from itertools import accumulate
from math import isnan
from operator import add

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streamer.records.money import TOTAL_LIMIT
from streamer.scoring.experiments.means import moments
from streamer.scoring.experiments.sums import ArmSums, Observation
from tests.support.arms import arm_of, changed

MONEY = st.integers(-TOTAL_LIMIT, TOTAL_LIMIT)
OBSERVATIONS = st.builds(
    Observation,
    exposed_day=st.integers(20_000, 20_020),
    orders=st.integers(0, 50),
    revenue=MONEY,
    returned=st.booleans(),
    value=st.none() | MONEY,
    before=MONEY,
)
MANY = st.lists(OBSERVATIONS, max_size=12)


@given(MANY, st.randoms(use_true_random=False), st.integers(0, 12))
def test_any_order_and_grouping_gives_the_same(
    observations: list[Observation], chance: st.DrawFn, cut: int
) -> None:
    shuffled = list(observations)
    chance.shuffle(shuffled)  # type: ignore[attr-defined] # Hypothesis gives a random.Random
    assert arm_of(shuffled[:cut]) + arm_of(shuffled[cut:]) == arm_of(observations)


@given(MANY, OBSERVATIONS, OBSERVATIONS)
def test_a_change_of_one_customer_is_a_difference(
    others: list[Observation], before: Observation, after: Observation
) -> None:
    kept = arm_of([*others, before]) + changed([(before, after)])
    assert kept == arm_of([*others, after])


@given(MANY)
def test_every_prefix_by_hand(observations: list[Observation]) -> None:
    for n, kept in enumerate(accumulate((arm_of([one]) for one in observations), add), start=1):
        seen = observations[:n]
        known = [(one.value, one.before) for one in seen if one.value is not None]
        assert kept.customers == n
        assert kept.revenue_squared == sum(one.revenue**2 for one in seen)
        assert kept.orders_revenue == sum(one.orders * one.revenue for one in seen)
        assert kept.valued == len(known)
        assert kept.value_before == sum(value * before for value, before in known)
        assert kept.before_squared == sum(before**2 for _, before in known)
        assert sum(kept.exposed.values()) == n


@given(MANY)
def test_json_keeps_every_digit(observations: list[Observation]) -> None:
    kept = arm_of(observations)
    assert msgspec.json.decode(msgspec.json.encode(kept), type=ArmSums) == kept


@given(st.lists(st.tuples(MONEY, MONEY), min_size=2, max_size=8))
def test_moments_are_rounded_once(pairs: list[tuple[int, int]]) -> None:
    n = len(pairs)
    x, y = zip(*pairs, strict=True)
    found = moments(
        n,
        (sum(x), sum(value**2 for value in x)),
        (sum(y), sum(value**2 for value in y)),
        sum(a * b for a, b in pairs),
    )
    mean_x, mean_y = Fraction(sum(x), n), Fraction(sum(y), n)
    assert found.mean_x == float(mean_x)
    assert found.variance_x == float(sum((v - mean_x) ** 2 for v in x) / (n - 1))
    covariance = sum((a - mean_x) * (b - mean_y) for a, b in pairs) / (n - 1)
    assert found.covariance == float(covariance)


def test_retention_is_of_those_whose_window_is_over() -> None:
    """Exposed on day 100, a window of 7 days ends with day 107."""
    kept = arm_of(
        [
            Observation(exposed_day=100, returned=True),
            Observation(exposed_day=100),
            Observation(exposed_day=101, returned=True),
            Observation(exposed_day=105, returned=True),
        ]
    )
    assert kept.retention(107, 7) == (0, 0)
    assert kept.retention(108, 7) == (2, 1)
    assert kept.retention(109, 7) == (3, 2)
    assert kept.retention(200, 7) == (4, 3)


def test_one_observation_has_no_variance() -> None:
    assert isnan(moments(1, (3, 9)).variance_x)
