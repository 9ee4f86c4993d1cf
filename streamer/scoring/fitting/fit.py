"""Fitting the models to a shop: the parameters, how well they are known, and whether to use them.

The parameters are at the maximum of likelihood × prior (see ``prior``, which moves them only where
the data say nothing). Standard errors are of the same density: its observed information in the
logarithms of the parameters, inverted, times the parameter (delta method). In no direction of the
search is that information less than the prior's own, so that what the data leave open has a large
error, and a finite one.
"""

from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct

from streamer.errors import StreamerError
from streamer.scoring.fitting.bg_nbd import BgNbdLikelihood, MbgNbdLikelihood
from streamer.scoring.fitting.distinct import DistinctHistories, distinct
from streamer.scoring.fitting.gamma_gamma import GammaGammaLikelihood
from streamer.scoring.fitting.likelihood import Likelihood
from streamer.scoring.fitting.maximum import maximum
from streamer.scoring.fitting.pareto_nbd import ParetoNbdLikelihood
from streamer.scoring.fitting.prior import VARIANCE, log_prior
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.time_unit import TimeUnit

PURCHASE_LIKELIHOODS: Mapping[str, Callable[[DistinctHistories], Likelihood]] = {
    "mbg_nbd": MbgNbdLikelihood,
    "bg_nbd": BgNbdLikelihood,
    "pareto_nbd": ParetoNbdLikelihood,
}
"""The models of purchasing, by their names on the wire."""

GAMMA_GAMMA = "gamma_gamma"
"""The model of value."""

REPEAT_CUSTOMERS_MIN = 30
"""With fewer, a fit is given but scores stay by formula."""


class NothingToFitError(StreamerError):
    """There is no customer of whom the model says anything."""


class Fit(Struct, frozen=True):
    """A model fitted to a shop. Every number is finite."""

    model: str
    """mbg_nbd, bg_nbd, pareto_nbd or gamma_gamma."""
    parameters: dict[str, float]
    """By name; alpha and beta in ``time_unit``, gamma in the currency of the values."""
    standard_errors: dict[str, float]
    """Of the same names."""
    log_likelihood: float
    """At the parameters, without the prior."""
    customers: int
    """How many there are."""
    repeat_customers: int
    """Those of them with a repeat occasion; for gamma_gamma, of a value above 0."""
    time_unit: TimeUnit | None
    """None where the model knows no time."""
    undetermined: tuple[str, ...]
    """Parameters whose standard error exceeds themselves: the data leave them open, and so only
    what they say together counts. One is then held by the prior alone, or a ridge joins several."""
    reason_for_formula: str | None
    """Why scores should stay by formula; None where the fit may be used."""


def fit_purchases(model: str, customers: Histories, time_unit: TimeUnit) -> Fit:
    """Fit a model of purchasing to ``customers``.

    Args:
        model: a name of ``PURCHASE_LIKELIHOODS``.
        customers: n histories whose x are whole, in ``time_unit``.
        time_unit: named in the result.

    Raises:
        NothingToFitError: n is 0.
    """
    if not len(customers.x):
        raise NothingToFitError("there is no customer to fit a model to: wait for some.")
    likelihood = PURCHASE_LIKELIHOODS[model](distinct(customers))
    repeaters = int(np.count_nonzero(customers.x))
    return _fitted(model, likelihood, len(customers.x), repeaters, time_unit)


def fit_values(x: Floats, mean_value: Floats) -> Fit:
    """Fit the Gamma-Gamma model to customers' mean values.

    Args:
        x: repeat occasions, shape (n,).
        mean_value: of those occasions, shape (n,); customers without any, or of 0 or less, say
            nothing of it.

    Raises:
        NothingToFitError: nobody says anything.
    """
    valued = (x > 0) & (mean_value > 0)
    repeaters = int(np.count_nonzero(valued))
    if not repeaters:
        raise NothingToFitError(
            "no customer has a repeat purchase of a value above 0: wait for some."
        )
    likelihood = GammaGammaLikelihood(x[valued], mean_value[valued])
    return _fitted(GAMMA_GAMMA, likelihood, len(x), repeaters, None)


def _fitted(
    model: str, likelihood: Likelihood, customers: int, repeaters: int, unit: TimeUnit | None
) -> Fit:
    names, directions = likelihood.names, likelihood.directions

    def log_posterior(place: Floats) -> tuple[float, Floats]:
        multiples = directions @ place
        value, slopes = likelihood(np.exp(multiples) * likelihood.scales)
        prior_value, prior_slopes = log_prior(multiples)
        return value + prior_value, directions.T @ (slopes + prior_slopes)

    found = maximum(log_posterior, len(names), customers, VARIANCE)
    parameters = np.exp(directions @ found.place) * likelihood.scales
    errors = parameters * np.sqrt(np.diag(directions @ found.covariance @ directions.T))
    return Fit(
        model=model,
        parameters=dict(zip(names, parameters.tolist(), strict=True)),
        standard_errors=dict(zip(names, errors.tolist(), strict=True)),
        log_likelihood=likelihood(parameters)[0],
        customers=customers,
        repeat_customers=repeaters,
        time_unit=unit,
        undetermined=tuple(np.array(names)[errors > parameters].tolist()),
        reason_for_formula=_reason_for_formula(repeaters, converged=found.converged),
    )


def _reason_for_formula(repeaters: int, *, converged: bool) -> str | None:
    if repeaters < REPEAT_CUSTOMERS_MIN:
        return f"a fit needs {REPEAT_CUSTOMERS_MIN} repeat customers, there are {repeaters}"
    return None if converged else "the search for the parameters did not converge"
