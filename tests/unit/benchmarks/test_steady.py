import pytest

from benchmarks.steady import Sample, pace


def test_the_first_two_fifths_are_warm_up() -> None:
    warm_up = [Sample(0, 0), Sample(60, 39), Sample(70, 40)]
    assert pace([*warm_up, Sample(71, 70), Sample(72, 100)], 100) == (30, None)


def test_the_warm_up_may_be_longer() -> None:
    samples = [Sample(0, 0), Sample(60, 89), Sample(70, 90), Sample(71, 100)]
    assert pace(samples, 100, warm_up=90) == (10, None)


def test_what_comes_after_the_last_event_does_not_count() -> None:
    samples = [Sample(0, 50), Sample(1, 60), Sample(2, 110), Sample(9, 110)]
    assert pace(samples, 100).events_per_second == 30


def test_processor_time_is_what_the_steady_events_took() -> None:
    samples = [Sample(0, 0, 1.0), Sample(1, 50, 2.0), Sample(2, 100, 2.5), Sample(3, 100, 9.0)]
    assert pace(samples, 100).cpu_us_per_event == 10_000


def test_two_samples_are_the_least() -> None:
    with pytest.raises(ValueError, match="more events"):
        pace([Sample(0, 0), Sample(1, 100)], 100)
