"""What a customer's row owes its referrer, told to the referrer's row as differences.

The referrer's sums are exact because each difference is sent once, in the transaction that
changed the brought customer's row (Kumar, Petersen & Leone 2007 call the sum referral value).
"""

from typing import NamedTuple

from streamer.records.events import Event, Referral, ReferralCredit, ReferralLink
from streamer.state.row import Row


class Standing(NamedTuple):
    """What a row is worth to its referrer at one moment."""

    referrer: str
    revenue: int
    orders: int
    customers: int
    events: int


def standing(row: Row) -> Standing:
    """Return what ``row`` is worth to its referrer now."""
    return Standing(
        row.referrer,
        row.revenue - row.refunded,
        row.orders,
        int(row.joined or row.orders > 0),
        row.orders + row.refunds + row.joined,
    )


def credits_between(event: Event, row: Row, before: Standing) -> list[ReferralCredit]:
    """Return the credits for what ``event`` changed in ``row``, which stood at ``before``.

    Their event time is that of the brought customer's latest purchase or refund, so that it does
    not depend on what came first, the purchases or the referral.
    """
    after = standing(row)

    def credit(referrer: str, one: Standing, other: Standing, events: int) -> ReferralCredit:
        return ReferralCredit(
            event_id=event.event_id,
            customer_id=referrer,
            occurred_at=row.watermarks[0],
            referred_customer_id=event.customer_id,
            revenue=other.revenue - one.revenue,
            orders=other.orders - one.orders,
            customers=other.customers - one.customers,
            events=events,
        )

    nothing = Standing("", 0, 0, 0, 0)
    if before.referrer == after.referrer:
        if not after.referrer or before == after:
            return []
        return [credit(after.referrer, before, after, after.events - before.events)]
    told = []
    if before.referrer and before.events:
        told.append(credit(before.referrer, before, nothing, 1))
    if after.events:
        told.append(credit(after.referrer, nothing, after, after.events))
    return told


def link_of(event: Referral) -> ReferralLink:
    """Return what the referred customer's row is told of ``event``."""
    return ReferralLink(
        event_id=event.event_id,
        customer_id=event.referred_customer_id,
        occurred_at=event.occurred_at,
        referrer=event.customer_id,
        joined=event.joined,
    )
