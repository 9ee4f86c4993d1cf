"""Units of time that models' parameters are in, each a fixed number of days."""

from enum import StrEnum

from streamer.records.instants import YEAR_DAYS


class TimeUnit(StrEnum):
    """A unit of time. Months and years have their mean length: models know no calendar.

    >>> TimeUnit("week").days, TimeUnit.MONTH.days
    (7.0, 30.4375)
    """

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"

    @property
    def days(self) -> float:
        """Length in days."""
        return _DAYS[self]


_DAYS = {
    TimeUnit.HOUR: 1 / 24,
    TimeUnit.DAY: 1.0,
    TimeUnit.WEEK: 7.0,
    TimeUnit.MONTH: YEAR_DAYS / 12,
    TimeUnit.YEAR: YEAR_DAYS,
}
