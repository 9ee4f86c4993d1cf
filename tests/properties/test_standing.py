"""Referrers' churn: who was brought ends up knowing, once, whatever the order and the crashes."""

import json
from collections import Counter
from datetime import timedelta
from itertools import cycle
from typing import Any, Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import CHURN_RISK_UPDATES, REFERRAL_CREDITS, SOURCE_TOPICS
from streamer.records.partitioning import partition_of
from streamer.scoring.bands import crossings_of
from streamer.state.standing import BROUGHT_MAX
from tests.support.cluster import Cluster
from tests.support.histories import CUSTOMERS, LONG_DAYS, START, configuration, sizes
from tests.support.play import end, play, rows
from tests.support.rising import check_rising

ALL = settings(max_examples=150, deadline=None)
NAMES = (*CUSTOMERS, "emil")
LAST_DAY = 2000
END = from_datetime(START) + LONG_DAYS * DAY
TURNS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.permutations(SOURCE_TOPICS)), max_size=20
)
SILENCES = st.lists(st.sampled_from([None, None, 100, 700, 1500, 3000]), min_size=1, max_size=9)
LASTS = st.sampled_from([from_datetime(START) + days * DAY for days in (0, 1500, 2000, LONG_DAYS)])
"""Up to when silence is told in the end: before some have lapsed, or behind everybody's lapse."""
PARTITIONS = st.integers(1, 3)
Fate = Literal["lives", "dies before the commit", "dies behind the commit"]
FATES: tuple[Fate, ...] = ("lives", "dies before the commit", "dies behind the commit")
Event = dict[str, Any]


@st.composite
def shops(draw: st.DrawFn) -> list[Event]:
    """Draw purchases far apart, referrals and ratings, in the order of time."""
    kinds = st.sampled_from(["purchase", "purchase", "referral", "rating"])
    who, days = st.sampled_from(NAMES), st.integers(0, LAST_DAY)
    told = draw(st.lists(st.tuples(days, kinds, who, who), min_size=3, max_size=25))
    return [
        event_of(place, kind, one, other, day)
        for place, (day, kind, one, other) in enumerate(sorted(told))
        if kind != "referral" or one != other
    ]


def event_of(place: int, kind: str, one: str, other: str, day: int) -> Event:
    fields: dict[str, dict[str, Any]] = {
        "purchase": {"order_id": "o", "amount": "5.00", "currency": "USD"},
        "referral": {"referred_customer_id": other},
        "rating": {"rating": 4},
    }
    at = START + timedelta(day, seconds=place)
    happened = {"event_id": f"e{place}", "customer_id": one, "occurred_at": at.isoformat()}
    return {"type": kind, **happened, **fields[kind]}


def with_one_referrer_each(events: list[Event]) -> list[Event]:
    first: dict[str, str] = {}
    return [
        event
        for event in events
        if event["type"] != "referral"
        or first.setdefault(event["referred_customer_id"], event["customer_id"])
        == event["customer_id"]
    ]


def brought_once(events: list[Event]) -> list[Event]:
    first: dict[str, Event] = {}
    return [
        event
        for event in events
        if event["type"] != "referral"
        or first.setdefault(event["referred_customer_id"], event) is event
    ]


def shop(*, every_event: bool = False, partitions: int = 3) -> Cluster:
    return Cluster(
        configuration(partitions=partitions, lateness_days=LONG_DAYS, every_event=every_event)
    )


def standings(cluster: Cluster) -> list[dict[str, Any]]:
    """Return all that referrers have told of their own churn, in the order of each partition."""
    told = (json.loads(record.value or b"{}") for record in cluster.log(REFERRAL_CREDITS))
    return [message for message in told if message["kind"] == "standing"]


def has_lapsed(cluster: Cluster, name: str) -> bool:
    """Return whether silence has been told of up to the last crossing of a customer."""
    row = cluster.rows().get(name)
    if row is None or not row.orders:
        return False
    partition = cluster.partition(partition_of(name.encode(), cluster.configuration.partitions))
    lapse: int = crossings_of([row], partition.scoring)[0, -1].item()
    return lapse <= partition.time


