"""What forecasts have got wrong so far, as a monotone map that puts later ones right.

A model that has told too little or too much, over all or for some deciles of its forecasts, tends
to do so again for a while. The map from forecast to outcome is learned from windows that are
over, and is used only if it made the forecasts of a later one better (``calibrate``).

It is kept from learning noise twice. The level is shrunk towards 1 by a pseudo-window in which the
forecast came true: purchases of one window share its season, so however many there are, windows
are what is counted. The shape over deciles is shrunk towards the level by ``GROUP_PRIOR``.

Forecasts and outcomes are compared as rates a unit of time, so that a map learned on windows of a
quarter serves a horizon of a year; a probability p of no purchase stands for the rate −ln(p) of a
Poisson customer. The maps are piecewise linear through 0 and strictly rising, so the order of
customers stays as it was.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec
import numpy as np
from msgspec import Struct

from streamer.scoring.evaluation.accuracy import (
    TINY,
    brier_score,
    log_loss,
    poisson_deviance,
)
from streamer.scoring.models.histories import Floats

KNOTS_MAX = 10
"""Deciles of the forecast."""
LEVEL_PRIOR = 200.0
"""Expected purchases that the level's pseudo-window has beyond the mean of the windows."""
GROUP_PRIOR = 200.0
"""Expected purchases with which a decile is taken to be as wrong as all of them."""
STRAIGHT = 0.05
"""Share of the straight line in a map: keeps the order where isotonic regression ties."""
NEGLIGIBLE = 1e-9
"""Forecasts of a window up to here are left out: they teach nothing, and no knot can be there."""
SPACING = 1e-9
"""Least relative distance of knots."""
NEAR_CERTAIN = 1 - 1e-9
"""Greatest probability whose rate is taken."""


class Correction(Struct, frozen=True):
    """A strictly rising, piecewise linear map of numbers from 0 on; it maps 0 to 0.

    Without knots it changes nothing.
    """

    predicted: tuple[float, ...] = ()
    """Knots, above 0 and rising; beyond the last the map is proportional."""
    corrected: tuple[float, ...] = ()
    """Their images, above 0 and rising."""

    @property
    def version(self) -> str:
        """Digest of the knots, 8 hexadecimal digits; ``identity`` without any."""
        if not self.predicted:
            return "identity"
        return blake2b(msgspec.msgpack.encode(self), digest_size=4).hexdigest()

    def apply(self, values: Floats) -> Floats:
        """Return the map of ``values``, 0 or more, in their shape.

        >>> Correction(predicted=(1.0, 2.0), corrected=(1.5, 2.0)).apply(np.array([0.5, 2, 4]))
        array([0.75, 2.  , 4.  ])
        """
        if not self.predicted:
            return values
        knots, images = np.array([0, *self.predicted]), np.array([0, *self.corrected])
        beyond = np.maximum(values / knots[-1], 1)
        mapped: Floats = np.interp(values, knots, images) * beyond
        return mapped

    def undo(self, values: Floats) -> Floats:
        """Return what ``apply`` maps to ``values``, 0 or more, in their shape.

        >>> Correction(predicted=(1.0, 2.0), corrected=(1.5, 2.0)).undo(np.array([0.75, 2, 4]))
        array([0.5, 2. , 4. ])
        """
        return Correction(self.corrected, self.predicted).apply(values)

    def per(self, length: float) -> "Correction":
        """Return the same map of values that are divided by ``length``, above 0."""
        return Correction(
            tuple(knot / length for knot in self.predicted),
            tuple(image / length for image in self.corrected),
        )


class Calibration(Struct, frozen=True):
    """The corrections of a model's two forecasts; the default changes nothing."""

    purchases: Correction = Correction()
    """Of expected purchases a unit of time."""
    activity: Correction = Correction()
    """Of -ln P(no purchase) a unit of time."""

    def expected_purchases(self, expected: Floats, horizon: float) -> Floats:
        """Return corrected expected purchases in a ``horizon`` above 0; shape as ``expected``."""
        if not self.purchases.predicted:
            return expected
        return self.purchases.apply(expected / horizon) * horizon

    def no_purchase_probability(self, probability: Floats, horizon: float) -> Floats:
        """Return corrected P(no purchase in ``horizon``), 0 to 1; shape as ``probability``."""
        if not self.activity.predicted:
            return probability
        rates = -np.log(np.maximum(probability, TINY)) / horizon
        return np.exp(-self.activity.apply(rates) * horizon)

    def raw_no_purchase_probability(self, corrected: Floats, horizon: float) -> Floats:
        """Return the model's probability that is corrected to ``corrected``, in its shape."""
        rates = -np.log(np.maximum(corrected, TINY)) / horizon
        return np.exp(-self.activity.undo(rates) * horizon)


class Outcome(Struct, frozen=True):
    """Forecasts for a window that is over, and what came; every array has shape (n,)."""

    expected_purchases: Floats
    no_purchase_probability: Floats
    purchases: Floats
    """That came; their mean where an entry stands for several customers."""
    inactive: Floats
    """1 for no purchase, 0 otherwise; their share where an entry stands for several."""
    customers: Floats
    """How many customers each entry stands for: 1, or a decile's number."""


