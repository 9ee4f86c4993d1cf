"""The figures of the shop (V16, V18) are those of a recount of all its events, whatever happens.

Whatever: units of any size, counting in slices of any size at any time, partitions that crash in
between, records written twice because their owner changed.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Configuration
from streamer.records.instants import DAY, day_of, to_datetime
from streamer.records.kafka import LTV_UPDATES, SEGMENT_CHANGES
from streamer.scoring.experiments.observing import ByMonth
from streamer.scoring.experiments.sums import ArmSums
from streamer.scoring.programme.months import first_month
from streamer.serdes.partials import decode_partial
from tests.support.cluster import Cluster
from tests.support.counting import NOW, Measures, finish, measures_of, shop_of, tell
from tests.support.histories import (
    RATES,
    Happening,
    as_arrived,
    configuration,
    histories,
    sizes,
)
from tests.support.marketing import marketing
from tests.support.models import model_params
from tests.support.programme_oracle import (
    Customer,
    acquisition_of,
    arms_of,
    customers_of,
    group_of,
    ratings_of,
)
from tests.support.schemas import validator

ALL = settings(max_examples=100, deadline=None)
PLAIN = ["works", "works", "counts", "tells", "crashes", "silence"]
MODELLED = [*PLAIN, "adopts", "scores anew"]


def adopt(cluster: Cluster, number: int, _: int) -> None:
    generation = 1 + cluster.partition(number).scoring.generation
    cluster.step(number, 0, model=model_params(generation))


def silence(cluster: Cluster, number: int, size: int) -> None:
    until = max(cluster.partition(n).time for n in cluster.numbers) + size * 20 * DAY
    cluster.step(number, 0, silence_until=until)


HAPPEN: dict[str, Callable[[Cluster, int, int], object]] = {
    "works": lambda cluster, number, size: cluster.step(number, size),
    "counts": lambda cluster, number, size: cluster.partition(number).count(size),
    "tells": lambda cluster, number, _: tell(cluster, number),
    "crashes": lambda cluster, number, _: cluster.crash(number),
    "silence": silence,
    "adopts": adopt,
    "scores anew": lambda cluster, number, size: cluster.step(number, 0, rescore_max=size),
}


def fates(kinds: Sequence[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(kinds), max_size=30)


def play(
    history: Sequence[Happening],
    units: Sequence[int],
    fates: Sequence[str],
    partitions: int,
    shop: Callable[..., Configuration] = configuration,
) -> Cluster:
    cluster = Cluster(shop(partitions=partitions), now=NOW)
    for event in as_arrived(history):
        cluster.send(event)
    for number, fate, size in zip(cycle(cluster.numbers), fates, cycle(units), strict=False):
        HAPPEN[fate](cluster, number, size)
    cluster.settle(limit=units[0])
    finish(cluster)
    return cluster


def assert_same(found: Any, expected: Any, where: str = "") -> None:
    """Compare what is told with the recount: amounts to a rounding, the rest exactly."""
    if isinstance(expected, Mapping):
        for name, value in expected.items():
            assert_same(found[name], value, f"{where}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for place, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert_same(one, other, f"{where}[{place}]")
    elif isinstance(expected, Decimal):
        slack = Decimal("0.005001") if where.endswith("value") else 0
        assert abs(Decimal(found) - expected) <= slack, where
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, abs=1e-12), where
    else:
        assert found == expected, where


@ALL
@given(histories(referrals=0), sizes(), fates(PLAIN), st.integers(1, 3))
def test_measures_are_the_recount_of_all_events(
    history: list[Happening], units: list[int], steps: list[str], partitions: int
) -> None:
    cluster = play(history, units, steps, partitions)
    shop = shop_of(cluster)
    measures = measures_of(shop)
    customers = customers_of(as_arrived(history), RATES)
    if shop.time < 0:
        assert not any(one.bought for one in customers.values())
        return
    for measure in measures.values():
        validator("programme-measure.json").validate(measure)
        assert_told(measure)
    today = to_datetime(shop.time).date()
    buyers = [one for one in customers.values() if one.bought]
    groups = {group for one in buyers for group in one.groups}
    spent_on = {group or "all" for one in customers.values() for group, _ in one.spent}
    if spent_on:
        spent_on.add("all")
    groups |= spent_on
    assert {key for key in measures if key.startswith("programme:")} == {
        f"programme:{group}" for group in groups
    }
    for group in groups:
        expected = group_of([one for one in buyers if group in one.groups], today)
        assert_same(measures[f"programme:{group}"], expected, group)
        check_acquisition(measures[f"programme:{group}"], list(customers.values()))
    check_ratings(measures, list(customers.values()))
    check_experiments(measures, list(customers.values()), today)
    check_arms(cluster, list(customers.values()), today)
    check_values(cluster, measures["programme:all"]["figures"] if groups else None)


@settings(max_examples=30, deadline=None)
@given(histories(referrals=0), sizes(), fates(PLAIN), st.integers(1, 3))
def test_each_segment_is_a_group(
    history: list[Happening], units: list[int], steps: list[str], partitions: int
) -> None:
    cluster = play(history, units, steps, partitions, shop=marketing)
    shop = shop_of(cluster)
    measures, customers = measures_of(shop), customers_of(as_arrived(history), RATES)
    if shop.time < 0:
        return
    today = to_datetime(shop.time).date()
    told = {one["customer_id"]: one["segments"] for one in cluster.scores(SEGMENT_CHANGES)}
    buyers = {name: one for name, one in customers.items() if one.bought}
    for segment in {segment for name in buyers for segment in told[name]}:
        members = [one for name, one in buyers.items() if segment in told[name]]
        expected = group_of(members, today)
        assert_same(measures[f"programme:segment:{segment}"], expected, segment)


@ALL
@given(histories(), sizes(), fates(MODELLED), st.integers(1, 3))
def test_a_new_owner_finds_the_same_sums(
    history: list[Happening], units: list[int], steps: list[str], partitions: int
) -> None:
    cluster = play(history, units, steps, partitions)
    kept = measures_of(shop_of(cluster))
    for number in cluster.numbers:
        cluster.crash(number)
    assert measures_of(shop_of(cluster)) == kept, "nothing is told before all have been counted"
    finish(cluster)
    assert measures_of(shop_of(cluster)) == kept


@ALL
@given(histories(interactions=False), sizes(), fates(MODELLED))
def test_values_of_a_new_model_are_those_of_who_was_scored_by_it(
    history: list[Happening], units: list[int], steps: list[str]
) -> None:
    cluster = play(history, units, steps, 1)
    generation = cluster.partition(0).scoring.generation
    rows = [row for row in cluster.rows().values() if row.orders]
    scored = [row for row in rows if row.generation == generation]
    figures = measures_of(shop_of(cluster)).get(
        "programme:all", {"figures": {"valued_customers": 0}}
    )
    valued = figures["figures"]["valued_customers"]
    assert valued == len([row for row in scored if generation or row.occasions > 1])


def assert_told(measure: dict[str, Any]) -> None:
    """Null figures of programmes have their reason, and no others."""
    if measure["measure"] == "programme":
        parts = [measure["figures"], *measure["months"]]
        for cohort in measure["cohorts"]:
            parts += [cohort["figures"], *cohort["months"]]
        if measure["acquisition"]:
            parts.append(measure["acquisition"])
        for part in parts:
            assert part["null_reasons"].keys() == {k for k, v in part.items() if v is None}


def check_acquisition(measure: dict[str, Any], customers: list[Customer]) -> None:
    """Money to a rounding (of CLV, too); whether a figure is known exactly."""
    told = measure["acquisition"]
    for name, expected in acquisition_of(measure, customers).items():
        if expected is None:
            assert told[name] is None, name
        elif name == "ltv_to_cac":
            cost, clv = told["cost_per_customer"], measure["figures"]["clv"]
            assert cost is not None
            assert told["ltv_below_target"] == (told[name] < 3)
            if Decimal(cost) > 10 and abs(Decimal(clv)) > 10:
                assert told[name] == pytest.approx(float(expected), rel=1e-3)
        else:
            exact = name in {"acquisition_cost", "acquired_customers"}
            assert abs(Decimal(told[name]) - expected) <= (0 if exact else Decimal("0.007")), name


def check_ratings(measures: Measures, customers: list[Customer]) -> None:
    told = {one["rated"]: one for one in measures.values() if one["measure"] == "ratings"}
    expected = ratings_of(customers)
    assert told.keys() == expected.keys()
    for rated, figures in expected.items():
        measure = told[rated]
        assert measure["rating_average"] == pytest.approx(figures.pop("rating_average"), abs=2e-6)
        assert {name: measure[name] for name in figures} == figures
        assert (measure["needs_review"] is None) == (figures["ratings"] < 5)


def check_experiments(measures: Measures, customers: list[Customer], today: date) -> None:
    told = {one["experiment"]: one for one in measures.values() if one["measure"] == "experiment"}
    arms = {one: arms_of(customers, one, today) for customer in customers for one in customer.arms}
    assert told.keys() == {one for one, of in arms.items() if of}
    for experiment, measure in told.items():
        expected = {arm: sums["customers"] for arm, sums in arms[experiment].items()}
        assert {arm: n for arm, n in measure["arms"].items() if n} == expected


def check_arms(cluster: Cluster, customers: list[Customer], today: date) -> None:
    """The sums behind the readout, which small arms do not show."""
    shop = shop_of(cluster)
    found: dict[tuple[str, ...], ArmSums] = {}
    for (key, partition), value in shop._values.items():
        if key[0] == "arm" and key in shop._in_force[partition]:
            for month, sums in decode_partial(value, ByMonth).items():
                if month >= first_month(day_of(shop.time)):
                    found[key] = found.get(key, ArmSums()) + sums
    for (_, experiment, arm), sums in found.items():
        expected = arms_of(customers, experiment, today)[arm]
        over, returned = sums.retention(day_of(shop.time), 30)
        assert expected == {
            "customers": sums.customers,
            "orders": sums.orders,
            "revenue": Decimal(sums.revenue) / 1_000_000,
            "over": over,
            "returned": returned,
        }


def check_values(cluster: Cluster, figures: dict[str, Any] | None) -> None:
    """CLV is the mean of what was published last of each customer."""
    last = {one["customer_id"]: one for one in cluster.scores(LTV_UPDATES)}
    values = [
        Decimal(text)
        for one in last.values()
        if (text := one["formula_margin_ltv"] or one["formula_ltv"])
    ]
    if figures is None or not values:
        assert figures is None or figures["clv"] is None
        return
    assert figures["valued_customers"] == len(values)
    assert abs(Decimal(figures["clv"]) - sum(values, Decimal(0)) / len(values)) <= Decimal("0.011")
