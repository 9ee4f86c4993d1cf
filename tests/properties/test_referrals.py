"""Referral credits: exact in any order of arrival, over any partitions."""

from itertools import cycle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.kafka import LTV_UPDATES, SOURCE_TOPICS
from streamer.state.referrals import CUSTOMERS, LEVEL_FIELDS, REVENUE
from tests.support import oracle
from tests.support.cluster import Cluster
from tests.support.histories import (
    LONG_DAYS,
    RATES,
    Happening,
    as_arrived,
    configuration,
    histories,
    in_time,
    sizes,
)
from tests.support.play import End, compared_with_oracle, end, play, rows
from tests.support.rising import check_rising

ALL = settings(max_examples=100, deadline=None)
TURNS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.permutations(SOURCE_TOPICS)), max_size=20
)
SETTINGS = configuration(partitions=3, lateness_days=LONG_DAYS)


@ALL
@given(histories(referrals=5), TURNS, st.booleans())
def test_credits_are_the_oracles_in_any_order(
    history: list[Happening], turns: list[tuple[int, int, list[str]]], every_event: bool
) -> None:
    events = as_arrived(history)
    cluster = Cluster(configuration(partitions=3, lateness_days=LONG_DAYS, every_event=every_event))
    for event in events:
        cluster.send(event)
    for number, limit, topics in turns:
        cluster.step(number, limit, topics)
    cluster.settle()
    assert not cluster.refused
    assert compared_with_oracle(cluster.rows()) == oracle.count(events, RATES)
    check_rising(cluster)


@ALL
@given(histories(referrals=5), sizes())
def test_the_last_update_shows_what_the_row_holds(
    history: list[Happening], units: list[int]
) -> None:
    cluster = play(as_arrived(history), SETTINGS, units)
    found = cluster.rows()
    for (topic, customer), score in cluster.last_scores().items():
        row = found[customer]
        if topic == LTV_UPDATES and row.referred_customers:
            assert score["referred_customers"] == row.referred_customers
            assert float(score["referral_value"]) == pytest.approx(row.referred_revenue / 1e6)
        assert score["revision"] // 4 == row.changes


@ALL
@given(histories(referrals=4, referrers_max=1), st.permutations(range(12)), sizes())
def test_any_order_ends_in_the_same_rows_and_last_scores(
    history: list[Happening], order: list[int], units: list[int]
) -> None:
    """Apart from who heard of a lapse that late purchases deny: when it was told shows there."""
    shuffled = play(_shuffled(history, order), SETTINGS, units)
    straight = play(in_time(history), SETTINGS, units)
    heard = {
        name
        for cluster in (shuffled, straight)
        for name, row in cluster.rows().items()
        if row.referrer_standing
    }
    assert _apart_from(heard, shuffled) == _apart_from(heard, straight)


def _apart_from(heard: set[str], cluster: Cluster) -> End:
    """Return rows and last scores; of those who ``heard`` nothing that hangs on when."""
    found, scores = end(cluster)
    for name in heard & found.keys():
        del found[name]["changes"], found[name]["credited_at"], found[name]["referrer_standing"]
    return found, {key: score for key, score in scores.items() if key[1] not in heard}


@ALL
@given(histories(referrals=5), st.permutations(range(12)), sizes())
def test_a_lost_credit_leaves_nothing_but_a_higher_revision(
    history: list[Happening], order: list[int], units: list[int]
) -> None:
    """Who loses a brought customer to an earlier referral has been told more; that only shows.

    So do those above it, whose levels count what they were told and up to when.
    """
    one = rows(play(_shuffled(history, order), SETTINGS, units))
    two = rows(play(in_time(history), SETTINGS, units))
    for row in (*one.values(), *two.values()):
        del row["changes"], row["credited_at"], row["referrer_standing"]
        row["generations"] = _worth(row["generations"])
    assert one == two


def _worth(generations: list[int]) -> list[tuple[int, int]]:
    """Return customers and revenue of each level down to the last that is worth anything."""
    customers, revenue = generations[CUSTOMERS::LEVEL_FIELDS], generations[REVENUE::LEVEL_FIELDS]
    levels = list(zip(customers, revenue, strict=True))
    while levels and levels[-1] == (0, 0):
        levels.pop()
    return levels


def _shuffled(history: list[Happening], order: list[int]) -> list[dict[str, Any]]:
    events = in_time(history)
    keyed = sorted(zip(cycle(order), events, strict=False), key=lambda pair: pair[0])
    return [event for _, event in keyed]
