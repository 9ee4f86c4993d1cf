from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamer.records.scores import RISK_BANDS
from streamer.web.views.overview import SAMPLES_MAX, Course, Sample, merged

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def sample(second: int, customers: int) -> Sample:
    at = BEGIN + timedelta(seconds=second)
    bands = dict.fromkeys(RISK_BANDS, 0) | {"low": customers}
    return Sample(measured_at=at, as_of=at, bands=bands)


@given(st.integers(1, 3_000))
def test_a_long_course_is_thinned_out_evenly(offered: int) -> None:
    course = Course()
    for second in range(offered):
        course.offer(sample(second, second))
        assert len(course.samples) < SAMPLES_MAX
    seconds = [one.bands["low"] for one in course.samples]
    gaps = {after - before for before, after in pairwise(seconds)}
    assert len(gaps) <= 1
    if offered >= SAMPLES_MAX:
        assert len(seconds) >= SAMPLES_MAX // 2 - 1


@given(st.lists(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), max_size=8), max_size=4))
def test_workers_courses_add_up_at_each_moment(given: list[list[tuple[int, int]]]) -> None:
    histories = [[sample(*pair) for pair in sorted(dict(one).items())] for one in given]
    told = [history for history in histories if history]
    # Of a moment that several workers have a sample of, the last one has all of them.
    course = {one.measured_at: one.bands["low"] for one in merged(histories)}
    begun = max((history[0].measured_at for history in told), default=BEGIN)
    moments = {one.measured_at for history in told for one in history}
    assert course == {
        moment: sum(
            [one.bands["low"] for one in history if one.measured_at <= moment][-1]
            for history in told
        )
        for moment in moments
        if moment >= begun
    }
