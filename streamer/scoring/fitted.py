"""The model that a shop's customers are scored by, made of its published parameters."""

from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from streamer.records.models import ModelParams
from streamer.scoring.calibration import Calibration
from streamer.scoring.ideal.profile import Ideal, ideal_of
from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.pareto_nbd import ParetoNbd

PURCHASE_MODELS: Mapping[str, Callable[..., PurchaseModel]] = {
    "mbg_nbd": MbgNbd,
    "bg_nbd": BgNbd,
    "pareto_nbd": ParetoNbd,
}
"""By their names on the wire."""


class FittedModel(Struct, frozen=True):
    """A model in force. Time is in days, money in the reporting currency."""

    version: str
    generation: int
    purchases: PurchaseModel | None
    """None where there was too little to fit: scores are by formula."""
    rhythm: tuple[float, float] | None
    """r and alpha (days) of the prior of a customer's purchase rate, where there are purchases."""
    values: GammaGamma | None
    calibration: Calibration
    ideal: Ideal | None = None
    """The profile that customers are compared with; None where there is none."""


def fitted_model(params: ModelParams) -> FittedModel:
    """Return the model of ``params``.

    Raises:
        ValueError: a parameter is missing or out of its range.
    """
    make = PURCHASE_MODELS.get(params.model)
    values = params.value_parameters
    try:
        return FittedModel(
            version=params.model_version,
            generation=params.generation,
            purchases=None if make is None else make(**params.parameters),
            rhythm=None if make is None else (params.parameters["r"], params.parameters["alpha"]),
            values=None if values is None else GammaGamma(**values),
            calibration=msgspec.convert(params.calibration, Calibration),
            ideal=None if params.profile is None else ideal_of(params.profile),
        )
    except (TypeError, msgspec.ValidationError) as error:
        raise ValueError(
            f"the model's parameters are not those of {params.model}: {error}"
        ) from None
