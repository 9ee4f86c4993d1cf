"""Churn risk from the customer's own rhythm, shrunk towards the shop's (V4, until a model is fitted).

Purchases of a customer are taken as Poisson with rate λ ~ Gamma(r, α): after x repeat occasions up
to time t_x after the first, the next gap g has P(g > s) = ((α + t_x) / (α + t_x + s))^(r + x), the
Lomax distribution. (Ehrenberg 1959's NBD; its posterior as in Fader, Hardie & Lee 2005, Marketing
Science 24:275, without their dropout.) Risk rises with silence and falls only with a purchase,
which takes silence to 0: so the bands cannot flap, and every crossing can be told in advance.
"""

from bisect import bisect_right
from math import ceil, exp, expm1, log1p

from streamer.records.instants import DAY, LAST, NEVER
from streamer.scoring.parameters import ScoringParameters
from streamer.state.row import Row

Crossings = tuple[int, ...]


def gap_quantile(q: float, r: float, alpha: float, x: float, t_x: float) -> float:
    """Return the q-quantile of the next gap, (α + t_x)·[(1−q)^(−1/(r+x)) − 1].

    Args:
        q: between 0 and 1.
        r: shape of the prior, above 0.
        alpha: scale of the prior in the time unit, above 0.
        x: repeat occasions, 0 or more.
        t_x: time from the first occasion to the last, 0 or more.

    >>> gap_quantile(0.5, r=1, alpha=60, x=0, t_x=0)
    60.0
    """
    return (alpha + t_x) * expm1(-log1p(-q) / (r + x))


def silence_quantile(silence: float, r: float, alpha: float, x: float, t_x: float) -> float:
    """Return P(next gap ≤ silence): how far along the rhythm the silence is, 0 to 1.

    >>> silence_quantile(60, r=1, alpha=60, x=0, t_x=0)
    0.5
    """
    return -expm1(-(r + x) * log1p(silence / (alpha + t_x)))


def no_purchase_probability(horizon: float, r: float, alpha: float, x: float, t: float) -> float:
    """Return P(no purchase within ``horizon``) given x occasions in the time ``t`` since the first.

    ((α + T) / (α + T + h))^(r + x).
    """
    return exp(-(r + x) * log1p(horizon / (alpha + t)))


def crossings(row: Row, parameters: ScoringParameters) -> Crossings:
    """Return the instants at which silence takes ``row`` to medium, high and lapsed, rising.

    Empty without a purchase; an instant beyond the year 9999 is left out. They hold until the next
    purchase.
    """
    last = row.last_purchase_at
    if last == NEVER:
        return ()
    shape = parameters.rhythm_shape + row.occasions - 1
    scale = parameters.rhythm_scale_days * DAY + (last - row.first_purchase_at)
    # gap_quantile, written out: this is the hottest of the formulas.
    instants = [
        last + ceil(scale * expm1(log_odds / shape)) for log_odds in parameters.band_log_odds
    ]
    if instants[-1] > LAST:
        return tuple(instant for instant in instants if instant <= LAST)
    return tuple(instants)


def band_at(row_crossings: Crossings, instant: int) -> int:
    """Return the index into ``RISK_BANDS`` at ``instant``: a crossing belongs to its new band."""
    return bisect_right(row_crossings, instant)


def next_crossing(row_crossings: Crossings, instant: int) -> int | None:
    """Return the first crossing after ``instant``."""
    place = bisect_right(row_crossings, instant)
    return row_crossings[place] if place < len(row_crossings) else None


def crossings_before_last_purchase(row: Row, parameters: ScoringParameters) -> Crossings | None:
    """Return the crossings that held until the last purchase; None if it was the first."""
    if row.previous_purchase_at == NEVER:
        return None
    same_day = row.previous_purchase_at // DAY == row.last_purchase_at // DAY
    before = Row(
        first_purchase_at=row.first_purchase_at,
        last_purchase_at=row.previous_purchase_at,
        occasions=row.occasions if same_day else row.occasions - 1,
    )
    return crossings(before, parameters)
