"""What a row tells other rows of an event: links, credits, cycles, and who came too late."""

from typing import NamedTuple

from streamer.records.events import (
    Event,
    InternalEvent,
    Referral,
    ReferralCredit,
    ReferralLink,
    ReferralProbe,
    ReferralRing,
)
from streamer.records.instants import NEVER
from streamer.state.cycles import rings
from streamer.state.referrals import (
    Standing,
    credits_between,
    link_of,
    lost_and_found,
    moved,
    passed_on,
    standing,
)
from streamer.state.row import Row


class Before(NamedTuple):
    """What a row said of its referral before an event."""

    standing: Standing
    referred_at: int
    rivals: list[tuple[int, str]]


def before_of(row: Row) -> Before:
    """Return what ``row`` says of its referral now; it may go on changing."""
    return Before(standing(row), row.referred_at, row.rivals)


def messages_of(
    event: Event, row: Row, before: Before | None, standing: tuple[int, int] = (0, NEVER)
) -> list[InternalEvent]:
    """Return what other rows are told of ``event``, which was folded into ``row``.

    Args:
        event: of the customer.
        row: of the customer.
        before: None where the customer has no referrer and the event is none of streamer's own.
        standing: which a link carries, and as of when.
    """
    told: list[InternalEvent] = [link_of(event, *standing)] if isinstance(event, Referral) else []
    if before is None:
        return told
    told += credits_between(event, row, before.standing)
    if isinstance(event, ReferralCredit):
        told += passed_on(event, row)
    elif isinstance(event, ReferralLink):
        told += moved(event, row, before.standing)
        told += lost_and_found(event, row, before.rivals)
    if isinstance(event, ReferralLink | ReferralProbe | ReferralRing):
        told += rings(event, row, (before.standing.referrer, before.referred_at))
    return told