def check_known(cluster: Cluster) -> None:
    """Whoever was brought says of its referrer in its last score what time says of that one."""
    found, scores = cluster.rows(), cluster.last_scores()
    for (topic, name), score in scores.items():
        if topic != CHURN_RISK_UPDATES:
            continue
        lapsed = has_lapsed(cluster, found[name].referrer)
        assert (score["referrer_lapsed"] or False) == lapsed, name
        assert ("its referrer has lapsed" in score["reasons"]) == lapsed
        if score["referrer_lapsed"] is None:
            reason = "nothing_told" if found[name].referrer else "not_referred"
            assert score.null_reason("referrer_lapsed") == reason
        assert score["revision"] // 4 == found[name].changes


@ALL
@given(shops().flatmap(st.permutations), TURNS, SILENCES, st.booleans(), LASTS)
def test_in_any_order_all_end_up_knowing_and_nothing_goes_back(
    events: list[Event],
    turns: list[tuple[int, int, list[str]]],
    silences: list[int | None],
    every_event: bool,
    last: int,
) -> None:
    cluster = shop(every_event=every_event)
    for event, silence in zip(events, cycle(silences), strict=False):
        cluster.send(event)
        if turns:
            cluster.step(*turns.pop())
        if silence is not None:
            cluster.tell_silence(from_datetime(START) + silence * DAY)
    cluster.settle()
    cluster.tell_silence(last)
    cluster.settle()
    assert not cluster.refused
    check_known(cluster)
    check_rising(cluster)


@ALL
@given(shops(), sizes(), st.lists(st.sampled_from(FATES), max_size=40), SILENCES, LASTS)
def test_a_crash_loses_nothing_told_and_tells_nothing_twice(
    events: list[Event],
    units: list[int],
    fates: list[Fate],
    silences: list[int | None],
    last: int,
) -> None:
    cluster = shop()
    for event in events:
        cluster.send(event)
    choices = zip(cycle(cluster.numbers), fates, cycle(units), cycle(silences), strict=False)
    for number, fate, size, silence in choices:
        until = from_datetime(START) + (silence or 0) * DAY
        unit = cluster.attempt(number, cluster.waiting(number)[:size], silence_until=until)
        if fate != "dies before the commit":
            cluster.write(unit)
        if fate == "lives":
            cluster.partition(number).commit(unit)
        else:
            cluster.crash(number)
    cluster.settle(limit=units[0])
    cluster.tell_silence(last)
    cluster.settle()
    check_known(cluster)
    check_rising(cluster)


@ALL
@given(shops(), sizes(), st.booleans(), st.integers(1, 3), LASTS)
def test_in_time_order_all_batches_end_in_the_same(
    events: list[Event], units: list[int], every_event: bool, partitions: int, last: int
) -> None:
    """Rows, revisions and all, though those of many events at once tell fewer crossings.

    Over many partitions the second of two who named a customer may be heard first.
    """
    if partitions > 1:
        events = with_one_referrer_each(events)

    def played(units: list[int], *, every_event: bool) -> Cluster:
        settings = shop(every_event=every_event, partitions=partitions).configuration
        cluster = play(events, settings, units)
        cluster.tell_silence(last)
        cluster.settle()
        return cluster

    alone, together = played([1], every_event=True), played(units, every_event=every_event)
    assert end(together) == end(alone)


@ALL
@given(
    shops().map(brought_once).flatmap(st.permutations), TURNS, sizes(), st.booleans(), PARTITIONS
)
def test_topics_read_side_by_side_end_where_a_replay_does(
    events: list[Event],
    turns: list[tuple[int, int, list[str]]],
    units: list[int],
    every_event: bool,
    partitions: int,
) -> None:
    """Whichever topic is read ahead of the others, and whatever the order in each of them.

    A referral earlier than one that was read before moves credits: see ARCHITECTURE.md.
    """
    replay = play(events, shop(every_event=True, partitions=partitions).configuration)
    live = shop(every_event=every_event, partitions=partitions)
    for event in events:
        live.send(event)
    for number, limit, topics in turns:
        for topic in topics[: 1 + limit % len(topics)]:
            live.step(number % partitions, limit, [topic])
        if limit % 4 == 3:
            live.crash(number % partitions)
    live.settle(limit=units[0])
    assert end(live) == end(replay)
    check_rising(live)


