"""Instants and days: event time is a whole number of microseconds since 1970-01-01T00:00Z."""

from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
DAY = 86_400 * SECOND
YEAR_DAYS = 365.25
NEVER = -1
"""Stands for an instant that has not happened; before every real one."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST = 253_402_300_799 * SECOND
"""9999-12-31T23:59:59Z, the last instant that RFC 3339 can write."""

MICROSECOND = timedelta(microseconds=1)


def from_datetime(moment: datetime) -> int:
    """Return the instant of an aware ``moment``.

    >>> from_datetime(datetime(1970, 1, 2, tzinfo=UTC)) == DAY
    True
    """
    return (moment - EPOCH) // MICROSECOND


def to_datetime(instant: int) -> datetime:
    """Return ``instant`` (0 to ``LAST``) as a datetime in UTC."""
    return EPOCH + timedelta(0, 0, instant)


def day_of(instant: int) -> int:
    """Return the UTC day of ``instant``, in days since 1970-01-01."""
    return instant // DAY
