"""The fold of events into a row.

The rules:

- An event counts once: ``event_id`` is the key, remembered for the lateness.
- An event further back than the lateness behind its family's newest is refused as late.
- Within that, order does not matter (see ``row``).
- One exception: a re-keyed event that was in time in its own log, but was overtaken on its detour
  by the customer's other events, counts if it surely has not counted before.
- Payments are late by the clock of the purchases, and move none.
- The caller owns the row: ``fold`` changes it in place. Ask ``admits`` first.
"""

from collections.abc import Callable
from typing import Any

from xxhash import xxh3_64_intdigest

from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    INTERNAL,
    PAYMENTS,
    AcquisitionCost,
    Details,
    Event,
    Exposure,
    Payment,
    Profile,
    Purchase,
    Rating,
    Referral,
    ReferralCredit,
    ReferralLink,
    ReferralLost,
    ReferralProbe,
    ReferralRing,
    ReferrerStanding,
    Refund,
    Share,
)
from streamer.records.instants import DAY, NEVER
from streamer.records.money import TOTAL_LIMIT
from streamer.state import engagement
from streamer.state.baskets import add_items, add_margin
from streamer.state.cycles import note_cycle
from streamer.state.engagement import Engagement
from streamer.state.orders import close_orders, exceeds, make_room, open_order, settle
from streamer.state.referrals import add_to_level, note_referrer
from streamer.state.row import Row
from streamer.state.standing import brought_bytes, heed, note_brought, note_standing
from streamer.state.windows import (
    DAY_FIELDS,
    REFUNDED,
    WINDOW_DAYS,
    add_purchase,
    day_at,
    days_reach,
    drop_days,
    sums_of_day,
)

_LATE = "further behind the customer's newest event of its kind than the lateness"

RECENT_LIMIT = 1024
"""Event ids a row remembers: 18 KiB. Fewer where a long lateness makes it remember more days."""

ROOMY_DAYS = 400
"""Days beyond these take the room of ``DAY_IN_EVENTS`` ids each, so that no row outgrows 64 KiB."""

DAY_IN_EVENTS = 1.5
EVENT_BYTES = 18
"""Of a remembered id: the names of customers brought take the room of some, too."""

RECENT_SURE = 448
"""Ids that are remembered in any case."""

_CLOCK = (0, 1, 2, 0)
"""The watermark by which a family's events are late."""

_FAMILY, _OVERTAKEN = 3, 4
"""Bits of a remembered event: its family, and whether it was overtaken."""


def admits(row: Row, event: Event, lateness: int) -> bool:
    """Return whether ``event`` would count; a duplicate would not. ``lateness`` in microseconds.

    Raises:
        Rejected: it is late, or a sum would leave its range.
    """
    if event.family == INTERNAL:
        return True
    hashed = remembered(event)
    if hashed in row.recent or hashed | _OVERTAKEN in row.recent:
        return False
    newest = row.watermarks[_CLOCK[event.family]]
    if event.occurred_at < newest - lateness or event.occurred_at <= row.forgotten:
        raise Rejected("late", f"{_LATE} of {lateness / DAY:g} days", "occurred_at")
    if _BOUNDED[type(event)](row, event) >= TOTAL_LIMIT:
        raise Rejected("out_of_range", "the customer's total would leave its range", "amount")
    return True


