"""Which groups a customer counts in, besides that of everyone: the one place that says so."""

from streamer.scoring.acquisition import channel_of
from streamer.state.row import Row

CHANNEL = "channel:"
"""Before the name of the channel that won the customer."""


def groups_of(row: Row) -> tuple[str, ...]:
    """Return the groups of the customer of ``row``, each once: a kind, a colon and a name.

    A customer of whom no channel is told is in no group of that kind.
    """
    channel = channel_of(row)
    return () if channel is None else (CHANNEL + channel,)
