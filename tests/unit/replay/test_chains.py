"""Chains and cycles of known length, and what a replay says of them beside live workers."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice, pairwise, permutations
from typing import Any

import pytest

from streamer.records.events import LEVELS
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.replay import Replay
from streamer.scoring.referrals import levels_of
from streamer.settings import Settings
from streamer.simulate import Refunds, Shop, simulate
from tests.support import chain_oracle, oracle
from tests.support.cluster import Cluster, Score, without
from tests.support.play import end, rows
from tests.support.rising import check_rising

NOW = datetime(2040, 1, 1, tzinfo=UTC)
FIRST = datetime(2026, 1, 1, 12, tzinfo=UTC)
SIX = ("anna", "ben", "carl", "dora", "emil", "fay")
SETTINGS = Settings(partitions=3, lateness_days=365, referral_depth=LEVELS, referral_decay=0.5)
Event = dict[str, Any]
Told = dict[tuple[str, str], list[Score]]


def purchase(customer: str, day: int, amount: int) -> Event:
    paid = {"order_id": f"o-{customer}", "amount": str(amount), "currency": "USD"}
    return _event("purchase", customer, day) | paid


def referral(referrer: str, brought: str, day: int) -> Event:
    return _event("referral", referrer, day) | {"referred_customer_id": brought}


def _event(kind: str, customer: str, day: int) -> Event:
    at = (FIRST + timedelta(day)).isoformat()
    event_id = f"{kind}-{customer}-{day}"
    return {"event_id": event_id, "type": kind, "customer_id": customer, "occurred_at": at}


def live(events: Sequence[Event], *, at_once: int = 1, every_event: bool = False) -> Cluster:
    """Let workers take ``events``, so many at once; no row or score may go back."""
    emit = "every_event" if every_event else "latest"
    configuration = SETTINGS.model_copy(update={"emit": emit}).configuration("test")
    cluster = Cluster(configuration, NOW)
    for place, event in enumerate(events, start=1):
        cluster.send(event)
        if place % at_once == 0:
            cluster.settle()
    cluster.settle()
    assert not cluster.refused
    check_rising(cluster)
    return cluster


def chain(cluster: Cluster, customer: str) -> list[tuple[int, int]]:
    """Return customers and whole dollars of each level of a customer's chain."""
    levels = levels_of(cluster.rows()[customer])
    return [(customers, revenue // 10**6) for customers, revenue in levels]


BOUGHT = [purchase(one, 30 + place, 2**place) for place, one in enumerate(SIX)]
"""1, 2, 4, 8, 16 and 32 dollars, so that each sum shows who is in it."""
LINKS = [referral(one, other, place) for place, (one, other) in enumerate(pairwise(SIX))]


@pytest.mark.parametrize("at_once", [1, 4, 11])
def test_a_chain_of_six_credits_four_levels_and_none_beyond(at_once: int) -> None:
    cluster = live([*LINKS, *BOUGHT], at_once=at_once)
    assert chain(cluster, "anna") == [(1, 2), (1, 4), (1, 8), (1, 16)]
    assert chain(cluster, "ben") == [(1, 4), (1, 8), (1, 16), (1, 32)]
    assert chain(cluster, "carl") == [(1, 8), (1, 16), (1, 32)]
    assert chain(cluster, "fay") == []
    told = cluster.last_scores()[LTV_UPDATES, "anna"]
    # 2 + 4 / 2 + 8 / 4 + 16 / 8
    assert told["referral_value"] == "8.00"
    assert (told["referral_chain_customers"], told["referral_chain_value"]) == (3, "28.00")


def test_the_links_of_a_chain_of_six_may_come_in_any_order() -> None:
    """Before the purchases or after them: the rows, revisions and all, are the same."""
    expected = rows(live([*LINKS, *BOUGHT]))
    for order in islice(permutations(LINKS), 0, None, 5):
        assert rows(live([*order, *BOUGHT], at_once=11)) == expected
    assert rows(live([*BOUGHT, *reversed(LINKS)])) == expected


def test_a_chain_of_six_moves_whole_when_its_second_was_brought_earlier_by_another() -> None:
    late = referral("gus", "ben", -1)
    cluster = live([*LINKS, *BOUGHT, late])
    assert chain(cluster, "anna") == [(0, 0)] * 4
    assert chain(cluster, "gus") == [(1, 2), (1, 4), (1, 8), (1, 16)]
    assert cluster.rows()["anna"].referrals_lost == 1
    in_time = live([late, *LINKS, *BOUGHT])
    for one in ("ben", "carl", "dora", "emil", "fay", "gus"):
        assert rows(cluster)[one] == rows(in_time)[one]


@pytest.mark.parametrize("length", [2, 3, 4, 5, 6])
def test_a_cycle_of_known_length_credits_nobody_for_itself(length: int) -> None:
    members = SIX[:length]
    links = [*LINKS[: length - 1], referral(members[-1], members[0], length)]
    cluster = live([*BOUGHT[:length], *links])
    for place, one in enumerate(members):
        # Each of the others once, on the level at which the chain reaches it first.
        others = [2 ** ((place + step) % length) for step in range(1, length)][:LEVELS]
        expected = [(1, worth) for worth in others] + [(0, 0)] * (LEVELS - len(others))
        assert chain(cluster, one) == expected


@pytest.fixture(scope="module")
def simulated() -> list[Event]:
    shop = Shop(customers=60, days=120, referral_rate=0.9, follow_ups=(Refunds(rate=0.3),))
    return list(simulate(shop, seed=3))


def test_simulated_shops_have_chains_longer_than_what_is_credited(simulated: list[Event]) -> None:
    sums = oracle.count(simulated)
    assert max(_depth(one, sums) for one in sums) > LEVELS
    found_rows = live(simulated, at_once=50).rows()
    for one, expected in chain_oracle.chains(sums).items():
        found = [
            (customers, Decimal(micros) / 10**6) for customers, micros in levels_of(found_rows[one])
        ]
        assert found + [(0, 0)] * (LEVELS - len(found)) == expected


def test_a_replay_of_chains_tells_what_live_workers_tell(simulated: list[Event]) -> None:
    """All scores, where each event comes alone; rows and last scores, where many come at once."""
    alone = live(simulated, every_event=True)
    assert replayed(simulated) == _told(alone)
    assert end(live(simulated, at_once=70)) == end(alone)


def test_a_replay_tells_of_referrers_that_lapse_what_live_workers_tell() -> None:
    """Ben, brought by Anna, hears of both lapses and of the return between them, each once."""
    days = [0, 40, 800, 840, 900, 2000, 2010]
    events = [referral("anna", "ben", 1), referral("ben", "anna", 2)]
    events += [purchase(one, day, 5) for one in ("anna", "ben") for day in days]
    # Carl and so on let time pass in each partition.
    events += [purchase(one, day, 1) for one in SIX[2:] for day in range(3, 2100, 90)]
    events += [purchase(one, 2100, 1) for one in SIX[2:]]
    events.sort(key=lambda event: event["occurred_at"])
    alone = live(events, every_event=True)
    told = _told(alone)
    assert replayed(events) == told
    flags = [score["referrer_lapsed"] for score in told[CHURN_RISK_UPDATES, "ben"]]
    assert [one for one, before in zip(flags, [0, *flags], strict=False) if one != before] == [
        None, True, False, True, False,
    ]  # fmt: skip
    for at_once in (2, 7, 200):
        assert end(live(events, at_once=at_once)) == end(alone)


def _told(cluster: Cluster) -> Told:
    told: Told = {}
    for topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
        for score in cluster.scores(topic):
            told.setdefault((topic, score["customer_id"]), []).append(without(score, "scored_at"))
    return told


def replayed(events: Sequence[Event]) -> Told:
    """Return the scores that a replay of ``events`` tells of each customer."""
    scores: Told = {}

    def write(topic: str, line: bytes) -> None:
        if topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
            score = Score(json.loads(line))
            told = without(score, "scored_at")
            scores.setdefault((topic, score["customer_id"]), []).append(told)

    replay = Replay(SETTINGS, NOW, "test", write)
    for event in events:
        replay.take(json.dumps(event).encode())
    replay.flush()
    return scores


def _depth(one: str, sums: Mapping[str, Mapping[str, Any]]) -> int:
    referrer = sums[one]["referrer"]
    return 0 if referrer is None else 1 + _depth(referrer, sums)
