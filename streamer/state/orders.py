"""Orders and what was paid for them (V5): sets of purchases and settlements, matched on demand.

The rules:

- An order is paid in full at the first instant at which its payments and refunds together come to
  its amount. If they are refunds alone it is cancelled: neither paid nor unpaid.
- What happened up to ``FOLLOWED_DAYS`` before or after the purchase counts. Then, when nothing
  within the lateness can come any more, what became of the order goes into sums.
- Purchases with one order id are paid one after another, the earliest first.
- At most ``ORDERS_MAX`` orders are open. Of more, the oldest are given up and count nowhere.

Because purchases and settlements are kept and matched only when asked, no order of arrival shows.
"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from xxhash import xxh3_64_intdigest

from streamer.records.events import Purchase
from streamer.records.instants import DAY, NEVER, SECOND
from streamer.state.row import Row

FOLLOWED_DAYS = 120
ORDERS_MAX = 128
"""And as many settlements: at most 20 bytes each."""

ROUNDING = 10
"""Millionths that may be missing: parts are converted and rounded one by one."""

_FOLLOWED = FOLLOWED_DAYS * DAY // SECOND
_ORDER, _SETTLEMENT = 4, 3
"""Numbers of an entry."""
_HASH_BITS = 0xFFFF_FFFF


class Outcome(NamedTuple):
    """What became of an order. Seconds since 1970."""

    at: int
    due: int
    """``NEVER`` if it did not say, or said later than it is followed."""
    paid_at: int
    """At or after ``at``; ``NEVER`` if unpaid."""
    cancelled: bool


class Payments(NamedTuple):
    """Of a row at an instant."""

    paid: int
    seconds: int
    """Sum over the paid orders, from purchase to full payment."""
    overdue: int


def open_order(row: Row, purchase: Purchase) -> None:
    """Follow ``purchase``; one that is free needs no payment."""
    if not purchase.amount:
        return
    at, due = purchase.occurred_at // SECOND, NEVER
    if purchase.details is not None and purchase.details.due_at != NEVER:
        row.due_orders += 1
        due = purchase.details.due_at // SECOND
        due = due if due <= at + _FOLLOWED else NEVER
    _insert(row.open_orders, (at, _hash(purchase.order_id), purchase.amount, due))


def settle(row: Row, occurred_at: int, order_id: str, amount: int) -> None:
    """Note that ``amount`` was paid for an order, or refunded if below zero."""
    if amount:
        _insert(row.settlements, (occurred_at // SECOND, _hash(order_id), amount))


def payments(row: Row, as_of: int) -> Payments:
    """Return what was paid and what is overdue at ``as_of``, microseconds since 1970."""
    paid, seconds, overdue = row.orders_paid, row.payment_seconds, row.orders_overdue
    for outcome in _outcomes(_entries(row.open_orders, _ORDER), _by_order(row.settlements)):
        if outcome.paid_at != NEVER:
            paid += 1
            seconds += outcome.paid_at - outcome.at
        elif not outcome.cancelled and NEVER < outcome.due * SECOND < as_of:
            overdue += 1
    return Payments(paid, seconds, overdue)


def close_orders(row: Row, lateness: int) -> None:
    """Put into sums what became of the orders that nothing within the lateness can change."""
    reach = (row.watermarks[0] - lateness) // SECOND - _FOLLOWED
    orders, settlements = row.open_orders, row.settlements
    if orders and orders[0] < reach:
        entries = list(_entries(orders, _ORDER))
        closing = [entry for entry in entries if entry[0] < reach]
        _close(row, closing)
        orders[:] = chain.from_iterable(entries[len(closing) :])
    # What is left may belong to a purchase that comes up to so much later.
    if settlements and settlements[0] < reach - _FOLLOWED:
        kept = (entry for entry in _entries(settlements, _SETTLEMENT))
        settlements[:] = chain.from_iterable(e for e in kept if e[0] >= reach - _FOLLOWED)


def exceeds(row: Row) -> bool:
    """Return whether more is kept than may be."""
    return (
        len(row.open_orders) > ORDERS_MAX * _ORDER
        or len(row.settlements) > ORDERS_MAX * _SETTLEMENT
    )


def make_room(row: Row, lateness: int) -> None:
    """Close what can be closed; if that is not enough, give the oldest up."""
    close_orders(row, lateness)
    del row.open_orders[: -ORDERS_MAX * _ORDER]
    del row.settlements[: -ORDERS_MAX * _SETTLEMENT]


_Entry = tuple[int, ...]
_Settlements = dict[int, list[list[int]]]
"""By hash of the order's id: second and what of the amount no purchase has taken yet."""


def _close(row: Row, closing: list[_Entry]) -> None:
    settlements = _by_order(row.settlements)
    for outcome in _outcomes(iter(closing), settlements):
        if outcome.paid_at != NEVER:
            row.orders_paid += 1
            row.payment_seconds += outcome.paid_at - outcome.at
        elif not outcome.cancelled and outcome.due != NEVER:
            row.orders_overdue += 1
    left = [
        (at, order, amount)
        for order, of_order in settlements.items()
        for at, amount in of_order
        if amount
    ]
    row.settlements[:] = chain.from_iterable(sorted(left))


def _outcomes(orders: Iterator[_Entry], settlements: _Settlements) -> Iterator[Outcome]:
    """Match ``orders``, in the order of time, and take what they need from ``settlements``."""
    for at, order, amount, due in orders:
        owed, is_paid, paid_at = amount, False, NEVER
        for settlement in settlements.get(order, ()):
            when, left = settlement
            if not left or abs(when - at) > _FOLLOWED:
                continue
            taken = min(abs(left), owed)
            settlement[1] -= taken if left > 0 else -taken
            owed -= taken
            is_paid = is_paid or left > 0
            if owed <= ROUNDING:
                paid_at = max(when, at)
                break
        done = paid_at != NEVER
        yield Outcome(at, due, paid_at if is_paid else NEVER, done and not is_paid)


def _by_order(settlements: list[int]) -> _Settlements:
    found: _Settlements = defaultdict(list)
    for at, order, amount in _entries(settlements, _SETTLEMENT):
        found[order].append([at, amount])
    return found


def _entries(flat: list[int], width: int) -> Iterator[_Entry]:
    numbers = iter(flat)
    return zip(*[numbers] * width, strict=True)


def _insert(flat: list[int], entry: _Entry) -> None:
    """Put ``entry`` into its place; nearly always that is the end."""
    in_order = not flat or flat[-len(entry)] < entry[0]
    flat += entry
    if not in_order:
        flat[:] = chain.from_iterable(sorted(_entries(flat, len(entry))))


def _hash(order_id: str) -> int:
    return xxh3_64_intdigest(order_id.encode()) & _HASH_BITS
