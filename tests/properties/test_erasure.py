"""Who is erased leaves nothing behind, in whatever order the news comes; who comes back is new."""

from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from itertools import cycle, pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Partition
from streamer.records.events import LEVELS
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import SCORE_TOPICS, SOURCE_TOPICS
from streamer.scoring.referrals import levels_of
from streamer.serdes.rows import erased_key, told_key
from tests.support import chain_oracle, oracle
from tests.support.cluster import Cluster, compact
from tests.support.counting import finish, measures_of, shop_of
from tests.support.dying import Fate, fates, live_or_die
from tests.support.histories import (
    CUSTOMERS,
    LONG_DAYS,
    RATES,
    START,
    Happening,
    configuration,
    histories,
    sizes,
)
from tests.support.play import compared_with_oracle, end, play, rows

ALL = settings(max_examples=60, deadline=None)
END = from_datetime(START) + LONG_DAYS * DAY
Turns = list[tuple[int, int, list[str]]]
TURNS: st.SearchStrategy[Turns] = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 9), st.permutations(SOURCE_TOPICS)), max_size=20
)
DAYS = st.sampled_from([1501, 1501, 1502, 700]) | st.integers(0, 1500)
Events = list[dict[str, Any]]
Story = tuple[Events, Events]
"""What comes first, the erasures among it, and what erased customers did when they came back."""


def _lives(referrals: int) -> st.SearchStrategy[Events]:
    """All that customers do."""

    def told(history: list[Happening]) -> Events:
        for one in history:
            one.event.pop("status", None)  # that somebody has joined is told by whoever says so
        return [one.event for one in history]

    return histories(referrals=referrals, size_max=20).map(told)


def _chains() -> st.SearchStrategy[Events]:
    """Purchases, and who named whom: half of each."""

    def told(done: list[tuple[str, str, int]]) -> Events:
        return [
            {
                "event_id": f"e{place}",
                "customer_id": one,
                "occurred_at": (START + timedelta(day, seconds=place)).isoformat(),
                **(
                    {"type": "purchase", "order_id": "o", "amount": "1", "currency": "USD"}
                    if one == other
                    else {"type": "referral", "referred_customer_id": other}
                ),
            }
            for place, (one, other, day) in enumerate(done)
        ]

    names = st.sampled_from(CUSTOMERS)
    days = st.integers(0, 1500)
    bought = st.builds(lambda one, day: (one, one, day), names, days)
    named = st.tuples(names, names, days)
    return st.lists(bought | named, min_size=6, max_size=16).map(told)


@st.composite
def stories(draw: st.DrawFn, lives: st.SearchStrategy[Events] | None = None) -> Story:
    """Give events in any order, but of who comes back after an erasure behind that."""
    told = draw(_lives(referrals=4) if lives is None else lives)
    gone = draw(st.lists(st.tuples(st.sampled_from(CUSTOMERS), DAYS), min_size=1, max_size=3))
    for place, (customer, day) in enumerate(gone):
        told.append(
            {
                "event_id": f"x{place}",
                "type": "erasure",
                "customer_id": customer,
                "occurred_at": (START + timedelta(day)).isoformat(),
            }
        )
    chance = Random(draw(st.integers(0, 999)))
    chance.shuffle(told)
    erased = oracle.erasures(told)
    later = [event for event in told if _is_later(event, erased)]
    return [event for event in told if event not in later], later


def _is_later(event: dict[str, Any], erased: dict[str, Any]) -> bool:
    concerned = {event["customer_id"], event.get("referred_customer_id")} & erased.keys()
    at = oracle.moment(event)
    return event["type"] != "erasure" and any(at > erased[one] for one in concerned)


