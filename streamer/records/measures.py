"""Figures of the whole shop: what ``programme-measures`` carries, compacted by measure."""

from datetime import datetime
from typing import Literal

from msgspec import Struct

from streamer.records.models import ModelCheck


class ModelCalibration(Struct, frozen=True, kw_only=True):
    """How far the forecasts were off in the last window that is over."""

    measure: Literal["model_calibration"] = "model_calibration"
    """Its key, too."""
    as_of: datetime
    """Event time up to which purchases were known."""
    measured_at: datetime
    model_version: str
    """The model that this led to."""
    figures: ModelCheck
    schema_version: Literal[1] = 1
