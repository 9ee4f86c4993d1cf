"""Whom a customer brought is told when it lapses and when it is back (V6): by a number that rises.

The rules:

- A row keeps the first few customers that it named, by time and id. Times only become earlier, so
  the order of arrival does not show.
- The number is twice what only rises with the referrer (its orders, the model's generation), and
  one more if it has lapsed. Who was brought keeps the greatest of its present referrer: what comes
  twice or late changes nothing.
- Its rise is added to ``changes``, as revisions rise with them. What is told depends on the
  referrer's last crossing alone, so it does not matter how many came before it in one batch.
- Being told moves nobody's band, so nobody tells it on.
"""

from streamer.records.events import Referral, ReferralLink, ReferrerStanding
from streamer.state.row import Row

BROUGHT_MAX = 16
"""Those beyond are not told."""

BROUGHT_BYTES = 768
"""Of their ids: whose begins beyond is not told either."""

_NAMED_BYTES = 12
"""What a name takes besides."""


def note_brought(row: Row, event: Referral) -> None:
    """Note whom the customer of ``row`` has named."""
    named = {who: when for when, who in row.brought}
    who, at = event.referred_customer_id, event.occurred_at
    named[who] = min(at, named.get(who, at))
    row.brought, room = [], BROUGHT_BYTES
    # Ahead of who has no room there are only ever more: it gets none unless named earlier itself.
    for when, one in sorted((when, one) for one, when in named.items())[:BROUGHT_MAX]:
        if room > 0:
            row.brought.append((when, one))
        room -= len(one.encode())


def brought_bytes(row: Row) -> int:
    """Return how much of an encoded ``row`` is the names of whom it has brought."""
    return sum(len(who.encode()) + _NAMED_BYTES for _, who in row.brought)


def note_standing(row: Row, event: ReferralLink | ReferrerStanding, before: str) -> bool:
    """Note what ``event`` tells of the referrer of ``row``; return whether that is new.

    ``before`` is who was the referrer until the event.
    """
    if row.referrer != before:
        row.referrer_standing = 0
    rise = event.standing - row.referrer_standing
    if event.referrer != row.referrer or rise <= 0:
        return False
    row.referrer_standing = event.standing
    row.changes += rise
    return True


def heed(row: Row, event: ReferrerStanding) -> None:
    """Note in ``row`` that its referrer has lapsed or is back."""
    if event.anew and event.standing % 2 == row.referrer_standing % 2:
        return
    if note_standing(row, event, row.referrer):
        row.credited_at = max(row.credited_at, event.occurred_at)
