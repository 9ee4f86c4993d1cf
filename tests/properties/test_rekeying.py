"""Records with a wrong key or in a wrong partition find home once; no customer has two rows."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from math import log
from typing import Any

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.kafka import LTV_UPDATES, REKEYED, TOPIC_OF_TYPE, FileRecord
from tests.support import oracle
from tests.support.audit import INTERNAL
from tests.support.cluster import Cluster
from tests.support.histories import (
    LONG_DAYS,
    RATES,
    Happening,
    as_arrived,
    configuration,
    histories,
)
from tests.support.play import compared_with_oracle

ALL = settings(max_examples=100, deadline=None)
OTHER_KEYS = st.sampled_from([None, b"", b"ann", b"bob", b"42", b"\xff\x00"])


def home(customer_id: str, partitions: int) -> int:
    """Where Java's default partitioner puts a customer: aiokafka's is the oracle."""
    return int((murmur2(customer_id.encode()) & 0x7FFFFFFF) % partitions)


@st.composite
def scattered(draw: st.DrawFn) -> tuple[Cluster, list[tuple[dict[str, Any], FileRecord]]]:
    """A cluster to which careless producers have sent a history: each event with its record."""
    cluster = Cluster(configuration(partitions=draw(st.integers(1, 4)), lateness_days=LONG_DAYS))
    history: list[Happening] = draw(histories(referrals=2))
    sent = []
    for event in as_arrived(history):
        own = event["customer_id"].encode()
        key = own if draw(st.booleans()) else draw(OTHER_KEYS)
        place = draw(st.none() | st.integers(0, cluster.numbers[-1]))
        record = cluster.produce(
            TOPIC_OF_TYPE[event["type"]],
            home(event["customer_id"], len(cluster.numbers)) if place is None else place,
            json.dumps(event).encode(),
            key,
        )
        sent.append((event, record))
    return cluster, sent


def run(cluster: Cluster, turns: list[tuple[int, int]]) -> None:
    """Let partitions take turns, with so many records each, then all until nothing waits."""
    for number, limit in turns:
        cluster.step(number % len(cluster.numbers), limit)
    cluster.settle()


TURNS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=20)


@ALL
@given(scattered(), TURNS)
def test_every_event_counts_once_where_its_customer_lives(
    given_cluster: tuple[Cluster, list[tuple[dict[str, Any], FileRecord]]],
    turns: list[tuple[int, int]],
) -> None:
    cluster, sent = given_cluster
    run(cluster, turns)
    assert not cluster.refused
    assert compared_with_oracle(cluster.rows()) == oracle.count([e for e, _ in sent], RATES)
    for number in cluster.numbers:
        for customer in cluster.partition(number).rows:
            assert home(customer, len(cluster.numbers)) == number


@ALL
@given(scattered(), TURNS)
def test_each_misplaced_record_is_passed_on_once(
    given_cluster: tuple[Cluster, list[tuple[dict[str, Any], FileRecord]]],
    turns: list[tuple[int, int]],
) -> None:
    cluster, sent = given_cluster
    run(cluster, turns)
    misplaced = Counter(
        record.value
        for event, record in sent
        if record.key != event["customer_id"].encode()
        or record.partition != home(event["customer_id"], len(cluster.numbers))
    )
    passed_on = cluster.log(REKEYED)
    assert Counter(record.value for record in passed_on) == misplaced
    assert cluster.counts["rekeyed"] == len(passed_on)
    for record in passed_on:
        customer = json.loads(record.value or b"")["customer_id"]
        assert record.key == customer.encode()
        assert record.partition == home(customer, len(cluster.numbers))


def anns(cluster: Cluster, event_id: str, day: float, *, keyed: bool, **changes: Any) -> None:
    """Send a purchase of ann's; one without a key makes the detour."""
    event = {
        "event_id": event_id,
        "type": "purchase",
        "customer_id": "ann",
        "occurred_at": (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)).isoformat(),
        "order_id": "o",
        "amount": "1",
        "currency": "USD",
    }
    value = json.dumps(event | changes).encode()
    cluster.produce("purchases", 0, value, b"ann" if keyed else None)


