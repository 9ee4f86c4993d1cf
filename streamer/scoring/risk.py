"""The churn risk updates of rows (V4)."""

import numpy as np

from streamer.records.instants import DAY, LAST, NEVER
from streamer.records.scores import RISK_BANDS, ChurnRiskUpdate
from streamer.scoring.columns import Columns, Integers
from streamer.scoring.nulls import churn_nulls
from streamer.scoring.occasion import MODEL_VERSION, Occasions, datetimes, where_known
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import (
    FAR,
    Instants,
    band_at,
    crossings,
    gap_quantile,
    no_purchase_probability,
    silence_quantile,
)

NO_BAND = len(RISK_BANDS)
_BANDS = (*RISK_BANDS, None)


def previous_bands(
    columns: Columns, row_crossings: Instants, parameters: ScoringParameters
) -> Integers:
    """Return the band just before ``as_of``, shape (n,); ``NO_BAND`` at the first purchase.

    It is a function of the row, not of what was published before: so a replay says the same.
    """
    just_before = band_at(row_crossings, columns.as_of - 1)
    same_day = columns.previous // DAY == columns.last // DAY
    until_last = crossings(
        columns.first, columns.previous, columns.occasions - ~same_day, parameters
    )
    at_purchase = np.where(columns.previous == NEVER, NO_BAND, band_at(until_last, columns.as_of))
    bands = np.where(columns.as_of == columns.last, at_purchase, just_before)
    return np.where(columns.orders > 0, bands, NO_BAND)


def churn_risk_updates(
    columns: Columns,
    row_crossings: Instants,
    bands: Integers,
    occasions: Occasions,
    parameters: ScoringParameters,
) -> list[ChurnRiskUpdate]:
    """Return the risk of each row at its instant; all null without a purchase."""
    n = len(columns.rows)
    r, alpha, x = parameters.rhythm_shape, parameters.rhythm_scale_days, columns.x
    silence = (columns.as_of - columns.last) / DAY
    bought = columns.orders > 0
    usual = gap_quantile(0.5, r, alpha, x, columns.t_x)
    # Silence so far only adds to t_x: the Lomax distribution's residual is Lomax again.
    ahead = gap_quantile(0.5, r, alpha, x, columns.t) * DAY
    reached = bought & (ahead <= LAST - columns.as_of)
    expected = columns.as_of + np.where(reached, ahead, 0).round().astype(np.int64)
    win_back = row_crossings[:, -1]
    following = np.append(row_crossings, np.full((n, 1), FAR), axis=1)[np.arange(n), bands]
    previous = previous_bands(columns, row_crossings, parameters)
    is_bought, is_reached = bought.tolist(), reached.tolist()
    is_won, is_crossing = (win_back < FAR).tolist(), (following < FAR).tolist()
    probability = no_purchase_probability(parameters.horizon_days, r, alpha, x, columns.t)
    quantile = silence_quantile(silence, r, alpha, x, columns.t_x)
    # Column after column, in the order of the fields: `map` then makes the records in C.
    return list(
        map(
            ChurnRiskUpdate,
            occasions.score_id,
            occasions.customer_id,
            occasions.revision,
            occasions.as_of,
            [occasions.scored_at] * n,
            [MODEL_VERSION] * n,
            occasions.cause,
            [row.events_seen for row in columns.rows],
            [parameters.horizon_days] * n,
            where_known(probability.tolist(), is_bought),
            map(_BANDS.__getitem__, np.where(bought, bands, NO_BAND).tolist()),
            map(_BANDS.__getitem__, previous.tolist()),
            where_known(quantile.tolist(), is_bought),
            where_known(datetimes(expected), is_reached),
            where_known(datetimes(np.minimum(win_back, LAST)), is_won),
            where_known(datetimes(np.minimum(following, LAST)), is_crossing),
            [
                (f"silent for {days} days; even odds of an order came at {usually}",)
                if is_known
                else ("no purchase yet",)
                for days, usually, is_known in zip(
                    np.rint(silence).astype(np.int64).tolist(),
                    np.rint(np.minimum(usual, LAST)).astype(np.int64).tolist(),
                    is_bought,
                    strict=True,
                )
            ],
            map(
                churn_nulls,
                is_bought,
                (bands == len(RISK_BANDS) - 1).tolist(),
                is_reached,
                is_won,
                is_crossing,
                (previous != NO_BAND).tolist(),
            ),
        )
    )
