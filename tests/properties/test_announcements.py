"""What changes is announced once, through batches, crashes, restarts and silence."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Partition
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    LTV_UPDATES,
    RECOMMENDED_ACTIONS,
    SEGMENT_CHANGES,
)
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate
from streamer.scoring.expressions import Frame
from streamer.scoring.segments import split
from tests.support.cluster import Cluster, compact
from tests.support.dying import Course, courses, run_along
from tests.support.histories import START, Happening, as_arrived, histories, in_time, sizes
from tests.support.marketing import actions, marketing, segments
from tests.support.play import play
from tests.support.schemas import validator

FAR = from_datetime(START) + 4000 * DAY
ALL = settings(max_examples=60, deadline=None)


def memberships(cluster: Cluster) -> dict[str, set[str]]:
    """Follow the announcements, as a subscriber does who trusts each of them."""
    members: dict[str, set[str]] = {}
    for change in cluster.scores(SEGMENT_CHANGES):
        validator("segment-change.json").validate(change)
        mine = members.setdefault(change["customer_id"], set())
        assert mine.isdisjoint(change["entered"]), "announced twice"
        assert mine.issuperset(change["left"]), "announced twice"
        assert change["entered"] or change["left"]
        mine |= set(change["entered"])
        mine -= set(change["left"])
    for customer, told in _last_told(cluster).items():
        assert set(told) == members[customer]
    return members


def _last_told(cluster: Cluster) -> dict[str, list[str]]:
    return {one["customer_id"]: one["segments"] for one in cluster.scores(SEGMENT_CHANGES)}


def expected(cluster: Cluster) -> dict[str, set[str]]:
    """Return the memberships that follow from each customer's last scores."""
    found = {}
    values = {one.key: one.value for one in cluster.log(LTV_UPDATES)}
    risks = {one.key: one.value for one in cluster.log(CHURN_RISK_UPDATES)}
    for key, value in values.items():
        assert key is not None
        frame = Frame(
            [msgspec.json.decode(value or b"", type=LtvUpdate)],
            [msgspec.json.decode(risks[key] or b"", type=ChurnRiskUpdate)],
        )
        found[key.decode()] = set(split(segments().memberships(frame)[0]))
    return found


@ALL
@given(histories(referrals=2), sizes(), st.booleans())
def test_announcements_lead_to_the_memberships_of_the_last_scores(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    cluster = play(as_arrived(history), marketing(every_event=every_event, partitions=2), units)
    assert memberships(cluster) == expected(cluster)
    cluster.tell_silence(FAR)
    assert memberships(cluster) == expected(cluster)
    counted: Counter[str] = Counter()
    for number in cluster.numbers:
        counted.update(cluster.partition(number).members())
    assert +counted == Counter(name for mine in memberships(cluster).values() for name in mine)


@ALL
@given(histories(referrals=0), sizes(), sizes())
def test_batches_end_in_the_same_memberships(
    history: list[Happening], one: list[int], two: list[int]
) -> None:
    each = play(as_arrived(history), marketing(every_event=True), one)
    assert memberships(each) == memberships(play(in_time(history), marketing(), two))


@ALL
@given(histories(referrals=0), courses(), st.booleans())
def test_a_crash_announces_nothing_twice_and_forgets_nothing(
    history: list[Happening], course: Course, every_event: bool
) -> None:
    crashing = run_along(course, as_arrived(history), marketing(every_event=every_event))
    crashing.tell_silence(FAR)
    assert memberships(crashing) == expected(crashing)
    for told in lists_of(crashing).values():
        assert len({one["score_id"] for one in told}) == len(told), "told twice"


@ALL
@given(histories(referrals=0), sizes())
def test_where_every_event_is_scored_units_do_not_matter(
    history: list[Happening], units: list[int]
) -> None:
    """So a worker with emit=every_event tells what a replay tells."""
    one = play(in_time(history), marketing(every_event=True))
    some = play(in_time(history), marketing(every_event=True), units)
    for topic in (SEGMENT_CHANGES, RECOMMENDED_ACTIONS):
        assert _by_customer(one, topic) == _by_customer(some, topic)


def _by_customer(cluster: Cluster, topic: str) -> dict[bytes | None, list[bytes | None]]:
    told: dict[bytes | None, list[bytes | None]] = {}
    for record in cluster.log(topic):
        told.setdefault(record.key, []).append(record.value)
    return told


def lists_of(cluster: Cluster) -> dict[str, list[dict[str, Any]]]:
    """Return the lists of each customer in the order in which they were told."""
    found: dict[str, list[dict[str, Any]]] = {}
    for told in cluster.scores(RECOMMENDED_ACTIONS):
        validator("recommended-actions.json").validate(told)
        assert [one["rank"] for one in told["actions"]] == list(range(1, len(told["actions"]) + 1))
        found.setdefault(told["customer_id"], []).append(told)
    return found


@ALL
@given(histories(referrals=2), sizes(), st.booleans())
def test_lists_are_told_when_they_change_and_the_cap_holds(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    """In the order of time, for the cap is over event time."""
    cluster = play(in_time(history), marketing(every_event=every_event), units)
    cluster.tell_silence(FAR)
    assert lists_of(cluster).keys() == {one["customer_id"] for one in cluster.scores(LTV_UPDATES)}
    for told in lists_of(cluster).values():
        suggested = _suggested(told)
        for earlier, later in zip(suggested, suggested[actions().cap.suggestions :], strict=False):
            assert later - earlier >= timedelta(days=actions().cap.days)


def _suggested(told: list[dict[str, Any]]) -> list[datetime]:
    """Return when something new was suggested to sell; check that each list had to be told."""
    selling = {rule.name for rule in actions().rules if rule.selling}
    suggested = []
    before: list[str] = []
    for one in told:
        names = [action["action"] for action in one["actions"]]
        assert names != before or one["previous"] is not None
        if one["previous"] is not None:
            assert one["previous"]["action"] == before[0]
        if names[0] in selling and (one["previous"] is not None or names[:1] != before[:1]):
            suggested.append(datetime.fromisoformat(one["as_of"]))
        before = names
    return suggested


@ALL
@given(histories(), sizes(), st.lists(st.booleans(), max_size=7))
def test_what_was_told_comes_back_from_a_compacted_changelog(
    history: list[Happening], units: list[int], keep: list[bool]
) -> None:
    cluster = play(as_arrived(history), marketing(), units)
    restored = Partition(0, marketing())
    restored.restore(compact(cluster.changelog(0), keep))
    restored.restored()
    assert restored.told == cluster.partition(0).told
    assert restored.members() == cluster.partition(0).members()


@ALL
@given(histories(referrals=0), st.integers(0, 2000))
def test_silence_changes_segments_without_writing_a_row(history: list[Happening], day: int) -> None:
    cluster = play(in_time(history), marketing())
    until = from_datetime(START) + day * DAY
    unit = cluster.attempt(0, [], silence_until=until)
    assert not unit.rows
    announced = {topic for topic, _ in unit.messages} & {SEGMENT_CHANGES, RECOMMENDED_ACTIONS}
    assert bool(unit.told) == bool(announced)
