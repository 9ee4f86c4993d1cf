"""What was told of a customer last, where the next telling depends on it.

A row is a function of the set of its customer's events. What was *announced* is not: it depends on
which scores were made, so on batches. It is therefore kept beside the row, not in it, as a record
of its own in the changelog, written in the transaction that tells, and only when it changes. So a
band crossed in silence, which writes no row, is announced exactly once too.
"""

from msgspec import Struct

from streamer.records.instants import LAST, NEVER


class Told(Struct, array_like=True, frozen=True):
    """Announcements of one customer. New fields go to the end and have defaults, as in rows."""

    segments: str = ""
    """Of which the customer is a member, joined (see ``scoring.segments``)."""
    actions: tuple[str, ...] = ()
    """The recommended ones, ranked: names with versions."""
    suggested_at: int = NEVER
    """Since when the first of them stands: its event time."""
    deadline: int = LAST
    """Of the first."""
    orders: int = 0
    """When the first was suggested: more of them since are its success."""
    suggestions: tuple[int, ...] = ()
    """Event times of the last new suggestions that the cap counts."""
    returned: tuple[int, ...] = ()
    """When the customer came back from a lapse: what those it brought are told, and as of when; of
    its last return, whether or not it had brought anybody (see ``pipeline.standing``)."""


NOTHING = Told()
"""Of a customer of whom nothing was told."""
