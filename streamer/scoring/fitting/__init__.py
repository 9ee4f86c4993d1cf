"""Finding the parameters of the models: likelihoods, one a module, and the search for the best.

``fit_purchases`` and ``fit_values`` give a ``Fit``; see ``fit.py`` for what it holds.
"""

from streamer.scoring.fitting.fit import (
    GAMMA_GAMMA,
    PURCHASE_LIKELIHOODS,
    REPEAT_CUSTOMERS_MIN,
    Fit,
    NothingToFitError,
    fit_purchases,
    fit_values,
)

__all__ = [
    "GAMMA_GAMMA",
    "PURCHASE_LIKELIHOODS",
    "REPEAT_CUSTOMERS_MIN",
    "Fit",
    "NothingToFitError",
    "fit_purchases",
    "fit_values",
]
