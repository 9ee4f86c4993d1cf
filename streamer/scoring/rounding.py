"""Averages and forecasts of money as texts."""

import numpy as np

from streamer.records.money import DECIMALS, TOTAL_LIMIT, format_amounts
from streamer.scoring.columns import Flags
from streamer.scoring.models.special import bounded
from streamer.scoring.occasion import where_known
from streamer.scoring.rhythm import Floats


def in_units(micros: Floats, unit: int) -> Floats:
    """Return amounts in millionths, shape (n,), bounded and in whole ``unit`` of millionths."""
    units: Floats = np.rint(bounded(micros, -TOTAL_LIMIT, TOTAL_LIMIT) / unit)
    return units


def rounded(micros: Floats, known: Flags, digits: int) -> list[str | None]:
    """Return amounts in millionths, shape (n,), as texts rounded to the minor unit of ``digits``.

    Null where not ``known``.
    """
    if not known.any():
        return [None] * len(known)
    unit = 10 ** (DECIMALS - digits)
    minor = in_units(np.where(known, micros, 0.0), unit).astype(np.int64)
    return where_known(format_amounts(minor * unit, digits), known.tolist())
