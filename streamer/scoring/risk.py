"""The churn risk updates of rows (V4)."""

import numpy as np

from streamer.records.instants import DAY, LAST
from streamer.records.scores import RISK_BANDS, SCHEMA_VERSION, ChurnRiskUpdate
from streamer.scoring.bands import NO_BAND, band_at, previous_bands
from streamer.scoring.columns import Columns, Integers
from streamer.scoring.explanation import Explanations, reasons
from streamer.scoring.forecast import Forecast
from streamer.scoring.measure import alike
from streamer.scoring.nulls import churn_nulls
from streamer.scoring.occasion import Occasions, datetimes, where_known
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.referrals import referrers_told
from streamer.scoring.rhythm import FAR, Instants, gap_quantile, silence_quantile

_BANDS = (*RISK_BANDS, None)


def _previous_bands(
    columns: Columns, row_crossings: Instants, parameters: ScoringParameters
) -> Integers:
    """Return the band just before ``as_of``, shape (n,); ``NO_BAND`` at the first purchase."""
    just_before = band_at(row_crossings, columns.as_of - 1)
    at_purchase = previous_bands(
        columns.first, columns.last, columns.previous, columns.occasions, parameters
    )
    bands = np.where(columns.as_of == columns.last, at_purchase, just_before)
    return np.where(columns.orders > 0, bands, NO_BAND)


def churn_risk_updates(
    columns: Columns,
    expected: Forecast,
    row_crossings: Instants,
    bands: Integers,
    occasions: Occasions,
    explained: Explanations,
    parameters: ScoringParameters,
) -> list[ChurnRiskUpdate]:
    """Return the risk of each row at its instant; all null without a purchase."""
    n = len(columns.rows)
    r, alpha, x = *parameters.rhythm, columns.x
    silence = (columns.as_of - columns.last) / DAY
    bought = columns.orders > 0
    usual = gap_quantile(0.5, r, alpha, x, columns.t_x)
    # Silence so far only adds to t_x: the Lomax distribution's residual is Lomax again.
    ahead = gap_quantile(0.5, r, alpha, x, columns.t) * DAY
    reached = bought & (ahead <= LAST - columns.as_of)
    next_order = columns.as_of + np.where(reached, ahead, 0).round().astype(np.int64)
    win_back = row_crossings[:, -1]
    ahead_of = np.minimum(bands, row_crossings.shape[1] - 1)
    following = np.where(bands > ahead_of, FAR, row_crossings[np.arange(n), ahead_of])
    previous = _previous_bands(columns, row_crossings, parameters)
    alive = expected.probability_alive
    is_bought, is_reached = bought.tolist(), reached.tolist()
    is_won, is_crossing = (win_back < FAR).tolist(), (following < FAR).tolist()
    told = referrers_told(columns.rows)
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
            [parameters.model_version] * n,
            occasions.cause,
            [row.events_seen for row in columns.rows],
            [parameters.horizon_days] * n,
            where_known(expected.churn_probability.tolist(), is_bought),
            map(_BANDS.__getitem__, np.where(bought, bands, NO_BAND).tolist()),
            map(_BANDS.__getitem__, previous.tolist()),
            where_known(quantile.tolist(), is_bought),
            where_known(datetimes(next_order), is_reached),
            where_known(datetimes(np.minimum(win_back, LAST)), is_won),
            where_known(datetimes(np.minimum(following, LAST)), is_crossing),
            reasons(
                explained.risks.sentences,
                [
                    f"silent for {days} day{'' if days == 1 else 's'}; "
                    f"even odds of an order came at {usually}"
                    if is_known
                    else "no purchase yet"
                    for days, usually, is_known in zip(
                        np.rint(silence).astype(np.int64).tolist(),
                        np.rint(np.minimum(usual, LAST)).astype(np.int64).tolist(),
                        is_bought,
                        strict=True,
                    )
                ],
                told.sentences,
            ),
            alike(
                churn_nulls,
                is_bought,
                (bands == len(RISK_BANDS) - 1).tolist(),
                is_reached,
                is_won,
                is_crossing,
                (previous != NO_BAND).tolist(),
                [alive is not None] * n,
                explained.risks.nulls,
                told.nulls,
            ),
            [None] * n if alive is None else where_known(alive.tolist(), is_bought),
            [SCHEMA_VERSION] * n,
            *explained.risks.wire_columns,
            told.lapsed,
        )
    )
