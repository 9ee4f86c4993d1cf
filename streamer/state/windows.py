"""Purchase days: occasions, gaps between them, and what each day brought.

``row.days`` is flat, four numbers a day (``DAY_FIELDS``): that reads and writes fastest, and many
rows' days become one array.
"""

from bisect import bisect_left
from functools import lru_cache
from math import log

from streamer.records.events import Purchase
from streamer.records.instants import DAY, NEVER
from streamer.state.row import Row

WINDOW_DAYS = (7, 30, 90, 365)
DAY_FIELDS = 4
ORDERS, REVENUE, REFUNDED = 1, 2, 3
"""Places behind a day's own; ``REFUNDED`` counts on the day of the refund."""


@lru_cache(maxsize=4096)
def _log_gap(days: int) -> int:
    return round(log(days) * 1_000_000)


def day_at(days: list[int], day: int) -> int:
    """Return the place of ``day`` in ``days``, made if missing."""
    place = len(days) - DAY_FIELDS
    if place < 0 or days[place] < day:
        days += (day, 0, 0, 0)
        return place + DAY_FIELDS
    if days[place] != day:
        place = DAY_FIELDS * bisect_left(days[::DAY_FIELDS], day)
        if days[place] != day:
            days[place:place] = (day, 0, 0, 0)
    return place


def sums_of_day(days: list[int], day: int) -> tuple[int, int, int]:
    """Return orders, revenue and refunded of ``day``."""
    place = DAY_FIELDS * bisect_left(days[::DAY_FIELDS], day)
    if place == len(days) or days[place] != day:
        return 0, 0, 0
    return days[place + ORDERS], days[place + REVENUE], days[place + REFUNDED]


def add_purchase(row: Row, purchase: Purchase) -> None:
    """Put ``purchase`` into its day, which may become an occasion by it."""
    day = purchase.occurred_at // DAY
    days = row.days
    place = day_at(days, day)
    if not days[place + ORDERS]:
        row.occasions += 1
        if len(days) > DAY_FIELDS:
            _bridge_gaps(row, place)
        if row.first_day == NEVER or day < row.first_day:
            row.first_day = day
            row.first_day_revenue = 0
    days[place + ORDERS] += 1
    days[place + REVENUE] += purchase.amount
    if day == row.first_day:
        row.first_day_revenue += purchase.amount


def _bridge_gaps(row: Row, place: int) -> None:
    """Replace the gap around the new occasion at ``place`` by the two it makes."""
    days = row.days
    if place == len(days) - DAY_FIELDS and days[place - DAY_FIELDS + ORDERS]:
        row.log_gaps += _log_gap(days[place] - days[place - DAY_FIELDS])
        return  # the newest occasion, behind another: the usual case
    before = _occasion(days, range(place - DAY_FIELDS, -1, -DAY_FIELDS))
    after = _occasion(days, range(place + DAY_FIELDS, len(days), DAY_FIELDS))
    if before is not None:
        row.log_gaps += _log_gap(days[place] - before)
    if after is not None:
        row.log_gaps += _log_gap(after - days[place])
        if before is not None:
            row.log_gaps -= _log_gap(after - before)


def _occasion(days: list[int], places: range) -> int | None:
    """Return the first day with an order among ``places``."""
    for place in places:
        if days[place + ORDERS]:
            return days[place]
    return None


def days_reach(row: Row, lateness: int) -> int:
    """Return the last day that no window and no late event can reach."""
    return (row.watermarks[0] - lateness) // DAY - WINDOW_DAYS[-1]


def drop_days(row: Row, lateness: int) -> None:
    """Drop the days that no window and no late event can reach, but for one occasion.

    The newest occasion among them stays: it is the neighbour of the next gap.
    """
    days = row.days
    reach = days_reach(row, lateness)
    if not days or days[0] > reach:
        return
    old = DAY_FIELDS * bisect_left(days[::DAY_FIELDS], reach + 1)
    for place in range(old - DAY_FIELDS, -1, -DAY_FIELDS):
        if days[place + ORDERS]:
            days[:old] = days[place : place + DAY_FIELDS]
            return
    days[:old] = []
