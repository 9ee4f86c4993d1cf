"""Who brought whom: a referral before the first purchase of the customer that was brought."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import numpy as np
from numpy.random import Generator

from streamer.records.instants import EPOCH
from streamer.simulate.draws import DAY_MS, Integers, stream
from streamer.simulate.events import Event, common, instant
from streamer.simulate.parameters import require_share

LEAD_DAYS_MAX = 14
"""A friend who is told buys within two weeks."""

OVERLAY_SOURCE = "simulated-referral-overlay"
MILLISECOND = timedelta(milliseconds=1)


def referral_tree(
    first_ms: Integers, rate: float, generator: Generator
) -> tuple[Integers, Integers, Integers]:
    """Draw who was brought by whom, and when the referral was made.

    The referrer is any customer who has bought before, each as likely, so there are no cycles.
    The referral is made between the referrer's first purchase and the referee's, at most
    `LEAD_DAYS_MAX` before the latter.

    Args:
        first_ms: Time of each customer's first purchase, rising, shape (customers,).
        rate: Probability that a customer was brought, from 0 to 1.
        generator: The stream of the referrals.

    Returns:
        Time, referrer's index and referee's index of each referral, in time order.
    """
    require_share(referral_rate=rate)
    earlier = np.searchsorted(first_ms, first_ms, side="left")
    chosen = generator.random(len(first_ms)) < rate
    referrers = (generator.random(len(first_ms)) * earlier).astype(np.int64)
    part = generator.random(len(first_ms))
    (referees,) = np.nonzero(chosen & (earlier > 0))
    referrers = referrers[referees]
    lead_ms = np.minimum(first_ms[referees] - first_ms[referrers], LEAD_DAYS_MAX * DAY_MS)
    at_ms = first_ms[referees] - np.maximum((part[referees] * lead_ms).astype(np.int64), 1)
    order = np.argsort(at_ms, kind="stable")
    return at_ms[order], referrers[order], referees[order]


def referral(event_id: str, occurred_at: str, referrer: str, referee: str) -> Event:
    """Give the wire event of a referral whose referee has joined."""
    event = common(event_id, "referral", referrer, occurred_at)
    return event | {"referred_customer_id": referee, "status": "joined"}


def referral_overlay(
    first_purchases: Mapping[str, datetime], seed: int, rate: float
) -> Iterator[Event]:
    """Invent referrals among real customers, each labelled so by its `source`.

    No public data set has both purchases and referrals; this lets one with purchases, such as
    CDNOW, show what referrals do. Nothing measured on it says anything about CDNOW's customers.

    Args:
        first_purchases: Customer → time of the first purchase, with an offset.
        seed: 0 or more.
        rate: Probability that a customer was brought, from 0 to 1.

    Yields:
        Referral events in time order.
    """
    known = sorted((moment, customer) for customer, moment in first_purchases.items())
    names = [customer for _, customer in known]
    first_ms = np.array([(moment - EPOCH) // MILLISECOND for moment, _ in known], dtype=np.int64)
    tree = referral_tree(first_ms, rate, stream(seed, "overlay"))
    for at_ms, referrer, referee in zip(*(column.tolist() for column in tree), strict=True):
        event_id = f"overlay-{seed}-{names[referee]}"
        event = referral(event_id, instant(EPOCH, at_ms), names[referrer], names[referee])
        yield event | {"source": OVERLAY_SOURCE}
