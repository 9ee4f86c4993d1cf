"""Finding customers without looking at each: by segment, risk band and tier, by money at stake.

A few numbers of each customer, kept as columns. They are renewed where the figures of the shop
are counted (see ``counting``), so a unit of work does not pay for them, and they lag behind the
rows as those do: by seconds. Silence moves them too, so each is renewed once a day. A question
is answered by passes of numpy over the columns, a few milliseconds for a hundred thousand
customers; only those that are shown are scored.

Money at stake is what the packaged rule of a win-back offer puts at stake: what is expected of the
customer within the horizon, or, before a model is fitted, the last year's net revenue times the
churn probability.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray
from xxhash import xxh64_intdigest

from streamer.records.instants import NEVER, day_of
from streamer.records.money import UNIT
from streamer.records.scores import RISK_BANDS, RiskBand
from streamer.scoring.bands import band_at, crossings_of
from streamer.scoring.columns import Columns, columns_of, window_sums
from streamer.scoring.forecast import expectation
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.segments import split
from streamer.serdes.rows import decode_row, decode_told
from streamer.state.row import Row

NO_BAND = len(RISK_BANDS)
"""Of customers who never bought."""

GONE = -1
"""In the place of a band: there is no such customer any more."""

UNKNOWN = -1
"""In the place of money that is not known; it comes last."""

WORTH_EDGES = tuple(
    digit * 10**exponent * UNIT for exponent in range(7) for digit in (1, 2, 5)
)  # fixed, so that the counts of partitions add up
"""Between the buckets of lifetime values: 1, 2, 5, 10 … 5,000,000."""

_COLUMNS = {
    "band": np.int8,
    "tier": np.int16,
    "segments": np.int32,
    "stake": np.int64,
    "historic": np.int64,
    "predicted": np.int64,
    "tie": np.uint64,
    "day": np.int32,
}
_FIRST_CAPACITY = 1_024

SLICE = 100_000
"""Customers summed up at once: a few milliseconds."""

Entries = dict[str, NDArray[Any]]
"""Numbers of customers, column by column."""

Place = tuple[int, int]
"""Where a customer stands in the order: money at stake, and what decides between equals."""


class Wanted(Struct, frozen=True, kw_only=True):
    """Which customers to find; what is None does not matter."""

    segment: str | None = None
    risk_band: RiskBand | None = None
    tier: str | None = None
    after: Place | None = None
    """Only those behind this one."""
    limit: int = 50


class Found(NamedTuple):
    """A customer found."""

    place: Place
    customer_id: str


class BandTotals(Struct, frozen=True):
    """Customers of a risk band, and their money at stake in millionths."""

    customers: int = 0
    stake: int = 0

    def __add__(self, other: "BandTotals") -> "BandTotals":
        """Return the totals of both."""
        return BandTotals(self.customers + other.customers, self.stake + other.stake)


class Totals(Struct, frozen=True, kw_only=True):
    """Sums over customers; money in millionths."""

    customers: int
    historic: int
    predicted: int
    predicted_customers: int
    """Of whom a predicted value is known."""
    bands: dict[str, BandTotals]
    """Of those who bought."""
    tiers: dict[str, int]
    worth: list[int]
    """Customers by value so far and predicted together: at most nothing, then by
    ``WORTH_EDGES``."""


class _Names:
    """Texts as small numbers; few are ever met."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        code = self._codes.setdefault(text, len(self.texts))
        if code == len(self.texts):
            self.texts.append(text)
        return code


