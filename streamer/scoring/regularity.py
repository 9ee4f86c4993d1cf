"""How regular the rhythm is (V11): the shape of the gamma distribution of a customer's gaps.

Gaps Gamma(k, ·) are clockwork for large k, random (a Poisson process) at k = 1 and clumpy below.
Who splits the spend over several shops shows fewer and less even gaps here. k is the maximum
likelihood estimate from ln(mean gap) − mean(ln gap), in Minka's closed form (2002, Estimating a
Gamma distribution; within 1.5 %), less the bias that few gaps have (as in Louzada, Ramos &
Ramos 2019, The American Statistician 73:195). Regularity as such: Platzer & Reutterer 2016,
Marketing Science 35:779.
"""

import numpy as np

from streamer.records.instants import DAY
from streamer.scoring.columns import Columns
from streamer.scoring.measure import Measure, members, nothing
from streamer.scoring.occasion import where_known
from streamer.scoring.rhythm import Floats

GAPS_MIN = 4
"""Of fewer nothing is left of the estimate once its bias is taken off."""

_SPREAD_MIN = 1e-6
"""Log gaps are kept to millionths: less is none."""

_TOO_FEW_GAPS = members({"regularity": "too_few_gaps"})


def gamma_shape(gaps: Floats, mean: Floats, mean_log: Floats) -> Floats:
    """Return k of so many gaps, 4 or more, with this mean and mean logarithm; shapes (n,).

    >>> k = gamma_shape(np.array([4.0]), np.array([10.0]), np.log(np.array([10.0])))
    >>> bool(k[0] > 1000)
    True
    """
    spread = np.maximum(np.log(mean) - mean_log, _SPREAD_MIN)
    k = (3 - spread + np.sqrt((spread - 3) ** 2 + 24 * spread)) / (12 * spread)
    bias = (3 * k - 2 / 3 * k / (1 + k) - 0.8 * k / (1 + k) ** 2) / gaps
    shape: Floats = np.maximum(k - bias, 0.0)
    return shape


def regularity(columns: Columns) -> Measure:
    """Return k ÷ (1 + k) of each row: 0 is clumpy, ½ random, 1 clockwork."""
    known = columns.x >= GAPS_MIN
    if not known.any():
        return nothing(len(columns.rows), 1, _TOO_FEW_GAPS)
    first_days = np.array([row.first_day for row in columns.rows], dtype=np.int64)
    log_gaps = np.array([row.log_gaps for row in columns.rows], dtype=np.float64)
    gaps = np.where(known, columns.x, GAPS_MIN)
    days = np.where(known, columns.last // DAY - first_days, GAPS_MIN)
    k = gamma_shape(gaps, days / gaps, np.where(known, log_gaps / 1e6, 0.0) / gaps)
    is_known = known.tolist()
    return Measure(
        (where_known((k / (1 + k)).tolist(), is_known),),
        ["" if has_rhythm else _TOO_FEW_GAPS for has_rhythm in is_known],
    )
