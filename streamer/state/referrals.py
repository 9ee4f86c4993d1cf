"""What a customer's row owes its referrer, told to the referrer's row as differences.

A referrer passes on what it is told, to its own referrer one level higher, up to ``LEVELS``.

The referrer's sums are exact because each difference is sent once, in the transaction that
changed the brought customer's row (Kumar, Petersen & Leone 2007 call the sum referral value).
"""

from typing import NamedTuple

from msgspec.structs import replace

from streamer.records.events import (
    LEVELS,
    Erasure,
    Event,
    InternalEvent,
    Referral,
    ReferralCredit,
    ReferralLink,
    ReferralLost,
)
from streamer.records.instants import NEVER
from streamer.records.money import TOTAL_LIMIT
from streamer.state.row import Row

RIVALS_MAX = 4
"""Those beyond are not told that they came too late."""

LEVEL_FIELDS = 4
CUSTOMERS, REVENUE, EVENTS, LATEST = range(LEVEL_FIELDS)
"""Places of a level's figures in ``Row.generations``."""


class Standing(NamedTuple):
    """What a row is worth to its referrer at one moment."""

    referrer: str
    revenue: int
    orders: int
    customers: int
    events: int
    referred_at: int


def standing(row: Row) -> Standing:
    """Return what ``row`` is worth to its referrer now."""
    return Standing(
        row.referrer,
        row.revenue - row.refunded,
        row.orders,
        int(row.joined or row.orders > 0),
        row.orders + row.refunds + row.joined,
        row.referred_at,
    )


def credits_between(event: Event, row: Row, before: Standing) -> list[ReferralCredit]:
    """Return the credits for what ``event`` changed in ``row``, which stood at ``before``.

    Their event time is that of the brought customer's latest purchase or refund, or of the
    referral, so that it does not depend on which came first.
    """
    after = standing(row)

    def credit(to: Standing, one: Standing, other: Standing, events: int) -> ReferralCredit:
        return ReferralCredit(
            event_id=event.event_id,
            customer_id=to.referrer,
            occurred_at=max(row.watermarks[0], row.referred_at),
            referred_customer_id=event.customer_id,
            revenue=other.revenue - one.revenue,
            orders=other.orders - one.orders,
            customers=other.customers - one.customers,
            events=events,
            referred_at=to.referred_at,
        )

    nothing = Standing("", 0, 0, 0, 0, NEVER)
    if before.referrer == after.referrer:
        if not after.referrer or before[:-1] == after[:-1]:
            return []
        return [credit(after, before, after, after.events - before.events)]
    told = []
    if before.referrer and before.events:
        told.append(credit(before, before, nothing, 1))
    if after.referrer and after.events:
        told.append(credit(after, nothing, after, after.events))
    return told


def note_referrer(row: Row, at: int, referrer: str) -> None:
    """Note who named the customer: the earliest wins; of two at one instant, the lesser id."""
    named = {who: when for when, who in row.rivals}
    if row.referrer:
        named[row.referrer] = row.referred_at
    named[referrer] = min(at, named.get(referrer, at))
    first, *others = sorted((when, who) for who, when in named.items())
    row.referred_at, row.referrer = first
    # Times only become earlier, so the earliest stay whatever the order of arrival.
    row.rivals = others[:RIVALS_MAX]


def add_to_level(row: Row, event: ReferralCredit) -> None:
    """Count a credit at its level of the chain."""
    kept, place = row.generations, (event.level - 1) * LEVEL_FIELDS
    while len(kept) < place + LEVEL_FIELDS:
        kept += (0, 0, 0, NEVER)
    kept[place + CUSTOMERS] += event.customers
    total = kept[place + REVENUE] + event.revenue
    kept[place + REVENUE] = max(-TOTAL_LIMIT, min(TOTAL_LIMIT, total))
    kept[place + EVENTS] += event.events
    kept[place + LATEST] = max(kept[place + LATEST], event.occurred_at)


def passed_on(event: ReferralCredit, row: Row) -> list[ReferralCredit]:
    """Return what the referrer of ``row``, if any, is told of ``event``, a credit to ``row``."""
    if not row.referrer or event.level == LEVELS:
        return []
    at = max(event.occurred_at, row.referred_at)
    referred = {"customer_id": row.referrer, "referred_at": row.referred_at}
    return [replace(event, occurred_at=at, orders=0, level=event.level + 1, **referred)]


def moved(event: ReferralLink | Erasure, row: Row, before: Standing) -> list[ReferralCredit]:
    """Return the credits for all that ``row`` was credited, if ``event`` changed its referrer.

    For who loses it that is one event more: ``events`` never falls, as revisions rise with it.
    """
    if before.referrer == row.referrer:
        return []
    told = []
    for level in range(1, len(row.generations) // LEVEL_FIELDS + 1):
        place = (level - 1) * LEVEL_FIELDS
        customers, revenue, events, latest = row.generations[place : place + LEVEL_FIELDS]
        if level == LEVELS or not events:
            continue
        for referrer, referred_at, sign, heard in (
            (before.referrer, before.referred_at, -1, 1),
            (row.referrer, row.referred_at, 1, events),
        ):
            if referrer:
                told.append(
                    ReferralCredit(
                        event_id=event.event_id,
                        customer_id=referrer,
                        occurred_at=max(latest, row.referred_at),
                        referred_customer_id=event.customer_id,
                        revenue=sign * revenue,
                        orders=0,
                        customers=sign * customers,
                        events=heard,
                        level=level + 1,
                        referred_at=referred_at,
                    )
                )
    return told


def lost_and_found(
    event: ReferralLink | Erasure, row: Row, before: list[tuple[int, str]]
) -> list[InternalEvent]:
    """Return what referrers are told whom ``event`` made rivals of ``row``, or no rivals any more.

    ``before`` are the rivals until then.
    """
    were, are = {who for _, who in before}, {who for _, who in row.rivals}
    counts = [(who, 1) for who in sorted(are - were)] + [(who, -1) for who in sorted(were - are)]
    return [ReferralLost(event.event_id, who, count) for who, count in counts]


def link_of(event: Referral, standing: int, since: int) -> ReferralLink:
    """Return what the referred customer's row is told of ``event`` and the referrer's standing."""
    return ReferralLink(
        event_id=event.event_id,
        customer_id=event.referred_customer_id,
        occurred_at=event.occurred_at,
        referrer=event.customer_id,
        joined=event.joined,
        standing=standing,
        since=since,
    )
