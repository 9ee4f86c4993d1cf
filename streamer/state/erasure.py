"""Forgetting a customer: what stays, what is taken back from others, and what does not count after.

The rule: after an erasure all other rows are as if nothing the customer did up to its instant had
ever been; what has risen with it (revisions, instants of credits) stays risen.

- What stays is ``Erased``: an instant and counters, no figure of the customer. It is kept under a
  hash of the id for good, for nobody can know when the last copy of an old event has been read.
- What happened up to the instant counts no more, whenever and how often it is read. What happened
  after it is of a new customer; its revisions go on where those of the erased one ended.
- What was read *before* the erasure goes with the rest, even if it happened after it: sums cannot
  be taken apart. Then the instant is that of the latest, so that no copy of it comes back either.
- Who brought the customer loses that credit: it is worth what is known of those it brought.
- Whom the customer has named forgets it. The next earliest who named them has brought them then.
- Who has named the customer forgets that, even if the name is read only now.
"""

from msgspec import Struct

from streamer.records.events import (
    Erasure,
    Event,
    InternalEvent,
    ReferralCredit,
    ReferralLink,
    ReferralLost,
    ReferralProbe,
    ReferralRing,
    ReferrerErased,
    ReferrerStanding,
)
from streamer.records.instants import NEVER
from streamer.state.cycles import rings
from streamer.state.referrals import credits_between, lost_and_found, moved, standing
from streamer.state.row import Row


class Erased(Struct, array_like=True, frozen=True):
    """All that is kept of an erased customer. New fields go to the end and have defaults."""

    erased_at: int
    changes: int
    """Behind those of all its scores: revisions go on from here."""
    applied: list[int]
    """As in ``Row``."""


def erased(row: Row, event: Erasure, source: int, offset: int) -> Erased:
    """Return what stays of ``row`` after ``event``, the record at ``offset`` of its ``source``."""
    applied = list(row.applied)
    applied[source] = offset
    until = max(event.occurred_at, *row.watermarks, row.paid_at)
    return Erased(until, row.changes + 1, applied)


def newcomer(known: Erased | None) -> Row:
    """Return the row of a customer that has none, of whom ``known`` has stayed."""
    if known is None:
        return Row()
    return Row(applied=list(known.applied), changes=known.changes, erased_at=known.erased_at)


def is_forgotten(row: Row, event: Event) -> bool:
    """Return whether ``event`` is of the time before the customer of ``row`` was last erased."""
    return row.erased_at != NEVER and _began(row, event) <= row.erased_at


def _began(row: Row, event: Event) -> int:
    """Return when what ``event`` tells of its customer began."""
    if isinstance(event, ReferralCredit | ReferrerStanding):
        return event.referred_at
    if isinstance(event, ReferralProbe):
        return event.path[-1][1]
    if isinstance(event, ReferralRing | ReferralLost):
        # They do not say, but are only of customers who have named somebody since.
        return row.watermarks[1]
    return event.occurred_at


def answers(event: Event, row: Row) -> list[InternalEvent]:
    """Return what is told when ``event`` is of the time before the erasure.

    A message round a cycle of customers ends here: they did not bring each other after all.
    """
    return rings(event, row, ("", NEVER)) if isinstance(event, ReferralRing) else []


def partings(event: Erasure, row: Row) -> list[InternalEvent]:
    """Return what others, one by one, are told when ``row`` goes: their credits are taken back."""
    before = standing(row)
    orphan = Row(generations=row.generations)
    return [
        *credits_between(event, orphan, before),
        *moved(event, orphan, before),
        *lost_and_found(event, orphan, row.rivals),
    ]


def farewell(event: Erasure, known: Erased) -> ReferrerErased:
    """Return what every partition is told of who has named others."""
    return ReferrerErased(event.event_id, event.customer_id, known.erased_at)


def forget_referrer(row: Row, event: ReferrerErased, customer_id: str) -> ReferralLink | None:
    """Take the erased one out of the row of ``customer_id``, if it is there.

    Returns:
        The link to who has brought the customer instead, to be folded; None if nobody has, or
        somebody else had anyway.
    """
    gone, until = event.customer_id, event.occurred_at
    rivals = [(at, who) for at, who in row.rivals if who != gone or at > until]
    named = [(at, who) for at, who in row.brought if who != gone or at > until]
    brought = row.referrer == gone and row.referred_at <= until
    ringed = any(who == gone for who, _ in row.cycle)
    known = brought or ringed or len(rivals) < len(row.rivals) or len(named) < len(row.brought)
    if not known:
        return None
    row.changes += 1
    row.rivals, row.brought = rivals, named
    if ringed:
        row.cycle = []
    if not brought:
        return None
    row.referrer, row.referred_at, row.referrer_standing = "", NEVER, 0
    if not rivals:
        return None
    at, who = rivals[0]
    return ReferralLink(event.event_id, customer_id, at, who, joined=False)