@pytest.mark.parametrize("unit", [1, 99])
def test_a_backlog_ends_in_the_same_as_a_live_run(unit: int) -> None:
    """One customer, 20 days from purchase to purchase, every second one sent without a key."""
    cluster = Cluster(configuration())
    for n in range(10):
        anns(cluster, f"e{n}", 20 * n, keyed=n % 2 == 0)
        if n % unit == 0:
            cluster.settle()
    cluster.settle()
    row = cluster.rows()["ann"]
    assert (row.orders, row.occasions) == (10, 10)
    assert row.log_gaps == 9 * round(log(20) * 1e6)


@pytest.mark.parametrize("copy_keyed", [True, False])
@pytest.mark.parametrize("first_keyed", [True, False])
def test_a_copy_is_never_counted_however_its_fellow_came(
    first_keyed: bool, copy_keyed: bool
) -> None:
    cluster = Cluster(configuration())
    anns(cluster, "e0", 0, keyed=first_keyed)
    anns(cluster, "e0", 0, keyed=copy_keyed)
    for n in range(1, 10):
        anns(cluster, f"e{n}", 20 * n, keyed=True)
    for limit in (1, None):
        cluster.settle(limit)
    assert cluster.rows()["ann"].orders == 10


def test_two_orders_of_one_day_may_both_be_overtaken() -> None:
    cluster = Cluster(configuration())
    anns(cluster, "e0", 0, keyed=False)
    anns(cluster, "e1", 0.5, keyed=False, amount="5")
    anns(cluster, "e2", 90, keyed=True)
    cluster.settle(1)
    row = cluster.rows()["ann"]
    assert (row.orders, row.occasions, row.revenue) == (3, 2, 7_000_000)


def test_what_was_late_before_its_detour_is_late() -> None:
    cluster = Cluster(configuration())
    anns(cluster, "e0", 90, keyed=True)
    anns(cluster, "e1", 0, keyed=False)
    cluster.settle()
    assert cluster.refused == {"late": 1}


def test_last_quarter_sent_once_more_without_keys_is_late() -> None:
    cluster = Cluster(configuration())
    for n in range(5):
        anns(cluster, f"e{n}", 20 * n, keyed=True)
    cluster.settle()
    for n in range(5):
        anns(cluster, f"e{n}", 20 * n, keyed=False)
    cluster.settle()
    assert cluster.rows()["ann"].orders == 5
    assert cluster.refused == {"late": 3}


def test_an_overtaken_order_of_a_day_with_a_forgotten_one_is_refused() -> None:
    """It might be that one again: better a dead letter than counted twice."""
    cluster = Cluster(configuration())
    anns(cluster, "e0", 0, keyed=True)
    anns(cluster, "e1", 0.5, keyed=False)
    for n in range(2, 5):
        anns(cluster, f"e{n}", 40 * n, keyed=True)
    cluster.settle()
    assert cluster.rows()["ann"].orders == 4
    assert cluster.refused == {"late": 1}


@ALL
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=15), st.integers(1, 20))
def test_overtaken_events_of_different_days_all_count(
    given_days: list[tuple[int, bool]], limit: int
) -> None:
    cluster = Cluster(configuration(partitions=2))
    days = dict(given_days)
    for day, keyed in sorted(days.items()):
        moment = (datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=day)).isoformat()
        event = {"event_id": f"e{day}", "type": "purchase", "customer_id": "ann"}
        event |= {"occurred_at": moment, "order_id": "o", "amount": "1", "currency": "USD"}
        cluster.produce(
            "purchases",
            home("ann", 2) if keyed else 0,
            json.dumps(event).encode(),
            b"ann" if keyed else None,
        )
    cluster.settle(limit)
    assert not cluster.refused
    if days:
        assert cluster.rows()["ann"].occasions == len(days)


@ALL
@given(scattered(), TURNS)
def test_a_score_names_where_its_event_first_stood(
    given_cluster: tuple[Cluster, list[tuple[dict[str, Any], FileRecord]]],
    turns: list[tuple[int, int]],
) -> None:
    cluster, sent = given_cluster
    run(cluster, turns)
    place_of = {event["event_id"]: record for event, record in sent}
    for score in cluster.scores(LTV_UPDATES):
        cause = score["cause"]
        if cause["kind"] == "event" and cause["type"] not in INTERNAL:
            record = place_of[cause["id"]]
            place = (record.topic, record.partition, record.offset)
            assert (cause["topic"], cause["partition"], cause["offset"]) == place
