"""Risk bands (V4): where and when silence takes customers, by the formula or by a fitted model.

By the formula the bands are quantiles of the customer's own gap (``rhythm``), by a fitted model
they are thresholds of the probability of no purchase within the horizon. Either way risk rises with
silence and falls only with a purchase, so every crossing can be told in advance. A purchase that
takes the probability only just below a threshold does not take the band down (hysteresis); what
the band was is a function of the row too: that of the moment before the last purchase.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from streamer.records.instants import DAY, LAST, NEVER
from streamer.records.scores import RISK_BANDS
from streamer.scoring.columns import Earlier, PurchaseColumns, integers_of
from streamer.scoring.models.histories import Floats, Histories, distinct
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import FAR, Instants, crossings
from streamer.state.row import Row

NO_BAND = len(RISK_BANDS)

_ROUNDING = 1e-6
"""Of a probability: more than rounding errors are."""

_HISTORY = "first_purchase_at", "last_purchase_at", "previous_purchase_at", "occasions"


def crossings_of(
    rows: Sequence[Row] | Sequence[Earlier], parameters: ScoringParameters
) -> Instants:
    """Return the instants at which silence takes ``rows`` to medium, high and lapsed.

    Returns:
        Shape (n, 3), each row rising; ``FAR`` beyond the year 9999, or without any purchase. They
        hold until the next purchase.
    """
    return _crossings(integers_of(rows, *_HISTORY), parameters)


def _crossings(history: Iterable[Instants], parameters: ScoringParameters) -> Instants:
    """Return the same of the columns ``_HISTORY``, shape (n,) each."""
    first, last, previous, occasions = history
    model = parameters.model
    if model is None or model.purchases is None:
        return crossings(first, last, occasions, parameters)
    held = _churn_before(first, last, previous, occasions, model.purchases, parameters)
    levels, lower = map(np.array, parameters.raw_thresholds)
    # Who was in a band or beyond it stays there until the probability is well below (hysteresis).
    reached = np.where(held[:, None] >= levels, lower, levels)
    customers = _histories(first, last, last, occasions)
    some, places = distinct(customers.x, customers.t_x, *reached.T)
    thrice = customers.of(some.repeat(len(levels)))
    ages = model.purchases.age_at(thrice, parameters.horizon_days, reached[some].ravel())
    return _instants(first, last, occasions, ages.reshape(-1, len(levels))[places])


def lapses_by(
    rows: Sequence[Row] | Sequence[Earlier], until: Instants, parameters: ScoringParameters
) -> list[int]:
    """Return the last crossing of each row if it is not after its instant, else ``FAR``.

    It costs a fraction of ``crossings_of`` where few have lapsed. ``until``, shape (n,), is not
    before the row's last purchase.
    """
    history = integers_of(rows, *_HISTORY)
    some = np.arange(len(rows))
    if parameters.model is not None and parameters.model.purchases is not None:
        first, last, _, occasions = history
        customers = _histories(first, last, until, occasions)
        churn = parameters.model.purchases.no_purchase_probability(
            customers, parameters.horizon_days
        )
        least = min(thresholds[-1] for thresholds in parameters.raw_thresholds)
        some = np.flatnonzero(churn >= least - _ROUNDING)
    lapses = np.full(len(rows), FAR)
    if len(some):
        lapses[some] = _crossings(history[:, some], parameters)[:, -1]
    found: list[int] = np.where(lapses <= until, lapses, FAR).tolist()
    return found


def latest(row_crossings: Instants, until: Instants) -> Instants:
    """Return the last of each row's crossings up to its instant, shape (n,); NEVER without any."""
    passed = (row_crossings <= until[:, None]) & (row_crossings != FAR)
    last: Instants = np.where(passed, row_crossings, NEVER).max(axis=1, initial=NEVER)
    return last


def last_crossings(
    bought: PurchaseColumns, after: Instants, until: Instants, parameters: ScoringParameters
) -> Instants:
    """Return the last crossing of each row behind ``after``, up to ``until``; NEVER without any.

    Args:
        bought: what n rows say, as of whenever.
        after: shape (n,), not before the row's last purchase.
        until: shape (n,).
        parameters: of the scores.
    """
    crossed = np.full((len(after), len(RISK_BANDS) - 1), FAR)
    some = _may_have_crossed(bought, after, until, parameters)
    if len(some):
        history = (bought.first, bought.last, bought.previous, bought.occasions)
        crossed[some] = _crossings([column[some] for column in history], parameters)
    last = latest(crossed, until)
    return np.where(last > after, last, NEVER)


