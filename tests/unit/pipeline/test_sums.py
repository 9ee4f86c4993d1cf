"""The bound: the first names are kept, and partitions agree on which of the shop's those are."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Shop
from streamer.pipeline.keyed_sums import kind_of
from streamer.pipeline.sums import Sums
from streamer.records.measures import ExperimentMeasure, ProgrammeMeasure
from streamer.records.partials import SHARE, Key, Share
from streamer.scoring.experiments.observing import Observations
from streamer.scoring.experiments.sums import Observation
from streamer.scoring.programme.members import ALL, Member
from streamer.scoring.programme.months import first_month
from streamer.serdes.partials import encode_partial, encode_partial_key

DAY = 20_000
NOW = datetime(2030, 1, 1, tzinfo=UTC)
Customer = tuple[str, tuple[str, str]]
"""Its channel, and its arm."""


def member(channel: str) -> Member:
    return Member(DAY, 1, 1, 5, 0, (DAY, 1, 5, 0), None, (ALL, f"channel:{channel}"))


def observed(arm: tuple[str, str]) -> Observations:
    return {arm: Observation(exposed_day=DAY, orders=1, revenue=5)}


def counted(customers: list[Customer], keys_max: int) -> Sums:
    sums = Sums(keys_max)
    sums.keep_since(first_month(DAY))
    for channel, arm in customers:
        sums.count([(None, member(channel))], [({}, observed(arm))])
    return sums


def told(sums: Sums) -> dict[bytes, bytes | None]:
    records = {
        encode_partial_key(key): None if value is None else encode_partial(value)
        for key, value in sums.take_changed()
    }
    share = Share(time=DAY * 86_400_000_000, keys=sums.keys, beyond=sums.beyond)
    return {**records, encode_partial_key(SHARE): encode_partial(share)}


CUSTOMERS = st.lists(
    st.tuples(st.sampled_from("abcdefg"), st.tuples(st.sampled_from("xyz"), st.sampled_from("12"))),
    max_size=25,
)


@settings(max_examples=200, deadline=None)
@given(CUSTOMERS, CUSTOMERS, st.integers(1, 8))
def test_what_is_published_is_counted_in_full(
    here: list[Customer], there: list[Customer], keys_max: int
) -> None:
    shop = Shop("USD", {})
    for partition, customers in enumerate((here, there)):
        sums = counted(customers, keys_max)
        assert sum(kind_of(key) == "channel" for key in sums.keys) <= keys_max
        for key, value in told(sums).items():
            shop.take(partition, key, value)
    everyone = here + there
    measures = list(shop.measures(NOW))
    check_channels(
        [one for one in measures if isinstance(one, ProgrammeMeasure)], everyone, keys_max
    )
    check_arms([one for one in measures if isinstance(one, ExperimentMeasure)], everyone, keys_max)


def check_channels(
    measures: list[ProgrammeMeasure], everyone: list[Customer], keys_max: int
) -> None:
    """All that are told are counted in full, and the first names are among them."""
    found = {measure.group: measure.figures.customers for measure in measures}
    assert found.pop(ALL, 0) == len(everyone)
    channels = sorted({channel for channel, _ in everyone})
    assert {f"channel:{one}" for one in channels[:keys_max]} <= found.keys()
    for group, number in found.items():
        assert number == sum(f"channel:{channel}" == group for channel, _ in everyone)


def check_arms(measures: list[ExperimentMeasure], everyone: list[Customer], keys_max: int) -> None:
    """An experiment is told with all of its arms or not at all."""
    for measure in measures:
        mine = [arm for _, (one, arm) in everyone if one == measure.experiment]
        assert measure.arms == {arm: mine.count(arm) for arm in set(mine)}
    if len({arm for _, arm in everyone}) <= keys_max:
        assert {one.experiment for one in measures} == {one for _, (one, _) in everyone}


def test_what_was_left_out_stays_out_until_a_recount() -> None:
    sums = counted([("b", ("x", "1")), ("c", ("x", "1")), ("a", ("x", "1"))], 2)
    left_out: Key = ("group", "channel:c")
    assert left_out not in sums.keys
    assert sums.beyond == {"channel": left_out}
    sums.count([(member("a"), None), (None, member("c")), (None, member("b"))], [])
    assert [key[1] for key in sums.keys if key[0] == "group"] == [ALL, "channel:b"]


def test_what_is_no_more_is_told_once() -> None:
    sums = counted([("a", ("x", "1"))], 9)
    assert all(value is not None for _, value in sums.take_changed())
    assert not sums.has_changed
    sums.count([(member("a"), None)], [(observed(("x", "1")), {})])
    assert dict(sums.take_changed()) == {
        ("group", ALL): None,
        ("group", "channel:a"): None,
        ("arm", "x", "1"): None,
    }
    assert not sums.has_changed


@pytest.mark.parametrize("months", [11, 12])
def test_exposures_are_followed_for_twelve_months(months: int) -> None:
    sums = counted([("a", ("x", "1"))], 9)
    sums.keep_since(first_month(DAY) + months)
    assert (("arm", "x", "1") in sums.keys) == (months == 11)