def overtaken(row: Row, event: Event, lateness: int, log_time: int) -> bool:
    """Return whether ``event``, which is late here, was only overtaken, and is surely new.

    In a backlog a re-keyed event comes after events of its customer that stood behind it. It is
    new if all events that counted on its day are still remembered, and it is none of them.

    Args:
        row: of its customer, which does not remember the event.
        event: a re-keyed one; only purchases and refunds can be told to be new.
        lateness: in microseconds.
        log_time: greatest event time in the log it came from when it was passed on.
    """
    day = event.occurred_at // DAY
    in_time = event.occurred_at >= max(log_time, row.overtaken_until) - lateness
    if event.family != 0 or not in_time or day <= days_reach(row, lateness):
        return False
    orders, _, refunded = sums_of_day(row.days, day)
    known = sum(at // DAY == day and not h & _FAMILY for h, at in row.recent.items())
    return not refunded and known == orders


def fold(row: Row, event: Event, lateness: int, log_time: int = NEVER) -> Row:
    """Fold ``event``, which ``row`` admits, into ``row`` and return it.

    ``log_time`` as for ``overtaken``, if the event was.
    """
    _FOLDS[type(event)](row, event)
    if event.family == INTERNAL:
        return row
    hashed = remembered(event)
    if log_time != NEVER:
        hashed |= _OVERTAKEN
        row.overtaken_until = max(row.overtaken_until, log_time)
    row.recent[hashed] = event.occurred_at
    if event.family == PAYMENTS:
        row.paid_at = max(row.paid_at, event.occurred_at)
    elif event.occurred_at > row.watermarks[event.family]:
        row.watermarks[event.family] = event.occurred_at
    if exceeds(row):
        make_room(row, lateness)
    if len(row.recent) > RECENT_SURE and len(row.recent) > _recent_max(row):
        _forget(row, lateness)
    row.events_seen += 1
    row.changes += 1
    return row


def seal(row: Row, lateness: int) -> None:
    """Drop what no event within the lateness can reach; do so before a row is written."""
    if row.events_seen == 1:
        return  # what the newest event alone has left is in reach
    _forget_late(row, lateness)
    drop_days(row, lateness)
    close_orders(row, lateness)


def _forget_late(row: Row, lateness: int) -> None:
    recent, watermarks = row.recent, row.watermarks
    if len(recent) == 1:
        return  # the newest of all: most customers have no other
    if recent and min(recent.values()) >= max(*watermarks, row.overtaken_until) - lateness:
        return  # by any clock
    # An overtaken event's clock is its own log's time: behind that its like would be late.
    overtaken_until = max(row.overtaken_until, watermarks[0] - WINDOW_DAYS[-1] * DAY)
    # Rows of before hashes had 61 bits have a bit of the hash where "overtaken" stands now.
    clocks = (*watermarks, watermarks[0], overtaken_until, *watermarks[1:])
    late = [h for h, occurred_at in recent.items() if occurred_at < clocks[h & 7] - lateness]
    for hashed in late:
        del recent[hashed]


def _forget(row: Row, lateness: int) -> None:
    """Make room in ``recent``: it is full."""
    _forget_late(row, lateness)
    drop_days(row, lateness)
    if len(row.recent) > _recent_max(row):
        oldest_first = sorted(row.recent.items(), key=lambda item: (item[1], item[0]))
        for hashed, occurred_at in oldest_first[: RECENT_LIMIT // 4]:
            del row.recent[hashed]
            row.forgotten = max(row.forgotten, occurred_at)


def _recent_max(row: Row) -> int:
    """Return how many ids ``row`` has room for."""
    more = len(row.days) // DAY_FIELDS - ROOMY_DAYS
    taken = int(max(more, 0) * DAY_IN_EVENTS) - (-brought_bytes(row) // EVENT_BYTES)
    return max(RECENT_LIMIT - taken, RECENT_SURE)


def remembered(event: Event) -> int:
    """Return 61 bits of the event id's hash and its family."""
    return xxh3_64_intdigest(event.event_id.encode()) & ~7 | event.family


def _purchase(row: Row, event: Purchase) -> None:
    at = event.occurred_at
    row.orders += 1
    row.revenue += event.amount
    if event.cost is not None:
        row.costed_orders += 1
        row.costed_revenue += event.amount
        row.cost += event.cost
    if row.first_purchase_at == NEVER or at < row.first_purchase_at:
        row.first_purchase_at = at
    if at >= row.last_purchase_at:
        row.previous_purchase_at, row.last_purchase_at = row.last_purchase_at, at
    elif at > row.previous_purchase_at:
        row.previous_purchase_at = at
    add_purchase(row, event)
    if event.surroundings is not None:
        engagement.surrounded(_engagement(row), at, event.surroundings)
    open_order(row, event)
    if event.cost is not None or event.details is not None:
        add_margin(row, event)
    if event.details is not None:
        _add_details(row, at, event.details)


def _add_details(row: Row, at: int, details: Details) -> None:
    row.discounted_orders += details.discounted
    if details.checkout_ms != NEVER:
        row.checkouts += 1
        row.checkout_ms += details.checkout_ms
    if details.units != NEVER:
        row.itemed_orders += 1
        row.units += details.units
        add_items(row, at, details)


def _refund(row: Row, event: Refund) -> None:
    row.refunds += 1
    row.refunded += event.amount
    row.units -= event.units
    place = day_at(row.days, event.occurred_at // DAY)
    row.days[place + REFUNDED] += event.amount
    settle(row, event.occurred_at, event.order_id, -event.amount)


def _payment(row: Row, event: Payment) -> None:
    settle(row, event.occurred_at, event.order_id, event.amount)


def _referral(row: Row, event: Referral) -> None:
    row.referrals_sent += 1
    note_brought(row, event)


def _link(row: Row, event: ReferralLink) -> None:
    row.changes += 1
    row.joined = row.joined or event.joined
    row.credited_at = max(row.credited_at, event.occurred_at)
    before = row.referrer
    note_referrer(row, event.occurred_at, event.referrer)
    if note_standing(row, event, before):
        row.credited_at = max(row.credited_at, event.since)


def _credit(row: Row, event: ReferralCredit) -> None:
    if event.level == 1:
        row.referred_customers += event.customers
        row.referred_orders += event.orders
        total = row.referred_revenue + event.revenue
        row.referred_revenue = max(-TOTAL_LIMIT, min(TOTAL_LIMIT, total))
    add_to_level(row, event)
    row.credited_at = max(row.credited_at, event.occurred_at)
    row.changes += event.events


def _lost(row: Row, event: ReferralLost) -> None:
    row.changes += 1
    row.referrals_lost += event.count


def _engagement(row: Row) -> Engagement:
    """Return the part of ``row`` for what is not bought, made if missing."""
    if row.engagement is None:
        row.engagement = Engagement()
    return row.engagement


def _engaging(take: Callable[[Engagement, Any], None]) -> Callable[[Row, Any], None]:
    return lambda row, event: take(_engagement(row), event)


def _cost_after(row: Row, event: AcquisitionCost) -> int:
    return event.amount + (row.engagement.acquisition_cost if row.engagement else 0)


def _sum_after_purchase(row: Row, event: Purchase) -> int:
    return max(row.revenue + event.amount, row.cost + (event.cost or 0))


_BOUNDED: dict[type, Callable[[Row, Any], int]] = {
    Purchase: _sum_after_purchase,
    Refund: lambda row, event: row.refunded + event.amount,
    Payment: lambda *_: 0,
    Referral: lambda row, _: row.referrals_sent,
    AcquisitionCost: _cost_after,
    **dict.fromkeys((Rating, Share, Profile, Exposure), lambda _, __: 0),
}
"""The greatest sum there would be after an event."""

_FOLDS: dict[type, Callable[[Row, Any], None]] = {
    Purchase: _purchase,
    Refund: _refund,
    Payment: _payment,
    Referral: _referral,
    ReferralLink: _link,
    ReferralCredit: _credit,
    ReferralProbe: note_cycle,
    ReferralRing: note_cycle,
    ReferralLost: _lost,
    ReferrerStanding: heed,
    AcquisitionCost: _engaging(engagement.paid),
    Rating: _engaging(engagement.rated),
    Share: _engaging(engagement.shared),
    Profile: _engaging(engagement.profiled),
    Exposure: _engaging(engagement.exposed),
}
