"""The traits of a customer: of each one value at an instant, "" where it is unknown."""

from bisect import bisect_left, bisect_right

from streamer.records.instants import DAY
from streamer.scoring.acquisition import channel_of
from streamer.state.row import Row

TENURES = ("new", "first_year", "established", "veteran")
TENURE_DAYS = (30, 365, 1095)
"""Where the second begins, and so on: as the built-in segments have it (V14)."""

RHYTHMS = ("weekly", "monthly", "quarterly", "rarely")
RHYTHM_DAYS = (10, 45, 135)
"""Mean days from one purchase day to the next: up to here is the first, and so on."""

OCCASIONS_MIN = 2
"""Of a rhythm."""


FAR = 2**63 - 1
"""Behind every day."""


def traits_of(row: Row, as_of: int) -> tuple[str, ...]:
    """Return the values of ``TRAITS``, in their order, of a customer who has purchased.

    Args:
        row: of the customer.
        as_of: the instant that the customer is looked at.
    """
    return (*lasting_traits_of(row), _tenure(row, as_of))


def lasting_traits_of(row: Row) -> tuple[str, str, str, str]:
    """Return the values of all ``TRAITS`` but the last: those that time alone does not change."""
    kept = row.engagement
    if kept is None:
        return _first_category(row), "", "", _rhythm(row)
    return _first_category(row), channel_of(row) or "", kept.location[1], _rhythm(row)


def _first_category(row: Row) -> str:
    """Return the category bought first, of those kept; of one day the lesser name."""
    first, earliest = "", FAR
    for name, days in row.categories.items():
        day = days[0]
        if day < earliest or (day == earliest and name < first):
            first, earliest = name, day
    return first


def _rhythm(row: Row) -> str:
    gaps = row.occasions - 1
    if gaps < OCCASIONS_MIN - 1:
        return ""
    days = row.last_purchase_at // DAY - row.first_day
    return RHYTHMS[bisect_left(RHYTHM_DAYS, days / gaps)]


def _tenure(row: Row, as_of: int) -> str:
    return TENURES[bisect_right(TENURE_DAYS, (as_of - row.first_purchase_at) / DAY)]