@ALL
@given(shops(), st.integers(0, 40))
def test_what_is_told_again_changes_nothing(events: list[Event], again: int) -> None:
    """The very records read once more, and copies of the messages."""
    cluster = play(events, shop().configuration)
    cluster.tell_silence(END)
    cluster.settle()
    before, scores = rows(cluster), len(list(cluster.scores(CHURN_RISK_UPDATES)))
    for record in cluster.log(REFERRAL_CREDITS):
        if b'"kind":"standing"' in (record.value or b""):
            cluster.produce(REFERRAL_CREDITS, record.partition, record.value, record.key)
    for number in cluster.numbers:
        for topic in cluster.partition(number).next_offsets:
            cluster.partition(number).next_offsets[topic] = again
    cluster.settle()
    assert rows(cluster) == before
    assert len(list(cluster.scores(CHURN_RISK_UPDATES))) == scores


@ALL
@given(shops())
def test_who_was_told_tells_it_on_to_nobody(events: list[Event]) -> None:
    """In order of time each lapse, and each return, is told once to each who was brought."""
    cluster = play(events, shop(every_event=True).configuration)
    cluster.tell_silence(END)
    cluster.settle()
    told = Counter(
        (one["referrer"], one["customer_id"], one["standing"]) for one in standings(cluster)
    )
    bands: Counter[str] = Counter()
    for score in cluster.scores(CHURN_RISK_UPDATES):
        bands[score["customer_id"]] += score["risk_band"] == "lapsed"
    assert all(bands[referrer] for referrer, _, _ in told)
    assert all(count == 1 for count in told.values())


def test_a_hub_wakes_the_first_sixteen_that_it_brought_and_no_more() -> None:
    cluster = shop()
    brought = [event_of(n, "referral", "ann", f"c{n:02d}", 1 + n) for n in range(40)]
    bought = [event_of(50, "purchase", "ann", "", 0)]
    own = [event_of(60 + n, "purchase", f"c{n:02d}", "", 42) for n in range(40)]
    for event in (*bought, *reversed(brought), *own):
        cluster.send(event)
    cluster.settle()
    cluster.tell_silence(END)
    cluster.settle()
    told = sorted(one["customer_id"] for one in standings(cluster) if one["standing"] % 2)
    assert told == [f"c{n:02d}" for n in range(BROUGHT_MAX)]
    known = {
        name: score["referrer_lapsed"]
        for (topic, name), score in cluster.last_scores().items()
        if topic == CHURN_RISK_UPDATES and name != "ann"
    }
    assert known == {f"c{n:02d}": True if n < BROUGHT_MAX else None for n in range(40)}
    check_rising(cluster)


def test_customers_who_brought_each_other_come_to_rest() -> None:
    cluster = shop()
    pairs = [("ann", "bob"), ("bob", "cy"), ("cy", "ann")]
    for place, (one, other) in enumerate(pairs):
        cluster.send(event_of(place, "purchase", one, "", place))
        cluster.send(event_of(10 + place, "referral", one, other, 10 + place))
    cluster.settle()
    cluster.tell_silence(END)
    cluster.settle()
    told = [(one["referrer"], one["customer_id"]) for one in standings(cluster)]
    assert sorted(set(told)) == sorted(pairs)
    assert not any(cluster.waiting(number) for number in cluster.numbers)
    check_known(cluster)


def test_who_brought_nobody_keeps_no_names_and_tells_nobody() -> None:
    cluster = shop()
    for day in (0, 900, 1000, 2000):
        cluster.send(event_of(day, "purchase", "ann", "", day))
    cluster.settle()
    cluster.tell_silence(END)
    assert cluster.rows()["ann"].brought == []
    assert not cluster.log(REFERRAL_CREDITS)


def test_who_loses_its_place_to_an_earlier_referral_is_not_left_with_a_lapse() -> None:
    cluster = shop()
    last = f"c{BROUGHT_MAX - 1:02d}"
    cluster.send(event_of(0, "purchase", "ann", "", 0))
    for n in range(BROUGHT_MAX):
        cluster.send(event_of(1 + n, "referral", "ann", f"c{n:02d}", 10 + n))
    cluster.send(event_of(50, "purchase", last, "", 30))
    cluster.settle()
    cluster.tell_silence(END)
    cluster.settle()
    assert cluster.last_scores()[CHURN_RISK_UPDATES, last]["referrer_lapsed"] is True
    cluster.send(event_of(60, "referral", "ann", "zed", 5))
    cluster.settle()
    assert cluster.last_scores()[CHURN_RISK_UPDATES, last]["referrer_lapsed"] is False
    assert last not in [who for _, who in cluster.rows()["ann"].brought]
    check_rising(cluster)
