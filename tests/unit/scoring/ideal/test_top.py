"""The top tenth and its lifts, against counting customer by customer, and scipy's Wilson."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from streamer.records.models import TRAITS, IdealProfile
from streamer.records.partials import Key
from streamer.scoring.ideal.spreads import Marked, Spread, bucket_of, differences, floor_of
from streamer.scoring.ideal.telling import profile_fields
from streamer.scoring.ideal.top import VALUES_MAX, cut_of, lift_of, profile_of

UNIT = 1_000_000
CHANNEL = TRAITS.index("channel")
Customer = tuple[int, str]
"""Lifetime value in millionths, and the channel."""


def marked(customer: Customer) -> Marked:
    traits = [""] * len(TRAITS)
    traits[CHANNEL] = customer[1]
    return Marked(bucket_of(customer[0]), tuple(traits))


def spreads(customers: list[Customer]) -> dict[Key, Spread]:
    changes = [(None, marked(one)) for one in customers]
    return {key: Spread(dict(counts)) for key, counts in differences(changes).items()}


CUSTOMERS = st.lists(
    st.tuples(st.integers(-5, 10**12) | st.integers(-5, 500), st.sampled_from(["", "a", "b"])),
    max_size=60,
)


@given(st.integers(1, 2**62))
def test_a_bucket_tells_a_value_to_four_and_a_half_percent(value: int) -> None:
    floor = floor_of(bucket_of(value))
    assert floor * (1 - 1e-9) <= value <= floor * 1.0443 * (1 + 1e-9)


@given(CUSTOMERS, CUSTOMERS)
def test_who_has_changed_leaves_no_trace_of_before(
    before: list[Customer], after: list[Customer]
) -> None:
    n = max(len(before), len(after))
    was = [*map(marked, before), *[None] * (n - len(before))]
    is_ = [*map(marked, after), *[None] * (n - len(after))]
    kept = spreads(before)
    for key, delta in differences(zip(was, is_, strict=True)).items():
        kept.setdefault(key, Spread({})).add(delta)
    assert {key: one for key, one in kept.items() if one.customers} == spreads(after)


@given(CUSTOMERS.filter(bool))
def test_the_cut_is_the_nearest_to_a_tenth(customers: list[Customer]) -> None:
    buckets = [bucket_of(value) for value, _ in customers]
    cut = cut_of(Spread(dict(Counter(buckets))))
    above = {start: sum(bucket >= start for bucket in buckets) for start in set(buckets)}
    tenth = len(customers) / 10
    assert cut.top_customers == above[cut.bucket]
    assert abs(cut.top_customers - tenth) == min(abs(n - tenth) for n in above.values())
    alike = cut.top_customers > len(customers) / 5
    few = None if cut.top_customers >= 10 else "too_few_customers"
    assert cut.reason == ("values_alike" if alike else few)


@pytest.mark.parametrize(("top", "customers"), [(12, 40), (0, 7), (7, 7), (1, 1), (30, 600)])
def test_the_interval_is_wilsons(top: int, customers: int) -> None:
    lift = lift_of(top, customers, IdealProfile(customers=1000, top_customers=100, traits={}))
    wilson = binomtest(top, customers).proportion_ci(0.95, method="wilson")
    assert lift.lift == pytest.approx(10 * top / customers)
    assert (lift.low, lift.high) == pytest.approx((10 * wilson.low, 10 * wilson.high), abs=1e-9)


def hundred() -> list[Customer]:
    """Of 100 customers 10 are worth 900 and more; 6 of these are among the 20 won by email."""
    top = [(900 * UNIT + n * 100 * UNIT, "email" if n < 6 else "search") for n in range(10)]
    return top + [((50 + n) * UNIT, "email" if n < 14 else "") for n in range(90)]


def test_the_profile_by_hand() -> None:
    told = profile_fields(spreads(hundred()), "USD")
    assert (told["customers"], told["top_customers"], told["null_reasons"]) == (100, 10, {})
    assert 860 < float(told["top_value"]) <= 900
    by_trait = {one.trait: one for one in told["traits"]}
    assert list(by_trait) == list(TRAITS)
    assert (by_trait["channel"].known_customers, by_trait["location"].known_customers) == (24, 0)
    search, email = by_trait["channel"].values
    assert (search.value, search.customers, search.top_customers) == ("search", 4, 4)
    assert (email.customers, email.top_customers, email.share) == (20, 6, 0.2)
    assert (email.top_share, email.lift) == (0.6, pytest.approx(3.0))
    # Wilson of 6 of 20 is 0.1455 to 0.5190, over a share of 0.1.
    assert (email.low, email.high) == (
        pytest.approx(1.455, abs=1e-3),
        pytest.approx(5.19, abs=1e-3),
    )
    assert (search.verdict, email.verdict) == ("more_often", "more_often")


def test_below_ten_at_the_top_nothing_is_said() -> None:
    told = profile_fields(spreads(hundred()[:60]), "USD")
    assert told["traits"] is None
    assert set(told["null_reasons"].values()) == {"too_few_customers"}


def test_customers_worth_the_same_have_no_top_tenth() -> None:
    told = profile_fields(spreads([(UNIT, "a")] * 500), "USD")
    assert told["top_customers"] is None
    assert set(told["null_reasons"].values()) == {"values_alike"}


def test_values_beyond_the_bound_are_others() -> None:
    names = [f"{n:02d}" for n in range(VALUES_MAX + 5)]
    customers = [((n + 1) ** 3 * UNIT, name) for n, name in enumerate(names * 20)]
    _, profile = profile_of(spreads(customers))
    assert list(profile.traits["channel"]) == names[:VALUES_MAX], "equally many: the lesser names"
    channel = profile_fields(spreads(customers), "USD")["traits"][CHANNEL]
    assert (channel.known_customers, channel.other_customers) == (len(names) * 20, 5 * 20)
