"""What a score is compared with to explain it: the same customer just before the cause.

That is the customer's history as it was before the event, at its own instant, or at the band
crossed since then; in silence, the same history at the instant before. So it is a function of what
there is when a score is made, and a replay tells the same.
"""

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from streamer.records.scores import Cause
from streamer.scoring.bands import last_crossings, latest
from streamer.scoring.columns import Earlier, PurchaseColumns, purchases_of
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import Instants


class Comparison(Struct, frozen=True):
    """What k of n scores are compared with."""

    nulls: list[str | None]
    """Why there is nothing to compare with, of all n; None where there is."""
    places: list[int]
    """Of the k among the n, rising."""
    since: Instants
    """As of when each earlier score is, shape (k,)."""
    before: PurchaseColumns
    """The earlier history, at ``since``."""
    just_before: PurchaseColumns
    """The earlier history, seen from the score's own instant."""


def compared(
    earlier: Sequence[Earlier | None],
    causes: Sequence[Cause],
    as_of: Instants,
    row_crossings: Instants,
    parameters: ScoringParameters,
) -> Comparison:
    """Return what n scores are compared with.

    Args:
        earlier: what each row said before its event; None where there is none.
        causes: of the scores.
        as_of: their instants, shape (n,).
        row_crossings: of the rows, see ``bands.crossings_of``; shape (n, 3).
        parameters: of the scores.
    """
    nulls = [
        "new_model" if cause.kind == "model" else None if one and one.orders else "nothing_before"
        for one, cause in zip(earlier, causes, strict=True)
    ]
    places = [place for place, null in enumerate(nulls) if null is None]
    rows = [one for one, null in zip(earlier, nulls, strict=True) if one and not null]
    silent = np.array([causes[place].kind == "silence" for place in places], dtype=bool)
    until = as_of[places]
    bought = purchases_of(rows, until)
    own = np.array([one.as_of for one in rows], dtype=np.int64)
    if silent.any():
        told, woken = np.empty_like(own), ~silent
        # In silence the crossing at hand is the score itself, at an event it was told before.
        told[silent] = latest(row_crossings[places][silent], until[silent] - 1)
        told[woken] = last_crossings(bought.of(woken), own[woken], until[woken], parameters)
    else:
        told = last_crossings(bought, own, until, parameters)
    since = np.minimum(np.maximum(own, told), until)
    return Comparison(nulls, places, since, bought.at(since), bought)
