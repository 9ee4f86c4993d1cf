"""Purchase days: occasions, gaps between them, and sums over rolling windows."""

from bisect import bisect_left
from functools import lru_cache
from math import log

from streamer.records.events import Purchase
from streamer.records.instants import DAY, NEVER
from streamer.state.row import Day, Row

WINDOW_DAYS = (7, 30, 90, 365)


@lru_cache(maxsize=4096)
def _log_gap(days: int) -> int:
    return round(log(days) * 1_000_000)


def day_at(row: Row, day: int) -> tuple[int, Day]:
    """Return the place and the entry of ``day`` in ``row.days``, made if missing."""
    days = row.days
    if not days or days[-1].day < day:
        days.append(Day(day))
        return len(days) - 1, days[-1]
    place = len(days) - 1
    if days[place].day != day:
        place = bisect_left(days, day, key=lambda entry: entry.day)
        if days[place].day != day:
            days.insert(place, Day(day))
    return place, days[place]


def add_purchase(row: Row, purchase: Purchase) -> None:
    """Put ``purchase`` into its day, which may become an occasion by it."""
    day = purchase.occurred_at // DAY
    place, entry = day_at(row, day)
    if not entry.orders:
        row.occasions += 1
        _bridge_gaps(row, place)
        if row.first_day == NEVER or day < row.first_day:
            row.first_day = day
            row.first_day_revenue = entry.revenue
    entry.orders += 1
    entry.revenue += purchase.amount
    if day == row.first_day:
        row.first_day_revenue += purchase.amount


def _bridge_gaps(row: Row, place: int) -> None:
    """Replace the gap around the new occasion at ``place`` by the two it makes."""
    days, day = row.days, row.days[place].day
    before = next((d.day for d in reversed(days[:place]) if d.orders), None)
    after = next((d.day for d in days[place + 1 :] if d.orders), None)
    if before is not None:
        row.log_gaps += _log_gap(day - before)
    if after is not None:
        row.log_gaps += _log_gap(after - day)
    if before is not None and after is not None:
        row.log_gaps -= _log_gap(after - before)


def drop_days(row: Row, lateness: int) -> None:
    """Drop the days that no window and no late event can reach, but for one occasion.

    The newest occasion among them stays: it is the neighbour of the next gap.
    """
    days = row.days
    reach = (row.watermarks[0] - lateness) // DAY - WINDOW_DAYS[-1]
    if not days or days[0].day > reach:
        return
    old = bisect_left(days, reach + 1, key=lambda entry: entry.day)
    kept = next((i for i in range(old - 1, -1, -1) if days[i].orders), None)
    days[:old] = [] if kept is None else [days[kept]]


def window_sums(row: Row, as_of: int) -> list[tuple[int, int]]:
    """Return (orders, net revenue) of each of ``WINDOW_DAYS``, up to the UTC day of ``as_of``."""
    today = as_of // DAY
    sums = []
    place = len(row.days) - 1
    orders = revenue = 0
    for width in WINDOW_DAYS:
        while place >= 0 and row.days[place].day > today - width:
            entry = row.days[place]
            orders += entry.orders
            revenue += entry.revenue - entry.refunded
            place -= 1
        sums.append((orders, revenue))
    return sums