def _something(sums: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Leave out who is only known by having been named by somebody erased."""
    return {
        one: of for one, of in sums.items() if of["events_seen"] or of["referrer"] or of["joined"]
    }


def _gone(story: Story) -> set[str]:
    first, later = story
    left = oracle.count([*first, *later], RATES)
    return set(oracle.erasures(first)) - _something(left).keys()


def _play(story: Story, *, partitions: int = 3, every_event: bool = False) -> Cluster:
    shop = configuration(partitions=partitions, lateness_days=LONG_DAYS, every_event=every_event)
    return play([*story[0], *story[1]], shop)


@ALL
@given(stories(), st.booleans())
def test_the_others_are_as_if_the_erased_had_never_been(story: Story, every_event: bool) -> None:
    cluster = _play(story, every_event=every_event)
    found = compared_with_oracle(cluster.rows())
    assert _something(found) == _something(oracle.count([*story[0], *story[1]], RATES))
    assert not cluster.refused


@ALL
@given(stories(_chains()), TURNS, TURNS)
def test_chains_of_referrals_are_as_if_the_erased_had_never_been(
    story: Story, first: Turns, later: Turns
) -> None:
    """With messages between partitions on their way while others are erased."""
    cluster = Cluster(configuration(partitions=3, lateness_days=LONG_DAYS))
    for events, turns in zip(story, (first, later), strict=True):
        for event in events:
            cluster.send(event)
        for number, limit, topics in turns:
            cluster.step(number, limit, topics)
        cluster.settle()
    everything = [*story[0], *story[1]]
    sums = oracle.count(everything, RATES)
    chains, lost = chain_oracle.chains(sums), chain_oracle.lost(_unforgotten(everything))
    assert _something(compared_with_oracle(cluster.rows())) == _something(sums)
    for one, row in cluster.rows().items():
        levels = [(customers, Decimal(micros) / 10**6) for customers, micros in levels_of(row)]
        assert levels + [(0, 0)] * (LEVELS - len(levels)) == chains.get(one, [(0, 0)] * LEVELS)
        assert row.referrals_lost == lost[one]


def _unforgotten(events: Events) -> Events:
    erased = oracle.erasures(events)
    return [
        event
        for event in events
        for fields in [{"customer_id", "referred_customer_id"} & event.keys()]
        if not any(oracle.is_forgotten(event, field, erased) for field in fields)
    ]


@ALL
@given(stories(), st.booleans())
def test_nothing_told_of_the_erased_is_left(story: Story, every_event: bool) -> None:
    cluster = _play(story, every_event=every_event)
    cluster.tell_silence(END)
    gone = _gone(story)
    for topic in SCORE_TOPICS:
        last = {record.key: record.value for record in cluster.log(topic)}
        assert not any(last.get(one.encode()) for one in gone)
    for number in cluster.numbers:
        partition, changelog = cluster.partition(number), dict(cluster.changelog(number))
        for one in gone:
            assert changelog.get(one.encode()) is changelog.get(told_key(one)) is None
            assert one not in partition.rows
            assert one not in partition.told
    for row in cluster.rows().values():
        named = {row.referrer, *(who for _, who in row.rivals), *(who for who, _ in row.cycle)}
        assert not (named | {who for _, who in row.brought}) & gone


@ALL
@given(stories(), st.booleans())
def test_revisions_rise_though_a_customer_goes_and_comes_back(
    story: Story, every_event: bool
) -> None:
    cluster = _play(story, every_event=every_event)
    cluster.tell_silence(END)
    for topic in SCORE_TOPICS[:2]:
        revisions = defaultdict(list)
        for score in cluster.scores(topic):
            revisions[score["customer_id"]].append(score["revision"])
        for rising in revisions.values():
            assert all(one < other for one, other in pairwise(rising))


@ALL
@given(stories(), st.integers(0, 40), st.booleans())
def test_what_is_read_again_does_not_bring_anybody_back(
    story: Story, again: int, with_checkpoint: bool
) -> None:
    """Old events sent once more, as by `dlq replay`, or the very records read once more."""
    cluster = _play(story)
    before = rows(cluster)
    if with_checkpoint:
        for event in story[0]:
            if event["customer_id"] in _gone(story) and event["type"] != "erasure":
                cluster.send(event)
    else:
        for number in cluster.numbers:
            for topic in cluster.partition(number).next_offsets:
                cluster.partition(number).next_offsets[topic] = again
    cluster.settle()
    assert rows(cluster) == before


@ALL
@given(stories(_lives(referrals=0)), st.booleans())
def test_who_comes_back_is_as_new(story: Story, every_event: bool) -> None:
    """A returned customer's row and scores are those of one who was never there before."""
    first, later = story
    erased = oracle.erasures(first)
    returned = {event["customer_id"] for event in later}
    came_back = [event for event in later if event["customer_id"] in erased]
    anew = _play(([], came_back), every_event=every_event)
    found, afresh = end(_play(story, every_event=every_event)), end(anew)
    for one, row in afresh[0].items():
        moved = {"changes": 0, "erased_at": 0}
        assert found[0][one] | moved == row | moved
    for key, score in afresh[1].items():
        apart: dict[str, Any] = {"revision": 0, "score_id": ""}
        assert found[1][key] | apart == score | apart
    assert returned <= found[0].keys()


@ALL
@given(stories(), sizes(), fates(), st.lists(st.booleans(), max_size=7))
def test_a_crash_at_any_point_ends_in_the_same(
    story: Story, units: list[int], of_units: list[Fate], keep: list[bool]
) -> None:
    """Restored from a changelog that may have been compacted."""
    crashing = Cluster(configuration(partitions=2, lateness_days=LONG_DAYS))
    for events in story:
        for event in events:
            crashing.send(event)
        numbers = cycle(crashing.numbers)
        for number, fate, size in zip(numbers, of_units, cycle(units), strict=False):
            live_or_die(crashing, number, crashing.waiting(number)[:size], fate, keep)
        crashing.settle(limit=units[0])
    found = compared_with_oracle(crashing.rows())
    assert _something(found) == _something(oracle.count([*story[0], *story[1]], RATES))


@ALL
@given(stories(), st.lists(st.booleans(), max_size=7))
def test_a_compacted_changelog_restores_who_was_erased(story: Story, keep: list[bool]) -> None:
    cluster = _play(story, partitions=1)
    original, restored = cluster.partition(0), Partition(0, cluster.configuration)
    restored.restore(compact(cluster.changelog(0), keep))
    restored.restored()
    assert (restored.rows, restored.told) == (original.rows, original.told)
    assert restored.erased == original.erased
    assert restored.state_bytes == sum(map(len, restored.rows.values())) == original.state_bytes
    assert original.erased.keys() == {erased_key(one.encode()) for one in oracle.erasures(story[0])}


@ALL
@given(stories(), st.integers(0, 24))
def test_the_figures_of_the_shop_are_those_of_who_is_left(story: Story, middle: int) -> None:
    """Counted on the way and at the end, or at once from the rows that there are in the end."""
    events = [*story[0], *story[1]]
    cluster = Cluster(configuration(partitions=2, lateness_days=LONG_DAYS))
    for place, event in enumerate(events):
        cluster.send(event)
        cluster.settle()
        if place == middle:
            finish(cluster)
    finish(cluster)
    found = measures_of(shop_of(cluster))
    for number in cluster.numbers:
        cluster.crash(number)
    finish(cluster)
    assert measures_of(shop_of(cluster)) == found
