from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.instants import DAY, LAST, NEVER, SECOND, day_of, from_datetime, to_datetime

ZONES = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))
MOMENTS = st.datetimes(datetime(1970, 1, 3), datetime(9999, 12, 30), timezones=ZONES)  # noqa: DTZ001 - Hypothesis wants naive bounds


@settings(max_examples=200, deadline=None)
@given(MOMENTS)
def test_an_instant_is_its_moment_to_the_microsecond(moment: datetime) -> None:
    instant = from_datetime(moment)
    assert to_datetime(instant) == moment
    assert to_datetime(instant).tzinfo is UTC
    whole = int(moment.replace(microsecond=0).timestamp())
    assert instant == whole * SECOND + moment.microsecond


@settings(max_examples=200, deadline=None)
@given(MOMENTS)
def test_days_are_those_of_utc(moment: datetime) -> None:
    utc = moment.astimezone(UTC)
    assert day_of(from_datetime(moment)) == (utc.date() - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("instant", "moment"),
    [
        (0, datetime(1970, 1, 1, tzinfo=UTC)),
        (1, datetime(1970, 1, 1, microsecond=1, tzinfo=UTC)),
        (DAY - 1, datetime(1970, 1, 1, 23, 59, 59, 999_999, tzinfo=UTC)),
        (LAST, datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_the_ends_of_time(instant: int, moment: datetime) -> None:
    assert to_datetime(instant) == moment
    assert from_datetime(moment) == instant
    assert day_of(instant) == instant // DAY
    assert instant > NEVER