def _may_have_crossed(
    bought: PurchaseColumns, after: Instants, until: Instants, parameters: ScoringParameters
) -> NDArray[np.intp]:
    """Return the places of rows whose probability passes a threshold: to tell when costs more."""
    model = parameters.model
    if model is None or model.purchases is None:
        return np.arange(len(after))
    history = bought.first, bought.last, bought.occasions
    first, last, occasions = (np.concatenate([column, column]) for column in history)
    customers = _histories(first, last, np.concatenate([after, until]), occasions)
    churn = model.purchases.no_purchase_probability(customers, parameters.horizon_days)
    thresholds = np.sort(np.concatenate(parameters.raw_thresholds))
    passed = (
        np.searchsorted(thresholds, churn[: len(after)] - _ROUNDING),
        np.searchsorted(thresholds, churn[len(after) :] + _ROUNDING),
    )
    return np.flatnonzero(passed[0] != passed[1])


def next_crossings(row_crossings: Instants, instants: Instants) -> list[int]:
    """Return the first crossing of each row after its instant; ``FAR`` if there is none."""
    ahead = np.where(row_crossings > instants[:, None], row_crossings, FAR)
    following: list[int] = ahead.min(axis=1).tolist()
    return following


def band_at(row_crossings: Instants, instants: Instants) -> NDArray[np.int64]:
    """Return the index into ``RISK_BANDS`` at each instant: a crossing belongs to its new band."""
    bands: NDArray[np.int64] = (row_crossings <= instants[:, None]).sum(axis=1)
    return bands


def previous_bands(
    first: Instants,
    last: Instants,
    previous: Instants,
    occasions: Instants,
    parameters: ScoringParameters,
) -> NDArray[np.int64]:
    """Return the band just before the last purchase, shape (n,); ``NO_BAND`` at the first one.

    It is a function of the row, not of what was published before: so a replay says the same.
    """
    model = parameters.model
    if model is None or model.purchases is None:
        until_last = crossings(
            first, previous, occasions - (previous // DAY != last // DAY), parameters
        )
        bands = (until_last <= last[:, None]).sum(axis=1)
    else:
        churn = _churn_before(first, last, previous, occasions, model.purchases, parameters)
        levels, _ = parameters.raw_thresholds
        bands = (churn[:, None] >= np.array(levels)).sum(axis=1)
    return np.where(previous == NEVER, NO_BAND, bands)


def _histories(first: Instants, last: Instants, until: Instants, occasions: Instants) -> Histories:
    """Return what is known ``until`` an instant; a further purchase that day is no repeat."""
    x = np.maximum(occasions - 1, 0).astype(np.float64)
    t_x = np.where(x > 0, (last - first) / DAY, 0.0)
    return Histories(x, t_x, (until - first) / DAY)


def _churn_before(
    first: Instants,
    last: Instants,
    previous: Instants,
    occasions: Instants,
    model: PurchaseModel,
    parameters: ScoringParameters,
) -> Floats:
    """Return P(no purchase in the horizon) just before the last purchase; 0 at the first."""
    known = previous != NEVER
    before = np.where(known, previous, first)
    occasions_before = occasions - (before // DAY != last // DAY)
    customers = _histories(first, before, last, np.where(known, occasions_before, 1))
    churn = model.no_purchase_probability(customers, parameters.horizon_days)
    return np.where(known, churn, 0.0)


def _instants(first: Instants, last: Instants, occasions: Instants, ages: Floats) -> Instants:
    """Return ``ages``, days since the first purchase, shape (n, 3), as instants of silence."""
    with np.errstate(over="ignore"):
        since_first = np.ceil(ages * DAY)
    reachable = (since_first <= LAST - first[:, None]) & (occasions[:, None] > 0)
    # Who is in the band from the purchase on must not enter it by a rounding error later.
    silent = reachable & (ages > ((last - first) / DAY)[:, None])
    offsets = np.where(silent, since_first, 0).astype(np.int64)
    instants: Instants = np.where(
        reachable, np.maximum(first[:, None] + offsets, last[:, None]), FAR
    )
    return instants
