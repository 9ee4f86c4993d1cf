"""The whole base at a glance: how many, worth what, at which risk; now and over time."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from msgspec import Struct

from streamer.pipeline import Partition
from streamer.pipeline.index import WORTH_EDGES, BandTotals, Totals
from streamer.records.instants import NEVER, to_datetime
from streamer.records.scores import RISK_BANDS, RiskBand
from streamer.web.views.money import money

SAMPLES_MAX = 360
"""Of the course of the bands: then every other one goes, and they are taken half as often."""


class Sample(Struct, frozen=True, kw_only=True):
    """The customers of each band at some moment."""

    measured_at: datetime
    as_of: datetime
    """Event time."""
    bands: dict[RiskBand, int]


class BandFigures(Struct, frozen=True, kw_only=True):
    """Customers in a risk band."""

    risk_band: RiskBand
    customers: int
    money_at_stake: str


class WorthBucket(Struct, frozen=True, kw_only=True):
    """Customers by their value so far and predicted together."""

    above: str | None
    """Null in the first bucket: worth nothing, or less."""
    to: str | None
    """Null in the last."""
    customers: int


class TierFigures(Struct, frozen=True):
    """Customers in a loyalty tier."""

    tier: str
    customers: int


class Overview(Struct, frozen=True, kw_only=True):
    """All customers at a glance."""

    as_of: datetime | None
    """Event time; null before the first event."""
    currency: str
    horizon_days: float
    model_version: str
    complete: bool
    """False while a worker that has just started is still going through its customers."""
    pending: int
    """Customers that have changed since these figures: they follow within seconds."""
    customers: int
    historic_value: str
    predicted_value: str | None
    """Within the horizon; null before a model is fitted."""
    predicted_customers: int
    """Of whom one is known."""
    money_at_stake: str
    """Of medium and high risk: what a win-back offer may save."""
    bands: list[BandFigures]
    tiers: list[TierFigures]
    values: list[WorthBucket]
    history: list[Sample]
    """Since the worker started, oldest first."""


class Share(Struct, frozen=True, kw_only=True):
    """What one worker's partitions contribute; workers pass it to each other."""

    time: int
    generation: int
    model_version: str
    complete: bool
    pending: int
    totals: Totals
    history: list[Sample]


AT_RISK = ("medium", "high")


class Course:
    """The bands of a worker's customers over time, thinned out as it gets long."""

    def __init__(self) -> None:
        self.samples: list[Sample] = []
        self._every = 1
        self._offered = 0

    def offer(self, sample: Sample) -> None:
        """Take ``sample``, or leave it out: one in so many is kept."""
        self._offered += 1
        if self._offered % self._every:
            return
        self.samples.append(sample)
        if len(self.samples) >= SAMPLES_MAX:
            del self.samples[::2]
            self._every *= 2


def sample_of(share: Totals, time: int, now: datetime) -> Sample:
    """Return the moment that ``share`` is of."""
    bands = {band: share.bands[band].customers for band in RISK_BANDS}
    return Sample(measured_at=now, as_of=to_datetime(time), bands=bands)


def sum_of(totals: Iterable[Totals]) -> Totals:
    """Return the totals of all of ``totals``."""
    found = list(totals)
    tiers: Counter[str] = Counter()
    for one in found:
        tiers.update(one.tiers)
    columns = zip(*(one.worth for one in found), strict=True)
    return Totals(
        customers=sum(one.customers for one in found),
        historic=sum(one.historic for one in found),
        predicted=sum(one.predicted for one in found),
        predicted_customers=sum(one.predicted_customers for one in found),
        bands={n: sum((one.bands[n] for one in found), BandTotals()) for n in RISK_BANDS},
        tiers=dict(tiers),
        worth=list(map(sum, columns)) or [0] * (len(WORTH_EDGES) + 2),
    )


def share_of(partitions: Sequence[Partition], totals: Totals, course: Course) -> Share:
    """Return what ``partitions``, a worker's, contribute; ``totals`` are theirs."""
    newest = max(partitions, key=lambda one: one.scoring.generation, default=None)
    return Share(
        time=max((one.time for one in partitions), default=NEVER),
        generation=0 if newest is None else newest.scoring.generation,
        model_version="" if newest is None else newest.scoring.model_version,
        complete=all(one.counting.has_counted_all for one in partitions),
        pending=sum(one.counting.pending for one in partitions),
        totals=totals,
        history=course.samples,
    )


def overview(shares: Sequence[Share], currency: str, horizon_days: float) -> Overview:
    """Return the whole, of the shares of all workers, one or more."""
    totals = sum_of(share.totals for share in shares)
    time = max(share.time for share in shares)
    at_risk = sum(totals.bands[band].stake for band in AT_RISK)
    known = totals.predicted_customers > 0
    return Overview(
        as_of=None if time == NEVER else to_datetime(time),
        currency=currency,
        horizon_days=horizon_days,
        model_version=max(shares, key=lambda share: share.generation).model_version,
        complete=all(share.complete for share in shares),
        pending=sum(share.pending for share in shares),
        customers=totals.customers,
        historic_value=money(totals.historic, currency),
        predicted_value=money(totals.predicted, currency) if known else None,
        predicted_customers=totals.predicted_customers,
        money_at_stake=money(at_risk, currency),
        bands=[_band(band, totals.bands[band], currency) for band in RISK_BANDS],
        tiers=[TierFigures(tier, count) for tier, count in sorted(totals.tiers.items())],
        values=_values(totals.worth, currency),
        history=merged([share.history for share in shares]),
    )


def _band(band: RiskBand, totals: BandTotals, currency: str) -> BandFigures:
    return BandFigures(
        risk_band=band, customers=totals.customers, money_at_stake=money(totals.stake, currency)
    )


def _values(worth: Sequence[int], currency: str) -> list[WorthBucket]:
    edges = [None, "0", *(money(edge, currency) for edge in WORTH_EDGES), None]
    return [
        WorthBucket(above=above, to=to, customers=customers)
        for above, to, customers in zip(edges, edges[1:], worth, strict=False)
    ]


def merged(histories: Sequence[Sequence[Sample]]) -> list[Sample]:
    """Return the course of the whole: at each moment the last samples of all workers, added.

    It begins where all of them have one.
    """
    told = [history for history in histories if history]
    if len(told) <= 1:
        return [sample for history in told for sample in history]
    events = sorted(
        ((sample.measured_at, worker, sample) for worker, history in enumerate(told)
         for sample in history),
        key=lambda event: event[0],
    )  # fmt: skip
    last: dict[int, Sample] = {}
    course = []
    for measured_at, worker, sample in events:
        last[worker] = sample
        if len(last) == len(told):
            bands = {band: sum(one.bands[band] for one in last.values()) for band in RISK_BANDS}
            as_of = max(one.as_of for one in last.values())
            course.append(Sample(measured_at=measured_at, as_of=as_of, bands=bands))
    return course
