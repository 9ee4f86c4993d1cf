"""Models as they come over ``model-params``, for tests: CDNOW's parameters, in days."""

from datetime import UTC, datetime
from typing import Any

from streamer.records.models import ModelParams

WEEK = 7.0


def model_params(generation: int = 1, **changes: Any) -> ModelParams:
    """Return MBG/NBD and Gamma-Gamma with the published parameters of CDNOW's sample."""
    fields: dict[str, Any] = {
        "model_version": f"mbg_nbd-{generation}-00000000",
        "generation": generation,
        "model": "mbg_nbd",
        "parameters": {"r": 0.525, "alpha": 6.183 * WEEK, "a": 0.891, "b": 1.614},
        "value_parameters": {"p": 6.25, "q": 3.74, "gamma": 15.44},
        "currency": "USD",
        "customers": 2357,
        "repeat_customers": 946,
        "data_until": datetime(1997, 9, 30, tzinfo=UTC),
        "fitted_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return ModelParams(**{**fields, **changes})
