import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from benchmarks import throughput
from benchmarks.contenders import Command, Course
from benchmarks.errors import BenchmarkError


class Sleeper:
    """A contender that does nothing but tell how far it has come."""

    title = "sleeper"
    guarantee = "none"
    slow = False

    def __init__(self, counts: Iterable[int | None], seconds: int = 60) -> None:
        self._counts = iter(counts)
        self._seconds = seconds
        self.checked = 0

    def prepare(self, course: Course) -> None:
        assert not any(course.folder.iterdir())

    def command(self, course: Course) -> Command:
        return Command([sys.executable, "-c", f"import time; time.sleep({self._seconds})"])

    def consumed(self, course: Course) -> int | None:
        return next(self._counts)

    def scores(self, course: Course) -> str:
        return f"{course.prefix}scores"

    def check(self, course: Course, events: int) -> None:
        self.checked = events


@pytest.fixture
def course(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(throughput, "SAMPLE_SECONDS", 0.05)
    return Course(
        bootstrap="", prefix="p-", partitions=1, group_id="g", http_port=0, folder=tmp_path
    )


def test_a_contender_is_measured_until_all_is_consumed_and_then_checked(course: Course) -> None:
    sleeper = Sleeper([None, 0, 10, 50, 110])
    rate, cpu = throughput.measure(sleeper, course, 100)
    assert 100 / 10 < rate < 100 / 0.04
    assert cpu is None or cpu < 100_000
    assert sleeper.checked == 100


def test_standing_still_is_a_failure(course: Course, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "STANDSTILL_SECONDS_MAX", 0.2)
    with pytest.raises(BenchmarkError, match="stood still at 7 of 100 events"):
        throughput.measure(Sleeper([7] * 100), course, 100)


def test_ending_early_is_a_failure(course: Course) -> None:
    with pytest.raises(BenchmarkError, match="sleeper ended by itself"):
        throughput.measure(Sleeper([7] * 1000, seconds=0), course, 100)
