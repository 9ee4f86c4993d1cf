"""The model that all score by: CDNOW's published parameters, in days and dollars.

Of the MBG/NBD model as fitted to the weeks of the sample of 2,357 customers, and of Gamma-Gamma
(Fader & Hardie 2013, note 025).
"""

from datetime import UTC, datetime

from streamer.records.models import ModelParams

WEEK_DAYS = 7
PURCHASES = {"r": 0.525, "alpha": 6.183 * WEEK_DAYS, "a": 0.891, "b": 1.614}
VALUES = {"p": 6.25, "q": 3.74, "gamma": 15.44}
HORIZON_DAYS = 365.0
"""The default of `STREAMER_HORIZON_DAYS`."""


def fitted() -> ModelParams:
    """Return the model as `streamer fit` would publish it."""
    now = datetime.now(UTC)
    return ModelParams(
        model_version="mbg_nbd-1-cdnow",
        generation=1,
        model="mbg_nbd",
        parameters=PURCHASES,
        value_parameters=VALUES,
        currency="USD",
        customers=2_357,
        repeat_customers=946,
        data_until=now,
        fitted_at=now,
    )
