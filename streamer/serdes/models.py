"""Fitted models as JSON, as ``model-params`` carries them."""

import msgspec

from streamer.errors import StreamerError
from streamer.records.models import ModelParams
from streamer.serdes import UNREADABLE

encode_model_params = msgspec.json.Encoder().encode
"""Return a model as JSON."""

encode_measure = encode_model_params
"""Return a measure as JSON."""

_decode = msgspec.json.Decoder(ModelParams).decode


class ModelParamsError(StreamerError):
    """What should be a model is none."""


def decode_model_params(value: bytes) -> ModelParams:
    """Return the model in ``value``.

    Raises:
        ModelParamsError: it is none.
    """
    try:
        return _decode(value)
    except UNREADABLE as error:
        raise ModelParamsError(
            f"this is no model ({error}): `streamer fit --json` writes one."
        ) from None
