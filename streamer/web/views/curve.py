"""The churn probability of one customer over time, if nothing more comes of it."""

from datetime import datetime

import numpy as np
from msgspec import Struct

from streamer.pipeline import Partition
from streamer.records.instants import DAY, LAST, to_datetime
from streamer.records.scores import RISK_BANDS, RiskBand
from streamer.scoring.bands import band_at, crossings_of
from streamer.scoring.columns import columns_of
from streamer.scoring.forecast import expectation, forecast
from streamer.scoring.rhythm import FAR

POINTS = 61
"""Of a curve: smooth to the eye, and a millisecond of work."""


class CurvePoint(Struct, frozen=True):
    """A moment of silence."""

    at: datetime
    churn_probability: float
    """Of no purchase within the horizon from then on."""
    probability_alive: float | None
    """Null by formula."""
    risk_band: RiskBand


class Crossing(Struct, frozen=True):
    """When silence takes the customer into a band."""

    risk_band: RiskBand
    at: datetime | None
    """Null where that is beyond the year 9999."""


class ChurnCurve(Struct, frozen=True, kw_only=True):
    """From the last event on, as far as asked."""

    customer_id: str
    as_of: datetime
    """Now: what comes before has been."""
    horizon_days: float
    model_version: str
    points: list[CurvePoint]
    crossings: list[Crossing]


def churn_curve(partition: Partition, customer_id: str, days: float) -> ChurnCurve | None:
    """Return the curve from the last purchase to ``days`` from now; None without a purchase."""
    row = partition.row(customer_id)
    if row is None or not row.orders:
        return None
    scoring, now = partition.scoring, max(row.as_of, partition.time)
    last = min(now + round(days * DAY), LAST)
    instants = np.linspace(row.last_purchase_at, last, POINTS).astype(np.int64)
    columns = columns_of([row] * POINTS, instants.tolist())
    expected = forecast(columns, expectation(columns, scoring), scoring)
    crossings = crossings_of([row], scoring)
    bands = band_at(np.repeat(crossings, POINTS, axis=0), instants).tolist()
    alive = expected.probability_alive
    points = zip(
        map(to_datetime, instants.tolist()),
        expected.churn_probability.round(6).tolist(),
        [None] * POINTS if alive is None else alive.round(6).tolist(),
        [RISK_BANDS[band] for band in bands],
        strict=True,
    )
    return ChurnCurve(
        customer_id=customer_id,
        as_of=to_datetime(now),
        horizon_days=scoring.horizon_days,
        model_version=scoring.model_version,
        points=[CurvePoint(*point) for point in points],
        crossings=[
            Crossing(band, None if at >= FAR else to_datetime(at))
            for band, at in zip(RISK_BANDS[1:], crossings[0].tolist(), strict=True)
        ],
    )
