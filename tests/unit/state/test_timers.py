"""The oracle is a dict, searched through."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.instants import LAST
from streamer.state.timers import STALE_MIN, SilenceTimers

CUSTOMERS = st.sampled_from(["ann", "bob", "cy"])
INSTANTS = st.integers(0, 20)
STEPS = st.lists(
    st.tuples(st.just("schedule"), CUSTOMERS, INSTANTS)
    | st.tuples(st.just("pop"), CUSTOMERS, INSTANTS),
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(CUSTOMERS, INSTANTS), STEPS)
def test_timers_are_a_sorted_dict(
    loaded: dict[str, int], steps: list[tuple[str, str, int]]
) -> None:
    timers, oracle = SilenceTimers(), dict(loaded)
    timers.load(dict(loaded))
    for what, customer, instant in steps:
        if what == "schedule":
            timers.schedule([(customer, instant)])
            oracle[customer] = min(instant, oracle.get(customer, instant))
            continue
        due = sorted((at, name) for name, at in oracle.items() if at <= instant)
        assert timers.pop(instant) == (due[0] if due else None)
        if due:
            del oracle[due[0][1]]
    assert len(timers) == len(oracle)
    left = [timers.pop(LAST) for _ in oracle]
    assert left == sorted((at, name) for name, at in oracle.items())
    assert timers.pop(LAST) is None


@given(st.dictionaries(st.text(max_size=3), INSTANTS), INSTANTS)
def test_those_due_are_counted_without_being_taken(loaded: dict[str, int], until: int) -> None:
    timers = SilenceTimers()
    timers.load(dict(loaded))
    for _ in range(2):
        assert timers.due(until) == sum(at <= until for at in loaded.values())


def test_the_next_instant_is_never_after_the_true_one() -> None:
    timers = SilenceTimers()
    assert timers.next_instant() is None
    timers.schedule([("ann", 9)])
    timers.schedule([("ann", 5), ("bob", 7)])
    assert timers.next_instant() == 5
    assert timers.pop(4) is None
    assert timers.pop(8) == (5, "ann")
    assert timers.next_instant() == 7


def test_who_is_to_be_woken_beyond_the_calendar_is_never_woken() -> None:
    timers = SilenceTimers()
    timers.schedule([("ann", LAST + 1)])
    assert len(timers) == 0
    timers.schedule([("ann", 3)])
    timers.schedule([("ann", LAST + 1)])
    assert len(timers) == 0
    assert timers.pop(LAST) is None


def test_who_sleeps_is_woken_later() -> None:
    timers = SilenceTimers()
    timers.schedule([("ann", 5)])
    assert timers.sleeps("ann", 4)
    assert not timers.sleeps("ann", 5)
    assert not timers.sleeps("bob", 0), "nothing is known of when"


def test_there_are_never_many_more_entries_than_customers() -> None:
    timers = SilenceTimers()
    for instant in range(2 * STALE_MIN, 0, -1):
        timers.schedule([("ann", instant), ("bob", instant + 1)])
        assert timers.due(LAST) <= 2 * len(timers) + STALE_MIN
    assert [timers.pop(LAST) for _ in range(3)] == [(1, "ann"), (2, "bob"), None]
