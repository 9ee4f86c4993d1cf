"""The row of a customer who comes with a plain purchase: most customers' first event, at once."""

from streamer.records.events import FAMILIES, Purchase
from streamer.records.instants import DAY, NEVER
from streamer.state.fold import remembered
from streamer.state.orders import open_order
from streamer.state.row import Row

_NOTHING_ELSE = [NEVER] * (FAMILIES - 1)


def is_plain(purchase: Purchase) -> bool:
    """Return whether only the needful is told of ``purchase``."""
    return purchase.details is None and purchase.surroundings is None and purchase.cost is None


def first_row(purchase: Purchase) -> Row:
    """Return what ``fold`` makes of a new row and ``purchase``, a plain one, at half the cost."""
    at, amount = purchase.occurred_at, purchase.amount
    day = at // DAY
    row = Row(
        events_seen=1,
        changes=1,
        watermarks=[at, *_NOTHING_ELSE],
        recent={remembered(purchase): at},
        orders=1,
        revenue=amount,
        first_purchase_at=at,
        last_purchase_at=at,
        occasions=1,
        first_day=day,
        first_day_revenue=amount,
        days=[day, 1, amount, 0],
    )
    open_order(row, purchase)
    return row
