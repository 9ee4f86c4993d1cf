"""Customers who brought each other, in a cycle: found, so that nobody is credited for itself.

Whoever's link changes sends a probe up the chain. If it comes back, all its links stood as it
passed, and a message goes once round the cycle, which each member notes. A member whose link has
changed since sends another that takes it back, the same way round and so behind the first: rows
hear from a row in the order in which it spoke. A link only ever becomes an earlier one, so a cycle
that was broken never comes back.

Cycles longer than ``LEVELS`` are not looked for: no credit gets round them.
"""

from streamer.records.events import (
    LEVELS,
    InternalEvent,
    ReferralLink,
    ReferralProbe,
    ReferralRing,
)
from streamer.state.row import Row

Links = tuple[tuple[str, int], ...]


def note_cycle(row: Row, event: ReferralProbe | ReferralRing) -> None:
    """Note in ``row`` the cycle that ``event`` has found, or forget the one that it takes back."""
    links = _links_of(event)
    cycle = _from(links, min(links)[0])
    if _closed(event):
        if _stands(row, event.customer_id, links) and row.cycle != cycle:
            row.cycle = cycle
            row.credited_at = max(row.credited_at, event.occurred_at)
            row.changes += 1
    elif type(event) is ReferralRing and row.cycle == cycle:
        row.cycle = []
        row.changes += 1


def rings(
    event: ReferralLink | ReferralProbe | ReferralRing, row: Row, before: tuple[str, int]
) -> list[InternalEvent]:
    """Return what others are told after ``event`` was folded into ``row``.

    ``before`` are referrer and time of the row's link until then.
    """
    if isinstance(event, ReferralLink):
        return _link_changed(event, row) if before != (row.referrer, row.referred_at) else []
    if isinstance(event, ReferralProbe) and event.path[0][0] != event.customer_id:
        return _probe_on(event, row)
    links, me = _links_of(event), event.customer_id
    if not _closed(event) or _stands(row, me, links):
        return _round(event.event_id, links, me, closed=_closed(event))
    if isinstance(event, ReferralProbe):
        return []
    return _round(event.event_id, tuple(_from(links, me)), me, closed=False)


def _probe_on(event: ReferralProbe, row: Row) -> list[InternalEvent]:
    """Return ``event`` for the next up the chain, unless it ends or it runs round elsewhere."""
    me, path = event.customer_id, event.path
    if not row.referrer or len(path) == LEVELS or any(who == me for who, _ in path):
        return []
    return [ReferralProbe(event.event_id, row.referrer, (*path, (me, row.referred_at)))]


def _link_changed(event: ReferralLink, row: Row) -> list[InternalEvent]:
    me = event.customer_id
    told: list[InternalEvent] = []
    if row.cycle:
        told += _round(event.event_id, tuple(_from(tuple(row.cycle), me)), me, closed=False)
        row.cycle = []
    path = ((me, row.referred_at),)
    told.append(ReferralProbe(event.event_id, row.referrer, path))
    return told


def _links_of(event: ReferralProbe | ReferralRing) -> Links:
    return event.path if isinstance(event, ReferralProbe) else event.members


def _closed(event: ReferralProbe | ReferralRing) -> bool:
    if isinstance(event, ReferralProbe):
        return event.path[0][0] == event.customer_id
    return event.closed


def _stands(row: Row, me: str, links: Links) -> bool:
    """Return whether the link of ``me`` is still as ``links`` say."""
    (_, at), (referrer, _) = _from(links, me)[:2]
    return (row.referrer, row.referred_at) == (referrer, at)


def _from(links: Links, first: str) -> list[tuple[str, int]]:
    """Return ``links`` turned so that they begin with ``first``."""
    place = next(place for place, (who, _) in enumerate(links) if who == first)
    return [*links[place:], *links[:place]]


def _round(event_id: str, links: Links, me: str, *, closed: bool) -> list[InternalEvent]:
    """Return the message to the member after ``me``, unless it went round to the first."""
    following = _from(links, me)[1][0]
    if following == links[0][0]:
        return []
    return [ReferralRing(event_id, following, links, closed)]
