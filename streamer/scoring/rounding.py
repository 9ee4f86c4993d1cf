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
    bounded = np.where(known, np.clip(micros, -TOTAL_LIMIT, TOTAL_LIMIT), 0)
    minor = np.rint(bounded / unit).astype(np.int64)
    return where_known(format_amounts(minor * unit, digits), known.tolist())
