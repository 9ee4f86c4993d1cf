"""Rows, timers and places come back from the changelog, wherever a worker dies."""

from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Partition
from streamer.records.instants import DAY, from_datetime
from tests.support.cluster import Cluster, compact, processed
from tests.support.dying import Course, Fate, courses, fates, live_or_die, run_along
from tests.support.histories import (
    START,
    Happening,
    as_arrived,
    configuration,
    histories,
    sizes,
)
from tests.support.play import end, play, rows

FAR = from_datetime(START) + 4000 * DAY
ALL = settings(max_examples=100, deadline=None)


@ALL
@given(histories(referrals=0), courses(), st.booleans())
def test_a_crash_at_any_point_ends_in_the_same(
    history: list[Happening], course: Course, every_event: bool
) -> None:
    events, settings_ = as_arrived(history), configuration(every_event=every_event)
    crashing = run_along(course, events, settings_)
    crashing.tell_silence(FAR)
    calm = play(events, settings_, course.sizes)
    calm.tell_silence(FAR)
    assert end(crashing) == end(calm)


@ALL
@given(histories(referrals=3, referrers_max=1), sizes(), fates())
def test_a_crash_loses_and_doubles_no_credit(
    history: list[Happening], units: list[int], of_units: list[Fate]
) -> None:
    events = as_arrived(history)
    crashing = Cluster(configuration(partitions=2))
    for event in events:
        crashing.send(event)
    for number, fate, size in zip(cycle(crashing.numbers), of_units, cycle(units), strict=False):
        live_or_die(crashing, number, crashing.waiting(number)[:size], fate)
    crashing.settle(limit=units[0])
    assert rows(crashing) == rows(play(events, configuration(partitions=2), units))


@ALL
@given(
    history=histories(),
    units=sizes(),
    keep=st.lists(st.booleans(), max_size=7),
    pieces=st.integers(1, 5),
)
def test_any_compacted_changelog_restores_the_same(
    history: list[Happening], units: list[int], keep: list[bool], pieces: int
) -> None:
    cluster = play(as_arrived(history), configuration(), units)
    original = cluster.partition(0)
    restored = Partition(0, configuration())
    changelog = compact(cluster.changelog(0), keep)
    for start in range(0, len(changelog), pieces):
        restored.restore(changelog[start : start + pieces])
    restored.restored()
    assert restored.rows == original.rows
    assert restored.next_offsets == original.next_offsets
    for name in ("time", "stream_time", "log_time", "state_bytes"):
        assert getattr(restored, name) == getattr(original, name)
    assert restored.state_bytes == sum(map(len, restored.rows.values()))
    told = processed(restored, [], cluster.now, silence_until=FAR)
    assert told.messages == processed(original, [], cluster.now, silence_until=FAR).messages


@ALL
@given(histories(referrals=3), sizes(), st.integers(0, 40))
def test_what_a_row_has_counted_is_known_when_read_again(
    history: list[Happening], units: list[int], again: int
) -> None:
    """Belt and braces: rows without their checkpoint know the records they have."""
    cluster = play(as_arrived(history), configuration(), units)
    before = end(cluster)
    for topic in cluster.partition(0).next_offsets:
        cluster.partition(0).next_offsets[topic] = again
    cluster.settle(limit=units[0])
    assert end(cluster) == before
