"""A partition stands still if it has lag and nothing of it is read or applied."""

from hypothesis import given
from hypothesis import strategies as st

from streamer.engine.progress import Progress, Standing

TOPIC = "purchases"


def seen(*standings: Standing, state_bytes: tuple[int, ...] = ()) -> Progress:
    """Return what is known after these standings, ten seconds apart."""
    progress = Progress(0)
    sizes = state_bytes or (7,) * len(standings)
    for number, (standing, size) in enumerate(zip(standings, sizes, strict=True)):
        progress.see(10.0 * number, {TOPIC: standing}, size)
    return progress


def test_what_is_read_but_never_committed_stands_still_though_more_is_read() -> None:
    stuck = seen(Standing(5, 9, 9, 9), Standing(5, 12, 12, 30), Standing(5, 30, 30, 30))
    assert stuck.seconds == 20
    assert stuck.cause == "purchases stands at offset 5 with 25 to come, read but not committed"


def test_what_is_never_read_stands_still() -> None:
    stuck = seen(*[Standing(5, 5, 5, 6)] * 4)
    assert stuck.seconds == 30
    assert stuck.cause.endswith("with 1 to come, not read from Kafka")


def test_nothing_to_do_is_no_standing_still() -> None:
    assert seen(*[Standing(5, 5, 7, 7)] * 4).seconds == 0  # markers of transactions lie between


def test_the_clock_starts_over_with_each_commit() -> None:
    assert seen(*(Standing(5, 9, 9, 9),) * 3, Standing(6, 9, 9, 9)).seconds == 0
    assert seen(*(Standing(5, 9, 9, 9),) * 3, *(Standing(6, 9, 9, 9),) * 2).seconds == 10


def test_to_recover_again_and_again_is_no_progress() -> None:
    before, from_anew = Standing(50, 60, 60, 60), Standing(20, 60, 60, 60)
    assert seen(*(before, from_anew) * 4).seconds == 70


def test_while_rows_are_recovered_the_clock_stands() -> None:
    standings = [Standing(5, 9, 9, 9)] * 5
    assert seen(*standings, state_bytes=(7, 0, 3, 6, 6)).seconds == 10


def test_while_nothing_is_known_the_clock_stands() -> None:
    progress = seen(*[Standing(5, 9, 9, 9)] * 2)
    progress.pause(500)
    progress.see(510, {TOPIC: Standing(5, 9, 9, 9)}, 7)
    assert progress.seconds == 20


def test_one_topic_that_stands_still_is_enough() -> None:
    progress = Progress(0)
    for now in (0, 10, 20):
        progress.see(now, {"a": Standing(now, now + 1, now + 1, 99), "b": Standing(3, 4, 4, 4)}, 7)
    assert progress.seconds == 20
    assert progress.cause.startswith("b stands at offset 3")


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), max_size=30))
def test_standing_still_never_lasts_longer_than_lag_without_a_commit(
    steps: list[tuple[int, int, int]],
) -> None:
    progress, applied, read, end = Progress(0), 0, 0, 0
    still_since: float | None = None
    for now, (commits, reads, arrives) in enumerate(steps):
        end += arrives
        read = min(end, read + reads)
        moves = read > applied and commits > 0
        applied = min(read, applied + commits)
        progress.see(now, {TOPIC: Standing(applied, read, read, end)}, 7)
        if applied == end or moves:
            still_since = None
        elif still_since is None:
            still_since = now - 1
        bound = 0 if still_since is None else now - still_since
        assert progress.seconds <= bound
