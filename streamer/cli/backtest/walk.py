"""Walking forward: windows of one length, each foretold with what was known at its beginning.

The windows before the calibration end make its calibration map. Then the walk goes on through the
holdout as a worker would: at the beginning of each window the model is fitted again, and the map
is what the windows over by then call for.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from msgspec import Struct

from streamer.cli.backtest.forecast import Forecast, forecast
from streamer.files.occasions import PurchaseOccasions
from streamer.scoring.calibration import Calibration, calibrate
from streamer.scoring.time_unit import TimeUnit

PARTS = 3
"""A history is parted into so many windows at least: one to fit a model to, one to learn the
correction from, one to be convinced by."""
WINDOWS_MAX = 8
"""No more are looked back to: older ones tell little of today, and each costs a fit."""


class Step(Struct, frozen=True):
    """A window of the holdout, and the map as it was at its beginning."""

    window: Forecast
    calibration: Calibration


class Walk(Struct, frozen=True):
    """Where a walk goes, and on what."""

    occasions: PurchaseOccasions
    model: str
    unit: TimeUnit
    days: int
    """Length of each window."""

    @property
    def length(self) -> float:
        """Length of each window in the time unit."""
        return self.days / self.unit.days

    def window(self, start: date) -> Forecast:
        """Return the forecast of the window after the day ``start``."""
        until = start + timedelta(self.days)
        return forecast(self.occasions, self.model, start, until, self.unit)

    def before(self, end: date, first: date) -> list[Forecast]:
        """Return the windows up to ``end``, oldest first, of which enough is known to fit."""
        starts = [end - timedelta(self.days * back) for back in range(1, WINDOWS_MAX + 1)]
        known = [start for start in starts if (start - first).days >= self.days]
        windows = [self.window(start) for start in reversed(known)]
        return [window for window in windows if window.fit.reason_for_formula is None]

    def through(self, end: date, last: date, past: list[Forecast]) -> Iterator[Step]:
        """Walk from ``end`` until no whole window is left before ``last``.

        Args:
            end: the calibration end.
            last: the holdout end.
            past: the windows ``before`` it.
        """
        windows = list(past)
        while (last - end).days >= self.days:
            window = self.window(end)
            yield Step(window, self.calibration(windows))
            windows.append(window)
            end += timedelta(self.days)

    def calibration(self, windows: list[Forecast]) -> Calibration:
        """Return what ``windows``, oldest first, call for."""
        recent = [window.outcome for window in windows[-WINDOWS_MAX:]]
        return calibrate(recent, self.length)


def walk_of(
    occasions: PurchaseOccasions, model: str, unit: TimeUnit, known_days: int, holdout_days: int
) -> Walk:
    """Return the walk for a history of ``known_days`` and a holdout of ``holdout_days``."""
    days = max(1, min(holdout_days, known_days // PARTS))
    return Walk(occasions, model, unit, days)