def calibrate(windows: Sequence[Outcome], length: float) -> Calibration:
    """Return the correction that ``windows`` call for.

    It is fitted to all windows but the last; what does not improve that one by every criterion is
    dropped, and what does is fitted again to all of them.

    Args:
        windows: oldest first, none overlapping another, each forecast from its own beginning
            with what was known there. From fewer than two nothing follows.
        length: of each window, in the time unit, above 0.
    """
    if len(windows) < 2:  # noqa: PLR2004 - one to learn from, one to be convinced by
        return Calibration()
    *earlier, later = windows
    trial, final = _fit(earlier, length), _fit(windows, length)
    return Calibration(
        purchases=final.purchases if purchases_improve(trial, later, length) else Correction(),
        activity=final.activity if activity_improves(trial, later, length) else Correction(),
    )


def purchases_improve(calibration: Calibration, later: Outcome, length: float) -> bool:
    """Tell whether Poisson deviance and |bias of the total| of ``later`` both become smaller."""
    before, weights = later.expected_purchases, later.customers
    after = calibration.expected_purchases(before, length)
    bias = [abs(weights @ (forecast - later.purchases)) for forecast in (before, after)]
    deviance = [poisson_deviance(f, later.purchases, weights) for f in (before, after)]
    return bool(bias[1] < bias[0] and deviance[1] < deviance[0])


def activity_improves(calibration: Calibration, later: Outcome, length: float) -> bool:
    """Tell whether Brier score and log loss of P(no purchase) in ``later`` both become smaller."""
    before = later.no_purchase_probability
    after = calibration.no_purchase_probability(before, length)
    return all(
        loss(after, later.inactive, later.customers) < loss(before, later.inactive, later.customers)
        for loss in (brier_score, log_loss)
    )


def fit_correction(
    predicted: Floats, actual: Floats, customers: Floats, windows: int = 1
) -> Correction:
    """Return the map from expected purchases to what came on average, shrunk.

    On the forecasts that it is fitted to, it gives the total that the shrunk level says.

    Args:
        predicted: expected purchases, 0 or more, shape (n,), of all windows one after the other.
        actual: purchases that came, shape (n,).
        customers: how many each entry stands for, shape (n,).
        windows: how many independent ones they are from, 1 or more.

    Returns:
        At most ``KNOTS_MAX`` knots; none where nothing was expected.
    """
    groups = _groups(predicted, actual, customers, windows)
    means = _isotonic(groups)
    fitted = _rising(groups.predicted, means, groups.level)
    total = customers @ fitted.apply(predicted)
    factor = float(groups.level * (customers @ predicted) / total) if total else 1.0
    return Correction(fitted.predicted, tuple(factor * image for image in fitted.corrected))


def fit_activity_correction(
    predicted: Floats, actual: Floats, customers: Floats, windows: int = 1
) -> Correction:
    """Return the map of −ln P(no purchase), shrunk likewise.

    Args:
        predicted: P(at least one purchase), 0 to 1, shape (n,).
        actual: share of the entry's customers with a purchase, shape (n,).
        customers: how many each entry stands for, shape (n,).
        windows: how many independent ones they are from, 1 or more.
    """
    groups = _groups(predicted, actual, customers, windows)
    means = _isotonic(groups)
    rates = [-np.log1p(-np.minimum(of, NEAR_CERTAIN)) for of in (groups.predicted, means)]
    return _rising(rates[0], rates[1], groups.level)


def _isotonic(groups: "_Groups") -> Floats:
    """Return the rising means nearest to those of ``groups``, shape (k,)."""
    # Scoring needs none of it, and it takes half of a second to be imported: a fit waits for that.
    from scipy.optimize import isotonic_regression  # noqa: PLC0415

    means: Floats = isotonic_regression(groups.posterior, weights=groups.customers).x
    return means


class _Groups(Struct, frozen=True):
    """Customers by their forecasts: the means of k groups, each shape (k,), rising."""

    level: float
    predicted: Floats
    posterior: Floats
    customers: Floats


def _groups(predicted: Floats, actual: Floats, customers: Floats, windows: int) -> _Groups:
    """Cut at the deciles of the forecast; equal forecasts stay together."""
    some = predicted > NEGLIGIBLE
    predicted, actual, customers = predicted[some], actual[some], customers[some]
    values, place = np.unique(predicted, return_inverse=True)
    rank = np.cumsum(np.bincount(place, customers, minlength=len(values)))
    tenth = np.ceil(rank * (KNOTS_MAX / rank[-1])) if len(values) else rank
    group = np.unique(tenth, return_inverse=True)[1][place]
    number, expected, came = (
        np.bincount(group, weights).astype(np.float64)
        for weights in (customers, customers * predicted, customers * actual)
    )
    prior = expected.sum() / windows + LEVEL_PRIOR
    level = float((came.sum() + prior) / (expected.sum() + prior))
    # The posterior mean of the ratio under a gamma prior with mean ``level``.
    ratio = (came + GROUP_PRIOR) / (expected + GROUP_PRIOR / level)
    return _Groups(level, expected / number, ratio * expected / number, number)


def _rising(predicted: Floats, corrected: Floats, level: float) -> Correction:
    """Return the map through the points, tilted so that it rises strictly."""
    tilted = (1 - STRAIGHT) * corrected + STRAIGHT * level * predicted
    # Groups a rounding error apart are one knot.
    apart = np.diff(predicted, prepend=0) > predicted * SPACING
    return Correction(tuple(predicted[apart].tolist()), tuple(tilted[apart].tolist()))


def _fit(windows: Sequence[Outcome], length: float) -> Calibration:
    expected, probability, purchases, inactive, customers = (
        np.concatenate([getattr(window, name) for window in windows])
        for name in Outcome.__struct_fields__
    )
    return Calibration(
        purchases=fit_correction(expected, purchases, customers, len(windows)).per(length),
        activity=fit_activity_correction(
            1 - probability, 1 - inactive, customers, len(windows)
        ).per(length),
    )
