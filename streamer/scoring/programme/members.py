"""What of a customer's row the programme measures count."""

from collections.abc import Sequence

from msgspec import Struct

from streamer.state.row import Row

ALL = "all"
"""The group of everyone."""


class Member(Struct, frozen=True):
    """A customer as it stands; later folds of its row do not change it."""

    first_day: int
    occasions: int
    orders: int
    revenue: int
    refunded: int
    days: tuple[int, ...]
    """Of the row, flat (see ``state.windows``)."""
    value: int | None
    """Lifetime value in millionths, earned and predicted; None where it is not known."""
    groups: tuple[str, ...]


def member_of(row: Row, value: int | None = None, groups: Sequence[str] = ()) -> Member | None:
    """Return what counts of ``row``; None before the first purchase.

    Args:
        row: of the customer, who may have no purchase yet.
        value: lifetime value as published last, in millionths; None where it is not known.
        groups: that the customer is in now, besides ``ALL``, each once.
    """
    if not row.orders:
        return None
    return Member(
        row.first_day,
        row.occasions,
        row.orders,
        row.revenue,
        row.refunded,
        tuple(row.days),
        value,
        (ALL, *groups),
    )
