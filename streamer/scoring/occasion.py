"""Scorings of customers: what both of their updates share, column by column."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from msgspec import Struct

from streamer.records.instants import EPOCH
from streamer.records.scores import RISK_BANDS, Cause
from streamer.scoring.columns import Columns, Integers
from streamer.scoring.rhythm import Instants

T = TypeVar("T")


class Occasions(Struct, frozen=True):
    """When, why and under which numbers n customers are scored; each column has n entries."""

    customer_id: Sequence[str]
    score_id: list[str]
    revision: list[int]
    as_of: list[datetime]
    scored_at: datetime
    cause: Sequence[Cause]


def occasions_of(
    customer_ids: Sequence[str],
    columns: Columns,
    bands: Integers,
    causes: Sequence[Cause],
    scored_at: datetime,
    generation: int,
) -> Occasions:
    """Return the occasions of ``columns``, whose risk bands are ``bands``.

    A customer's revision rises with every change of its row, every model (``generation``) and every
    band of silence, and never comes twice; so neither does the id.
    """
    revisions = [
        (row.changes + generation) * len(RISK_BANDS) + band
        for row, band in zip(columns.rows, bands.tolist(), strict=True)
    ]
    score_ids = [
        f"{customer_id}-{revision}-{instant:x}"
        for customer_id, revision, instant in zip(
            customer_ids, revisions, columns.as_of.tolist(), strict=True
        )
    ]
    as_of = datetimes(columns.as_of)
    return Occasions(customer_ids, score_ids, revisions, as_of, scored_at, causes)


def datetimes(instants: Instants) -> list[datetime]:
    """Return instants (microseconds since 1970) as datetimes in UTC."""
    return list(map(EPOCH.__add__, instants.astype("m8[us]").tolist()))


def datetimes_beside(
    instants: Instants, others: Instants, theirs: list[datetime]
) -> list[datetime]:
    """Return ``datetimes(instants)``; most are those of ``others``, which are ``theirs``."""
    (places,) = (instants != others).nonzero()
    if not len(places):
        return theirs
    moments = list(theirs)
    for place, moment in zip(places.tolist(), datetimes(instants[places]), strict=True):
        moments[place] = moment
    return moments


def where_known(values: Iterable[T], known: Sequence[bool]) -> list[T | None]:
    """Return ``values``, but null where not ``known``."""
    if False not in known:
        return list(values)
    if True not in known:
        return [None] * len(known)
    return [value if is_known else None for value, is_known in zip(values, known, strict=True)]
