"""Averages and forecasts of money as texts."""

import numpy as np

from streamer.records.money import DECIMALS, TOTAL_LIMIT, format_amounts
from streamer.scoring.columns import Flags
from streamer.scoring.occasion import where_known
from streamer.scoring.rhythm import Floats


def rounded(micros: Floats, known: Flags, digits: int) -> list[str | None]:
    """Return amounts in millionths, shape (n,), as texts rounded to the minor unit of ``digits``.

    Null where not ``known``.
    """
    if not known.any():
        return [None] * len(known)
    unit = 10 ** (DECIMALS - digits)
    minor = in_minor_units(np.where(known, micros, 0), unit).astype(np.int64)
    return where_known(format_amounts(minor * unit, digits), known.tolist())


def in_minor_units(micros: Floats, unit: int) -> Floats:
    """Return amounts in millionths as whole minor units of ``unit`` millionths, within bounds."""
    # Of a few amounts, `np.clip` takes three times as long.
    bounded = np.minimum(np.maximum(micros, -TOTAL_LIMIT), TOTAL_LIMIT)
    whole: Floats = np.rint(bounded / unit)
    return whole
