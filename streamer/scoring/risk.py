"""The churn risk update of a row (V4)."""

from streamer.records.instants import DAY, LAST, to_datetime
from streamer.records.scores import RISK_BANDS, ChurnRiskUpdate
from streamer.scoring.nulls import churn_nulls
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import (
    Crossings,
    band_at,
    crossings_before_last_purchase,
    gap_quantile,
    next_crossing,
    no_purchase_probability,
    silence_quantile,
)
from streamer.scoring.value import MODEL_VERSION, Occasion
from streamer.state.row import Row


def previous_band(
    row: Row, row_crossings: Crossings, as_of: int, parameters: ScoringParameters
) -> int | None:
    """Return the band just before ``as_of``; null at the first purchase.

    It is a function of the row, not of what was published before: so a replay says the same.
    """
    if as_of == row.last_purchase_at:
        before = crossings_before_last_purchase(row, parameters)
        return band_at(before, as_of) if before else None
    return band_at(row_crossings, as_of - 1)


def churn_risk_update(
    row: Row, row_crossings: Crossings, occasion: Occasion, parameters: ScoringParameters
) -> ChurnRiskUpdate:
    """Return the risk of ``row`` at ``occasion.as_of``; all null without a purchase."""
    as_of = occasion.as_of
    if not row.orders:
        return _update(row, occasion, parameters, reasons=["no purchase yet"])
    r, alpha, x = parameters.rhythm_shape, parameters.rhythm_scale_days, row.occasions - 1
    t_x = (row.last_purchase_at - row.first_purchase_at) / DAY
    silence = (as_of - row.last_purchase_at) / DAY
    band = band_at(row_crossings, as_of)
    expected = as_of + gap_quantile(0.5, r, alpha, x, t_x + silence) * DAY
    usual = gap_quantile(0.5, r, alpha, x, t_x)
    return _update(
        row,
        occasion,
        parameters,
        churn_probability=no_purchase_probability(
            parameters.horizon_days, r, alpha, x, t_x + silence
        ),
        silence_quantile=silence_quantile(silence, r, alpha, x, t_x),
        band=band,
        previous=previous_band(row, row_crossings, as_of, parameters),
        expected=round(expected) if expected <= LAST else None,
        win_back=row_crossings[2] if len(row_crossings) > 2 else None,
        crossing=next_crossing(row_crossings, as_of),
        reasons=[
            f"silent for {silence:.0f} days; half of such customers order again "
            f"within {usual:.0f}"
        ],
    )


def _update(
    row: Row,
    occasion: Occasion,
    parameters: ScoringParameters,
    *,
    reasons: list[str],
    churn_probability: float | None = None,
    silence_quantile: float | None = None,
    band: int | None = None,
    previous: int | None = None,
    expected: int | None = None,
    win_back: int | None = None,
    crossing: int | None = None,
) -> ChurnRiskUpdate:
    return ChurnRiskUpdate(
        score_id=occasion.score_id,
        customer_id=occasion.customer_id,
        revision=occasion.revision,
        as_of=to_datetime(occasion.as_of),
        scored_at=occasion.scored_at,
        model_version=MODEL_VERSION,
        cause=occasion.cause,
        events_seen=row.events_seen,
        horizon_days=parameters.horizon_days,
        churn_probability=churn_probability,
        probability_alive=None,
        risk_band=None if band is None else RISK_BANDS[band],
        previous_risk_band=None if previous is None else RISK_BANDS[previous],
        silence_quantile=silence_quantile,
        expected_date_of_next_order=None if expected is None else to_datetime(expected),
        win_back_by=None if win_back is None else to_datetime(win_back),
        next_band_crossing_at=None if crossing is None else to_datetime(crossing),
        reasons=reasons,
        null_reasons=churn_nulls(
            bought=band is not None,
            lapsed=band == len(RISK_BANDS) - 1,
            expected=expected is not None,
            win_back=win_back is not None,
            crossing=crossing is not None,
            previous=previous is not None,
        ),
    )
