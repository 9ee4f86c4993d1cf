"""Counting keeps to its share of the time and tells no oftener than it may."""

from streamer.engine.counting import (
    COUNT_SECONDS,
    HELD_MAX,
    SHARE,
    SHARE_BEHIND,
    SLICE,
    SLICE_MAX,
    CountingSchedule,
    Pace,
)


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Counted:
    """Stands in for a partition: a slice takes a second; it has always news."""

    def __init__(self, clock: Clock, pending: int) -> None:
        self._clock = clock
        self.pending = pending
        self.has_news = True
        self.slices: list[int] = []
        self.counting = self

    @property
    def held(self) -> int:
        return self.pending

    def count(self, customers_max: int) -> None:
        self.slices.append(customers_max)
        self.pending = max(0, self.pending - customers_max)
        self._clock.now += 1


def run(
    pending: int, seconds: float, *, behind: bool = False
) -> tuple[Counted, CountingSchedule, Clock]:
    clock = Clock()
    partition = Counted(clock, pending)
    schedule = CountingSchedule(10, Pace(clock))
    until = clock.now + seconds
    while clock.now < until:
        schedule.count(partition, behind=behind)  # type: ignore[arg-type] # all of it asked for
        clock.now += 0.01
    return partition, schedule, clock


def test_nothing_is_counted_before_it_is_time() -> None:
    partition, schedule, _ = run(3 * SLICE, COUNT_SECONDS - 0.1)
    assert (partition.slices, schedule.counting) == ([], False)


def test_slices_keep_to_the_share() -> None:
    partition, schedule, _ = run(20 * SLICE, 100)
    assert set(partition.slices) == {SLICE}
    assert len(partition.slices) <= 100 * SHARE + 1
    assert schedule.counting


def test_events_that_wait_come_first() -> None:
    partition, _, _ = run(20 * SLICE, 100, behind=True)
    assert 1 <= len(partition.slices) <= 100 * SHARE_BEHIND + 1


def test_partitions_share_the_pace() -> None:
    clock = Clock()
    pace = Pace(clock)
    pairs = [(Counted(clock, 99 * SLICE), CountingSchedule(10, pace)) for _ in range(4)]
    while clock.now < 200:
        for partition, schedule in pairs:
            schedule.count(partition)  # type: ignore[arg-type] # all of it that is asked for
        clock.now += 0.01
    assert sum(len(partition.slices) for partition, _ in pairs) <= 100 * SHARE + 1


def test_too_many_are_counted_whatever_the_pace() -> None:
    partition, _, _ = run(HELD_MAX + 3 * SLICE_MAX, 20)
    assert partition.slices[:4] == [SLICE_MAX, SLICE_MAX, SLICE_MAX, SLICE]


def test_it_is_told_at_intervals() -> None:
    partition, schedule, clock = run(0, 9.9)
    assert not schedule.to_be_told(partition)  # type: ignore[arg-type] # as above
    clock.now += 0.2
    assert schedule.to_be_told(partition)  # type: ignore[arg-type] # as above
    schedule.told()
    assert not schedule.to_be_told(partition)  # type: ignore[arg-type] # as above
