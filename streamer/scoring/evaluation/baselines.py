"""Rules of thumb that need no model; they only put customers in order, so only that is judged.

On CDNOW recency alone ranks all but as well as the best model: it is always told beside it. A
higher figure is a customer more likely to buy.
"""

from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.rhythm import silence_quantile


def recency(customers: Histories) -> Floats:
    """Return −(T − t_x), shape (n,), in the time unit: the shorter the silence, the higher."""
    return customers.t_x - customers.T


def hiatus(customers: Histories) -> Floats:
    """Return −silence / mean gap, shape (n,): the silence counted in the customer's own gaps.

    Customers must have come back (x and t_x above 0): others have no gap of their own.
    """
    return recency(customers) * customers.x / customers.t_x


def shrunk_hiatus(customers: Histories, shape: float, scale: float) -> Floats:
    """Return P(the next gap is longer than the silence), shape (n,), 0 to 1.

    The hiatus with the customer's rhythm shrunk to the shop's: see ``streamer.scoring.rhythm``.

    Args:
        customers: n histories.
        shape: r of the gamma prior of the purchase rate, above 0.
        scale: its α in the time unit, above 0.
    """
    return 1 - silence_quantile(-recency(customers), shape, scale, customers.x, customers.t_x)
