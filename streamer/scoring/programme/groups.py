"""Which groups a customer counts in, besides that of everyone: the one place that says so."""

from collections.abc import Iterable

from streamer.scoring.acquisition import channel_of
from streamer.state.row import Row

CHANNEL = "channel:"
"""Before the name of the channel that won the customer."""

SEGMENT = "segment:"
"""Before the name of a segment that the customer was last told to be in."""


def groups_of(row: Row, segments: Iterable[str] = ()) -> tuple[str, ...]:
    """Return the groups of the customer of ``row``, each once: a kind, a colon and a name.

    A customer of whom no channel is told is in no group of that kind.

    Args:
        row: of the customer.
        segments: that the customer was last told to be in.
    """
    channel = channel_of(row)
    by_channel = () if channel is None else (CHANNEL + channel,)
    return by_channel + tuple([SEGMENT + name for name in segments])
