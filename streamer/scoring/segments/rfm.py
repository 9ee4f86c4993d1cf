"""Recency, frequency and monetary value as scores of 1 to 5, by thresholds.

Hughes 1994 (Strategic Database Marketing) takes fifths of the base. Fifths move when other
customers do, and need the whole base at hand; thresholds are the shop's own, and a customer's
score depends on that customer alone.
"""

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.scoring.expressions import Frame

CUTS = 4
"""Thresholds that make five scores."""

SCORES = ("rfm_recency", "rfm_frequency", "rfm_monetary")


class Rfm(Struct, frozen=True, forbid_unknown_fields=True):
    """Four rising thresholds of each score.

    Args:
        recency_days: days since the last purchase; up to the first of them scores 5.
        frequency_orders: orders; below the first scores 1, from the last on 5.
        monetary_value: ``historic_clv``, likewise.
    """

    recency_days: tuple[float, float, float, float]
    frequency_orders: tuple[float, float, float, float]
    monetary_value: tuple[float, float, float, float]

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            cuts = getattr(self, name)
            if sorted(set(cuts)) != list(cuts):
                raise ValueError(f"rfm.{name} must rise")

    def add_to(self, frame: Frame) -> None:
        """Let expressions over ``frame`` name the scores; unknown before the first purchase."""
        bought = frame.column("orders") > 0
        recency = self._place(self.recency_days, frame.column("days_since_last_purchase"), "left")
        columns = {
            "rfm_recency": CUTS + 1 - recency,
            "rfm_frequency": 1 + self._place(self.frequency_orders, frame.column("orders")),
            "rfm_monetary": 1 + self._place(self.monetary_value, frame.column("historic_clv")),
        }
        for name, scores in columns.items():
            frame.add(name, np.where(bought, scores, np.nan))

    @staticmethod
    def _place(
        cuts: tuple[float, ...], figures: NDArray[np.float64], side: str = "right"
    ) -> NDArray[np.int64]:
        places: NDArray[np.int64] = np.searchsorted(cuts, figures, side=side)  # type: ignore[call-overload] # "left" or "right"
        return places
