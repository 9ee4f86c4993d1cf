"""Credit down the chain: what brute force counts, whatever the order, the crashes, the cycles."""

from datetime import timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.events import LEVELS
from streamer.records.kafka import LTV_UPDATES, SOURCE_TOPICS
from streamer.scoring.referrals import levels_of
from tests.support import chain_oracle, oracle
from tests.support.cluster import Cluster
from tests.support.dying import Fate, fates, live_or_die
from tests.support.histories import CUSTOMERS, LONG_DAYS, START, configuration, sizes
from tests.support.rising import check_rising

ALL = settings(max_examples=150, deadline=None)
NAMES = (*CUSTOMERS, "emil", "fay")
TURNS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.permutations(SOURCE_TOPICS)), max_size=20
)


@st.composite
def shops(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw referrals, mostly, purchases and refunds of a few customers, in any order."""
    kinds = st.sampled_from(["referral", "referral", "purchase", "refund"])
    who = st.sampled_from(NAMES)
    told = draw(st.lists(st.tuples(kinds, who, who, st.integers(0, 9)), max_size=30))
    return [
        _event(place, kind, one, other, day)
        for place, (kind, one, other, day) in enumerate(told)
        if kind != "referral" or one != other
    ]


@st.composite
def losses(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw purchases, and referrals each of which is earlier than those that came before it."""
    who = st.sampled_from(NAMES)
    told = draw(st.lists(st.tuples(st.booleans(), who, who), min_size=5, max_size=30))
    return [
        _event(place, "referral" if refers else "purchase", one, other, len(told) - place)
        for place, (refers, one, other) in enumerate(told)
        if not refers or one != other
    ]


def _event(place: int, kind: str, one: str, other: str, day: int) -> dict[str, Any]:
    fields: dict[str, Any] = {"order_id": "o", "amount": f"{2**place}.00", "currency": "USD"}
    if kind == "refund":
        fields["refund_id"] = f"r{place}"
    elif kind == "referral":
        fields = {"referred_customer_id": other}
    at = (START + timedelta(day)).isoformat()
    return {
        "event_id": f"e{place}",
        "type": kind,
        "customer_id": one,
        "occurred_at": at,
        **fields,
    }


def _check(cluster: Cluster, events: list[dict[str, Any]]) -> None:
    sums = oracle.count(events)
    rows = cluster.rows()
    expected = chain_oracle.chains(sums)
    around = chain_oracle.cycles(sums)
    lost = chain_oracle.lost(events)
    for name, row in rows.items():
        levels = [(customers, Decimal(micros) / 10**6) for customers, micros in levels_of(row)]
        assert levels + [(0, 0)] * (LEVELS - len(levels)) == expected[name]
        assert len(row.cycle) == (around[name] if around[name] <= LEVELS else 0)
        assert row.referrals_lost == lost[name]
    for (topic, name), score in cluster.last_scores().items():
        if topic == LTV_UPDATES and score["referred_customers"] is not None:
            chain = expected[name][1:]
            assert score["referral_chain_customers"] == sum(count for count, _ in chain)
            assert Decimal(score["referral_chain_value"]) == sum(value for _, value in chain)
            assert score["referrals_lost"] == lost[name]


@ALL
@given(shops(), TURNS, st.booleans())
def test_each_level_is_the_oracles_in_any_order(
    events: list[dict[str, Any]], turns: list[tuple[int, int, list[str]]], every_event: bool
) -> None:
    cluster = Cluster(configuration(partitions=3, lateness_days=LONG_DAYS, every_event=every_event))
    for event in events:
        cluster.send(event)
        if turns:
            cluster.step(*turns.pop())
    cluster.settle()
    assert not cluster.refused
    _check(cluster, events)
    check_rising(cluster)


@ALL
@given(losses(), TURNS, fates(least=1), st.booleans())
def test_no_row_and_no_score_goes_back_though_referrers_lose_whole_chains(
    events: list[dict[str, Any]],
    turns: list[tuple[int, int, list[str]]],
    of_units: list[Fate],
    every_event: bool,
) -> None:
    cluster = Cluster(configuration(partitions=3, lateness_days=LONG_DAYS, every_event=every_event))
    fate = cycle(of_units)
    for event, (number, limit, topics) in zip(events, cycle(turns or [(0, 1, [])]), strict=False):
        cluster.send(event)
        live_or_die(cluster, number, cluster.waiting(number, topics)[:limit], next(fate))
        cluster.settle(limit=limit or None)
    _check(cluster, events)
    check_rising(cluster)


@ALL
@given(shops(), sizes(), fates(), st.integers(1, 3))
def test_a_crash_loses_and_doubles_no_level(
    events: list[dict[str, Any]], units: list[int], of_units: list[Fate], partitions: int
) -> None:
    cluster = Cluster(configuration(partitions=partitions, lateness_days=LONG_DAYS))
    for event in events:
        cluster.send(event)
    for number, fate, size in zip(cycle(cluster.numbers), of_units, cycle(units), strict=False):
        live_or_die(cluster, number, cluster.waiting(number)[:size], fate)
    cluster.settle(limit=units[0])
    _check(cluster, events)
    check_rising(cluster)
