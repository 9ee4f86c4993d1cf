"""The same events end in the same rows and last scores, however they are taken."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Asked, Book, scored
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    LTV_UPDATES,
    RECOMMENDED_ACTIONS,
    SEGMENT_CHANGES,
)
from streamer.records.scores import RISK_BANDS
from tests.support import oracle
from tests.support.cluster import Cluster, Score, without
from tests.support.histories import (
    LONG_DAYS,
    RATES,
    START,
    Happening,
    as_arrived,
    configuration,
    histories,
    in_time,
    sizes,
)
from tests.support.marketing import marketing
from tests.support.play import compared_with_oracle, end, play, rows

if TYPE_CHECKING:
    from streamer.scoring.score import Scoring

ALL = settings(max_examples=100, deadline=None)
END = from_datetime(START) + LONG_DAYS * DAY
BOTH = pytest.mark.parametrize("topic", [LTV_UPDATES, CHURN_RISK_UPDATES])


@ALL
@given(histories(referrals=0), sizes(), sizes())
def test_units_of_any_size_end_in_the_same(
    history: list[Happening], one: list[int], two: list[int]
) -> None:
    events = as_arrived(history)
    assert end(play(events, configuration(), one)) == end(play(events, configuration(), two))


@ALL
@given(histories(referrals=0), sizes())
def test_a_score_an_event_ends_in_the_same_as_a_score_a_batch(
    history: list[Happening], units: list[int]
) -> None:
    events = as_arrived(history)
    each = play(events, configuration(every_event=True), units)
    assert end(each) == end(play(events, configuration(), units))


@ALL
@given(histories(referrals=0), sizes(), st.booleans())
def test_any_order_of_arrival_ends_in_the_same(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    settings_ = configuration(every_event=every_event)
    assert end(play(as_arrived(history), settings_, units)) == end(
        play(in_time(history), configuration(), units)
    )


@BOTH
@ALL
@given(history=histories(referrals=0), units=sizes())
def test_scores_of_batches_are_some_of_the_scores_of_events(
    topic: str, history: list[Happening], units: list[int]
) -> None:
    """For input in the order of time: a live run and a replay tell the same story."""
    events = in_time(history)
    each = _by_customer(play(events, configuration(every_event=True), units), topic)
    batched = _by_customer(play(events, configuration(), units), topic)
    assert batched.keys() == each.keys()
    for customer, scores in batched.items():
        remaining = iter(each[customer])
        assert all(score in remaining for score in scores)


@ALL
@given(histories(referrals=0, interactions=False), sizes())
def test_a_live_run_and_a_replay_of_input_in_time_tell_the_same(
    history: list[Happening], units: list[int]
) -> None:
    """Of one topic: of several, a larger unit reads each on its own."""
    assert _told_live(history) == _told_in_replay(history, units)


@ALL
@given(histories(referrals=2, referrers_max=1))
def test_a_live_run_and_a_replay_tell_the_same_of_other_topics(history: list[Happening]) -> None:
    """One event at a time: with larger units other rows hear of referrals later."""
    assert _told_live(history) == _told_in_replay(history, [1])


@ALL
@given(histories(referrals=0), sizes(), st.booleans())
def test_time_beyond_the_last_event_ends_in_the_same(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    """Silence is told of once, whether in small steps of time, bounded, or in one leap."""
    leap = play(as_arrived(history), configuration(), units)
    leap.tell_silence(END)
    steps = play(as_arrived(history), configuration(every_event=every_event))
    for instant in range(from_datetime(START), END, 500 * DAY):
        steps.tell_silence(instant, timers_max=1)
    steps.tell_silence(END)
    assert end(leap) == end(steps)
    for churn in leap.last_scores().values():
        assert churn.get("next_band_crossing_at") is None or churn["risk_band"] != RISK_BANDS[-1]


@ALL
@given(histories(), sizes(), st.booleans())
def test_the_revision_rises_strictly(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    cluster = play(as_arrived(history), configuration(every_event=every_event), units)
    cluster.tell_silence(END)
    ids = set()
    for topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
        for scores in _by_customer(cluster, topic).values():
            assert all(a["revision"] < b["revision"] for a, b in pairwise(scores))
            ids |= {score["score_id"] for score in scores}
    assert len(ids) == sum(1 for _ in cluster.scores(LTV_UPDATES))


@ALL
@given(histories(referrals=0), sizes(), st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99))))
def test_repeats_anywhere_change_nothing(
    history: list[Happening], units: list[int], repeats: list[tuple[int, int]]
) -> None:
    events = as_arrived(history)
    repeated = _with_repeats(events, repeats)
    assert end(play(repeated, configuration(), units)) == end(play(events, configuration(), units))


@ALL
@given(histories(), sizes())
def test_scores_made_later_are_the_same(history: list[Happening], units: list[int]) -> None:
    """A replay gathers the scorings of many units, and by then their rows have moved on."""
    settings_ = configuration(every_event=True)
    at_once, later = Cluster(settings_), Cluster(settings_)
    for event in as_arrived(history):
        at_once.send(event)
        later.send(event)
    gathered: list[Scoring] = []
    while later.waiting(0):
        at_once.step(0, units[0])
        work = later.begin(0, units[0])
        gathered.extend(work.asked().scorings)
        later.complete(0, work.finish({}))
    [made] = scored([Asked(gathered, Book({}))], later.now, settings_, settings_.scoring)
    for topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
        values = [message.value for message in made.get(topic, [])]
        assert values == [record.value for record in at_once.log(topic)]
    assert rows(at_once) == rows(later)


@ALL
@given(histories(), sizes())
def test_scores_of_all_partitions_may_be_made_by_one_call(
    history: list[Happening], units: list[int]
) -> None:
    """The worker does so with what waits in several partitions, whatever else is in the call."""
    shop = marketing()
    settings_ = replace(
        configuration(partitions=3), segmentation=shop.segmentation, playbook=shop.playbook
    )
    alone, shared = Cluster(settings_), Cluster(settings_)
    for event in as_arrived(history):
        alone.send(event)
        shared.send(event)
    numbers = range(settings_.partitions)
    while any(shared.waiting(number) for number in numbers):
        for number, unit in [(n, alone.attempt(n, alone.waiting(n)[: units[0]])) for n in numbers]:
            alone.complete(number, unit)
        works = [shared.begin(number, units[0]) for number in numbers]
        asked = [work.asked() for work in works]
        made = scored(asked, shared.now, settings_, settings_.scoring)
        for number, work, updates in zip(numbers, works, made, strict=True):
            shared.complete(number, work.finish(updates))
    for topic in (LTV_UPDATES, CHURN_RISK_UPDATES, SEGMENT_CHANGES, RECOMMENDED_ACTIONS):
        assert [record.value for record in alone.log(topic)] == [
            record.value for record in shared.log(topic)
        ], topic
    assert rows(alone) == rows(shared)


@ALL
@given(histories(), sizes())
def test_sums_are_the_oracles(history: list[Happening], units: list[int]) -> None:
    events = as_arrived(history)
    cluster = play(events, configuration(lateness_days=LONG_DAYS), units)
    assert compared_with_oracle(cluster.rows()) == oracle.count(events, RATES)
    assert not cluster.refused


@ALL
@given(histories(), sizes())
def test_scoring_never_moves_a_row(history: list[Happening], units: list[int]) -> None:
    cluster = play(as_arrived(history), configuration(), units)
    before = rows(cluster)
    cluster.tell_silence(END)
    assert rows(cluster) == before


def _told_live(history: list[Happening]) -> list[dict[str, list[Score]]]:
    """Live, the clock tells of silence before the next event comes; in a replay the event does."""
    live = Cluster(configuration(every_event=True))
    for one in history:
        live.tell_silence(from_datetime(START + one.at) - 1)
        live.send(one.event)
        live.settle()
    live.tell_silence(END)
    return [_by_customer(live, topic) for topic in (LTV_UPDATES, CHURN_RISK_UPDATES)]


def _told_in_replay(history: list[Happening], units: list[int]) -> list[dict[str, list[Score]]]:
    replay = play(in_time(history), configuration(every_event=True), units)
    replay.tell_silence(END)
    return [_by_customer(replay, topic) for topic in (LTV_UPDATES, CHURN_RISK_UPDATES)]


def _by_customer(cluster: Cluster, topic: str) -> dict[str, list[Score]]:
    scores: dict[str, list[Score]] = {}
    for score in cluster.scores(topic):
        scores.setdefault(score["customer_id"], []).append(without(score, "cause", "scored_at"))
    return scores


def _with_repeats(
    events: Sequence[dict[str, Any]], repeats: list[tuple[int, int]]
) -> list[dict[str, Any]]:
    """Put copies of events behind them; a copy is never the first."""
    repeated = list(events)
    for which, behind in repeats if events else ():
        place = which % len(repeated)
        repeated.insert(place + 1 + behind, repeated[place])
    return repeated
