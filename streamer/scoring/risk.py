"""The churn risk update of a row (V4)."""

from math import expm1

from streamer.records.instants import DAY, LAST, to_datetime
from streamer.records.scores import RISK_BANDS, ChurnRiskUpdate
from streamer.scoring.nulls import churn_nulls
from streamer.scoring.occasion import MODEL_VERSION, Occasion
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import (
    Crossings,
    band_at,
    crossings_before_last_purchase,
    next_crossing,
    no_purchase_probability,
    silence_quantile,
)
from streamer.state.row import Row

_LN2 = 0.6931471805599453


def previous_band(
    row: Row, row_crossings: Crossings, as_of: int, parameters: ScoringParameters
) -> int | None:
    """Return the band just before ``as_of``; null at the first purchase.

    It is a function of the row, not of what was published before: so a replay says the same.
    """
    if as_of == row.last_purchase_at:
        before = crossings_before_last_purchase(row, parameters)
        return None if before is None else band_at(before, as_of)
    return band_at(row_crossings, as_of - 1)


def churn_risk_update(
    row: Row, row_crossings: Crossings, occasion: Occasion, parameters: ScoringParameters
) -> ChurnRiskUpdate:
    """Return the risk of ``row`` at ``occasion.instant``; all null without a purchase."""
    if not row.orders:
        return _without_purchase(row, occasion, parameters)
    as_of = occasion.instant
    alpha, x = parameters.rhythm_scale_days, row.occasions - 1
    shape = parameters.rhythm_shape + x
    t_x = (row.last_purchase_at - row.first_purchase_at) / DAY
    silence = (as_of - row.last_purchase_at) / DAY
    band = band_at(row_crossings, as_of)
    previous = previous_band(row, row_crossings, as_of, parameters)
    # The median of the next gap, as it was at the last purchase and as it is given the silence.
    median = expm1(_LN2 / shape)
    expected = as_of + (alpha + t_x + silence) * median * DAY
    win_back = row_crossings[2] if len(row_crossings) > 2 else None  # noqa: PLR2004 - lapsed
    crossing = next_crossing(row_crossings, as_of)
    # Positional, in the order of the fields: a quarter of the time of keywords.
    return ChurnRiskUpdate(
        occasion.score_id,
        occasion.customer_id,
        occasion.revision,
        occasion.as_of,
        occasion.scored_at,
        MODEL_VERSION,
        occasion.cause,
        row.events_seen,
        parameters.horizon_days,
        no_purchase_probability(
            parameters.horizon_days, parameters.rhythm_shape, alpha, x, t_x + silence
        ),
        RISK_BANDS[band],
        None if previous is None else RISK_BANDS[previous],
        silence_quantile(silence, parameters.rhythm_shape, alpha, x, t_x),
        to_datetime(round(expected)) if expected <= LAST else None,
        None if win_back is None else to_datetime(win_back),
        None if crossing is None else to_datetime(crossing),
        (f"silent for {silence:.0f} days, even odds are at {(alpha + t_x) * median:.0f}",),
        churn_nulls(
            True,  # noqa: FBT003
            band == len(RISK_BANDS) - 1,
            expected <= LAST,
            win_back is not None,
            crossing is not None,
            previous is not None,
        ),
    )


def _without_purchase(
    row: Row, occasion: Occasion, parameters: ScoringParameters
) -> ChurnRiskUpdate:
    return ChurnRiskUpdate(
        score_id=occasion.score_id,
        customer_id=occasion.customer_id,
        revision=occasion.revision,
        as_of=occasion.as_of,
        scored_at=occasion.scored_at,
        model_version=MODEL_VERSION,
        cause=occasion.cause,
        events_seen=row.events_seen,
        horizon_days=parameters.horizon_days,
        churn_probability=None,
        risk_band=None,
        previous_risk_band=None,
        silence_quantile=None,
        expected_date_of_next_order=None,
        win_back_by=None,
        next_band_crossing_at=None,
        reasons=("no purchase yet",),
        null_reasons=churn_nulls(False, False, False, False, False, False),  # noqa: FBT003
    )
