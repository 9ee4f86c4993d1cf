"""What the demo sends: a shop's own file as it stands, or CDNOW's purchases with some additions.

CDNOW's purchases are real (Fader & Hardie 2001). Nobody knows who told whom of that shop, so the
referrals are drawn at random, and say so in their ``source``; so do a few events that are broken.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from heapq import merge
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from streamer.errors import StreamerError
from streamer.files import Layout, read_events, read_lines
from streamer.simulate import referral_overlay

Event = dict[str, Any]

SEED = 1
REFERRED_SHARE = 0.2
PLANTED_SOURCE = "planted-by-streamer-demo"

_encode = msgspec.json.Encoder().encode


class EmptyFileError(StreamerError):
    """The shop's own file holds nothing."""


class Sent(Struct, frozen=True):
    """How many events of each kind are sent, and from where."""

    file: str
    """The shop's own; empty for CDNOW's purchases."""

    events: int
    purchases: int
    simulated_referrals: int
    planted_errors: int


class Feed(Struct, frozen=True):
    """Wire values in event-time order, and how many of each kind are among them."""

    values: list[bytes]
    sent: Sent


class _Told(Struct):
    type: str | None = None
    currency: str | None = None


def own_feed(file: str, currency: str, layout: Layout) -> Feed:
    """Return what a shop's own file says, as ``streamer send`` would send it.

    Raises:
        FileError: it cannot be read as it stands; it names the lines.
        EmptyFileError: it holds nothing.
    """
    values = list(read_lines(file, currency, layout))
    if not values:
        raise EmptyFileError(f"{file} holds no events: name another file.")
    purchases = sum(told.type == "purchase" for told in map(_told, values))
    return Feed(values, Sent(file, len(values), purchases, 0, 0))


def frequent_currency(values: Iterable[bytes]) -> str | None:
    """Return the currency that most of the events name."""
    named = Counter(told.currency for told in map(_told, values) if told.currency)
    return named.most_common(1)[0][0] if named else None


def _told(value: bytes) -> _Told:
    try:
        return msgspec.json.decode(value, type=_Told)
    except msgspec.DecodeError:  # the worker says what is wrong with it
        return _Told()


def feed(transactions: Path) -> Feed:
    """Return what is made of a file of CDNOW's."""
    purchases = list(read_events(str(transactions)))
    first: dict[str, datetime] = {}
    for event in purchases:
        first.setdefault(event["customer_id"], _instant(event))
    referrals = list(referral_overlay(first, SEED, REFERRED_SHARE))
    values = [_encode(event) for event in merge(purchases, referrals, key=_instant)]
    planted = [spoil(event) for spoil, event in zip(WAYS, purchases, strict=False)]
    values = _spread(planted, values)
    return Feed(values, Sent("", len(values), len(purchases), len(referrals), len(planted)))


def _instant(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred_at"])


def _spread(planted: list[bytes], values: list[bytes]) -> list[bytes]:
    """Return ``values`` with the planted ones at even distances in their first half."""
    distance = len(values) // (2 * len(planted) + 2)
    for number, value in reversed(list(enumerate(planted, start=1))):
        values.insert(number * distance, value)
    return values


def _planted(event: Event, number: int, **changes: object) -> bytes:
    changed = event | changes
    return _encode(changed | {"event_id": f"planted-{number}", "source": PLANTED_SOURCE})


def _without(event: Event, *names: str) -> Event:
    return {name: value for name, value in event.items() if name not in names}


Spoil = Callable[[Event], bytes]
WAYS: Iterable[Spoil] = (
    lambda event: _planted(event, 1)[:-20],
    lambda event: _planted(event, 2, amount="-5.00"),
    lambda event: _planted(event, 3, amount="12,50"),
    lambda event: _planted(event, 4, currency="XTS"),
    lambda event: _planted(event, 5, type="purchased"),
    lambda event: _planted(event, 6, occurred_at="2999-01-01T00:00:00Z"),
    lambda event: _planted(_without(event, "customer_id"), 7),
    lambda event: _planted(event, 8, type="referral", referred_customer_id=event["customer_id"]),
)
"""How the planted events are broken: each a mistake that producers do make."""