class CustomerIndex:
    """The customers of one partition."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._customers: list[str] = []
        self._entries: Entries = {
            name: np.zeros(_FIRST_CAPACITY, kind) for name, kind in _COLUMNS.items()
        }
        self._tiers, self._segments = _Names(), _Names()
        self._renewed = 0
        """The place behind the last one that was found stale."""

    # -- kept up to date -----------------------------------------------------------------------

    def update(
        self,
        customers: Iterable[str],
        rows: Mapping[str, bytes],
        told: Mapping[str, bytes],
        time: int,
        scoring: ScoringParameters,
    ) -> None:
        """Take over what ``customers`` are now; all at once cost far less.

        Args:
            customers: some of those that have changed.
            rows: the committed ones.
            told: what was told of customers last.
            time: of the partition.
            scoring: the parameters in force.
        """
        known: dict[str, Row] = {}
        for customer_id in customers:
            value = rows.get(customer_id)
            row = None if value is None else decode_row(value)
            if row is not None and row.as_of != NEVER:
                known[customer_id] = row
            elif customer_id in self._places:
                self._entries["band"][self._places[customer_id]] = GONE
        if known:
            places = np.array([self._place(customer_id) for customer_id in known])
            segments = [self._segments_of(told.get(customer_id)) for customer_id in known]
            self._write(places, list(known.values()), segments, time, scoring)

    def _place(self, customer_id: str) -> int:
        place = self._places.setdefault(customer_id, len(self._customers))
        if place == len(self._customers):
            self._customers.append(customer_id)
            if place == len(self._entries["tie"]):
                self._entries = {
                    name: np.concatenate([column, np.zeros_like(column)])
                    for name, column in self._entries.items()
                }
            self._entries["tie"][place] = xxh64_intdigest(customer_id.encode())
        return place

    def _segments_of(self, told: bytes | None) -> int:
        return self._segments.code("" if told is None else decode_told(told).segments)

    def _write(
        self,
        places: NDArray[np.int64],
        rows: list[Row],
        segments: list[int],
        time: int,
        scoring: ScoringParameters,
    ) -> None:
        columns = columns_of(rows, [max(row.as_of, time) for row in rows])
        bought = columns.orders > 0
        bands = band_at(crossings_of(rows, scoring), columns.as_of)
        predicted, stake = _money(columns, scoring)
        loyalty = scoring.loyalty
        tiers = [self._tiers.code("" if loyalty is None else loyalty.tier(row)) for row in rows]
        entries = self._entries
        entries["band"][places] = np.where(bought, bands, NO_BAND)
        entries["tier"][places] = tiers
        entries["segments"][places] = segments
        entries["historic"][places] = columns.net
        entries["predicted"][places] = np.where(bought, predicted, UNKNOWN)
        entries["stake"][places] = np.where(bought, stake, UNKNOWN)
        entries["day"][places] = day_of(time)

    def stale(self, time: int, customers_max: int) -> list[str]:
        """Return up to so many customers whose figures are of an earlier day than ``time``.

        Silence moves figures without a change of the row: they are to be renewed now and then. All
        have their turn, also where days pass faster than all are renewed.
        """
        entries = self._slice(0, len(self._customers))
        old = np.flatnonzero((entries["day"] < day_of(time)) & (entries["band"] != GONE))
        begin = np.searchsorted(old, self._renewed)
        turns = [*old[begin:][:customers_max].tolist(), *old[:begin][:customers_max].tolist()]
        del turns[customers_max:]
        if turns:
            self._renewed = turns[-1] + 1
        return [self._customers[one] for one in turns]

    # -- asked ---------------------------------------------------------------------------------

    def find(self, wanted: Wanted) -> tuple[int, list[Found]]:
        """Return how many customers are wanted, and the first of them behind ``wanted.after``.

        The most money at stake comes first.
        """
        entries = self._slice(0, len(self._customers))
        mask = self._matching(entries, wanted)
        count = int(np.count_nonzero(mask))
        if wanted.after is not None:
            stake, tie = wanted.after
            behind = (entries["stake"] == stake) & (entries["tie"] > np.uint64(tie))
            mask &= (entries["stake"] < stake) | behind
        places = _first(np.flatnonzero(mask), entries, wanted.limit)
        return count, [
            Found((int(entries["stake"][one]), int(entries["tie"][one])), self._customers[one])
            for one in places.tolist()
        ]

    def _slice(self, start: int, end: int) -> Entries:
        return {name: column[start:end] for name, column in self._entries.items()}

    def _matching(self, entries: Entries, wanted: Wanted) -> NDArray[np.bool_]:
        mask: NDArray[np.bool_] = entries["band"] != GONE
        if wanted.risk_band is not None:
            mask &= entries["band"] == RISK_BANDS.index(wanted.risk_band)
        if wanted.tier is not None:
            mask &= _among(entries["tier"], [one == wanted.tier for one in self._tiers.texts])
        if wanted.segment is not None:
            members = [wanted.segment in split(one) for one in self._segments.texts]
            mask &= _among(entries["segments"], members)
        return mask

    def totals(self) -> Iterator[Totals]:
        """Give the sums over some customers after the other; all of them add up to all."""
        for start in range(0, len(self._customers), SLICE):
            entries = self._slice(start, min(start + SLICE, len(self._customers)))
            yield self._totals(entries)

    def _totals(self, entries: Entries) -> Totals:
        there = entries["band"] != GONE
        if not there.all():
            entries = {name: column[there] for name, column in entries.items()}
        known = entries["predicted"] != UNKNOWN
        predicted = np.where(known, entries["predicted"], 0)
        edges = np.searchsorted((0, *WORTH_EDGES), entries["historic"] + predicted, side="left")
        tiers = np.bincount(entries["tier"], minlength=len(self._tiers.texts)).tolist()
        return Totals(
            customers=len(known),
            historic=int(entries["historic"].sum()),
            predicted=int(predicted.sum()),
            predicted_customers=int(np.count_nonzero(known)),
            bands={name: _band(entries, band) for band, name in enumerate(RISK_BANDS)},
            tiers={n: c for n, c in zip(self._tiers.texts, tiers, strict=True) if n and c},
            worth=np.bincount(edges, minlength=len(WORTH_EDGES) + 2).tolist(),
        )


def _money(
    columns: Columns, scoring: ScoringParameters
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what is predicted of customers, and what is at stake, in millionths."""
    expected = expectation(columns, scoring)
    predicted = np.full(len(columns.rows), UNKNOWN, np.int64)
    if expected.value is not None:
        mean = np.rint(expected.value.purchases * expected.value.worth).astype(np.int64)
        predicted = np.where(expected.value.known, mean, UNKNOWN)
    _, revenue = window_sums(columns)
    leaving = np.rint(np.maximum(revenue[:, -1], 0) * expected.churn_probability)
    return predicted, np.where(predicted == UNKNOWN, leaving.astype(np.int64), predicted)


def _among(codes: NDArray[Any], wanted: list[bool]) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = np.array([*wanted, False])[codes]
    return found


def _first(places: NDArray[np.int64], entries: Entries, limit: int) -> NDArray[np.int64]:
    """Return the first ``limit`` of ``places``, in order; only so many are sorted."""
    stake = entries["stake"][places]
    if len(places) > limit:
        least = np.partition(stake, len(stake) - limit)[len(stake) - limit]
        above, equal = places[stake > least], places[stake == least]
        missing = limit - len(above)
        ties = entries["tie"][equal]
        equal = equal[np.argpartition(ties, min(missing, len(ties)) - 1)[:missing]]
        places = np.concatenate([above, equal])
    order = np.lexsort((entries["tie"][places], -entries["stake"][places]))
    return places[order]


def _band(entries: Entries, band: int) -> BandTotals:
    of_band = entries["band"] == band
    stake = entries["stake"][of_band]
    return BandTotals(int(np.count_nonzero(of_band)), int(np.maximum(stake, 0).sum()))
