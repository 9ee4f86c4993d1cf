"""Whether the model that scores go by is of this time."""

from datetime import UTC, datetime, timedelta

from streamer.cli.doctor.verdicts import Verdict
from streamer.cli.showing import counted
from streamer.engine.models import newest_model
from streamer.settings import Settings

AGE_MAX = timedelta(days=90)
"""A quarter: seasons, prices and campaigns change what customers do."""

INTERVALS_MAX = 3
"""Of the scheduled fits so many may fail, one after the other."""


async def model(settings: Settings) -> Verdict:
    """Look how old the newest model is; having none is no fault, but worth saying."""
    found = await newest_model(settings)
    if found is None:
        text = "none is fitted: churn risk is by formula, predicted_clv null"
        return Verdict("model", True, f"{text} (`streamer fit --from-kafka` fits one)")
    age = datetime.now(UTC) - found.fitted_at
    interval = timedelta(hours=settings.fit_interval_hours)
    text = f"{found.model_version} was fitted {counted(max(age.days, 0), 'day')} ago"
    if interval and age > INTERVALS_MAX * interval:
        text += f", though every {settings.fit_interval_hours:g} hours were asked for"
        remedy = "see the log of the worker that holds partition 0 for why fits fail"
        return Verdict("model", False, text, remedy)
    if age > AGE_MAX:
        remedy = "run `streamer fit --from-kafka`, or have a worker do so: "
        return Verdict("model", False, text, remedy + "STREAMER_FIT_INTERVAL_HOURS=24")
    return Verdict("model", True, text)
