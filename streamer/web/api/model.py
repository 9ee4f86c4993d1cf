"""The model that scores go by, and how far it was off."""

from msgspec import Struct

from streamer.engine.models import calibration_of
from streamer.records.measures import ModelCalibration
from streamer.records.models import FORMULA, ModelParams
from streamer.web.problems import Problem
from streamer.web.routing import Call, Route


class ModelInForce(Struct, frozen=True, kw_only=True):
    """By what scores are made."""

    model_version: str
    """``formula`` before one is fitted."""
    params: ModelParams | None
    null_reasons: dict[str, str]


async def get_model(call: Call) -> ModelInForce:
    """Tell the newest model."""
    params = call.site.app.model
    if params is None:
        reason = "no model is fitted yet: `streamer fit --from-kafka`"
        return ModelInForce(model_version=FORMULA, params=None, null_reasons={"params": reason})
    return ModelInForce(model_version=params.model_version, params=params, null_reasons={})


async def get_calibration(call: Call) -> ModelCalibration:
    """Tell how the last window that is over was foretold."""
    params = call.site.app.model
    found = None if params is None else calibration_of(params)
    if found is None:
        raise Problem(404, "no model has been checked yet: fit one, and again when time has passed")
    return found


ROUTES = (
    Route(
        path="/v1/model",
        handler=get_model,
        summary="The model that scores go by: parameters, errors, when and on what it was fitted",
        tag="model",
        answer=ModelInForce,
    ),
    Route(
        path="/v1/calibration",
        handler=get_calibration,
        summary="How the last window that is over was foretold: bias, coverage, deciles",
        tag="model",
        answer=ModelCalibration,
        problems=(404,),
    ),
)
