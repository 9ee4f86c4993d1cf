"""What a customer's row owes its referrer, told to the referrer's row as differences.

The referrer's sums are exact because each difference is sent once, in the transaction that
changed the brought customer's row (Kumar, Petersen & Leone 2007 call the sum referral value).
"""

from typing import NamedTuple

from streamer.records.events import Event, ReferralCredit, ReferralLink, Referral
from streamer.records.instants import NEVER
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


def credited_at(row: Row, event: Event) -> int:
    """Return the event time of the credits that ``event`` causes.

    It must not depend on what came first, the purchases or the referral: so it is the brought
    customer's latest purchase or refund, or the moment of joining.
    """
    joined_at = event.occurred_at if isinstance(event, ReferralLink) and event.joined else NEVER
    return max(row.watermarks[0], joined_at)


def credits_between(
    customer_id: str, before: Standing, after: Standing, cause: str, at: int
) -> list[ReferralCredit]:
    """Return the credits for a change of the standing of ``customer_id``.

    Args:
        customer_id: the brought customer.
        before: its standing before the event.
        after: its standing after it.
        cause: the event's id.
        at: the credits' event time, see ``credited_at``.
    """

    def credit(referrer: str, one: Standing, other: Standing, events: int) -> ReferralCredit:
        return ReferralCredit(
            event_id=cause,
            customer_id=referrer,
            occurred_at=at,
            referred_customer_id=customer_id,
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
    credits = []
    if before.referrer and before.events:
        credits.append(credit(before.referrer, before, nothing, 1))
    if after.events:
        credits.append(credit(after.referrer, nothing, after, after.events))
    return credits


def link_of(event: Referral) -> ReferralLink:
    """Return what the referred customer's row is told of ``event``."""
    return ReferralLink(
        event_id=event.event_id,
        customer_id=event.referred_customer_id,
        occurred_at=event.occurred_at,
        referrer=event.customer_id,
        joined=event.joined,
    )
