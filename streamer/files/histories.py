"""Purchase occasions up to a day as the models take them, and what came after it.

Days are UTC and whole: x, t_x and T are those of Fader, Hardie & Lee 2005 (Marketing Science
24:275) for daily data. A customer's time begins with the first occasion.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamer.errors import StreamerError
from streamer.files.layout import USUAL, Layout
from streamer.files.occasions import Floats, Integers, PurchaseOccasions, read_occasions
from streamer.records.instants import DAY, from_datetime
from streamer.scoring.time_unit import TimeUnit
from streamer.serdes.events import EventDecoder


class HistoriesError(StreamerError):
    """There are no purchase histories in these bounds."""


class PurchaseHistories(Struct, frozen=True):
    """Purchase histories of n customers up to a calibration end; every array has shape (n,).

    They are the customers whose first occasion is no later than ``calibration_end``.
    """

    customer_id: NDArray[np.object_]
    x: Floats
    """Repeat occasions: days with a purchase after the first such day."""
    t_x: Floats
    """Time from the first occasion to the last, in ``time_unit``."""
    T: Floats
    """Time from the first occasion to the calibration end, in ``time_unit``."""
    mean_value: Floats
    """Mean value of the repeat occasions, in the reporting currency; 0 where x is 0."""
    holdout_purchases: Floats
    """Occasions after the calibration end up to the holdout end."""
    holdout_value: Floats
    """Value of those occasions, in the reporting currency."""
    repeats_by_day: Integers
    """Repeat occasions of all these customers on each day from ``first_day`` to the holdout end."""
    first_day: date
    """Of the first occasion of all."""
    calibration_end: date
    """The last day of the calibration."""
    holdout_end: date
    """The last day of the holdout; the calibration end where there is none."""
    time_unit: TimeUnit
    refused: Mapping[str, int]
    """Events that are dead letters, by reason."""

    @property
    def horizon(self) -> float:
        """Length of the holdout in ``time_unit``."""
        return (self.holdout_end - self.calibration_end).days / self.time_unit.days


def read_histories(
    file: str,
    calibration_end: date | None = None,
    holdout_end: date | None = None,
    unit: TimeUnit = TimeUnit.WEEK,
    *,
    decoder: EventDecoder | None = None,
    layout: Layout = USUAL,
) -> PurchaseHistories:
    """Read the purchase histories of a file of events or transactions.

    Args:
        file: its name; ``-`` is standard input.
        calibration_end: see ``histories_of``, as for all but ``decoder`` and ``layout``.
        holdout_end: see there.
        unit: see there.
        decoder: of the shop's settings; by default money is US dollars.
        layout: how a table writes what it says.

    Raises:
        FileError: the file cannot be read as it stands; it names the line.
        HistoriesError: there is no purchase up to the calibration end, or the ends are astray.
    """
    return histories_of(read_occasions(file, decoder, layout), calibration_end, holdout_end, unit)


def histories_of(
    occasions: PurchaseOccasions,
    calibration_end: date | None = None,
    holdout_end: date | None = None,
    unit: TimeUnit = TimeUnit.WEEK,
) -> PurchaseHistories:
    """Summarise ``occasions``.

    Args:
        occasions: of any days.
        calibration_end: the last day that histories know of; by default that of the last purchase.
        holdout_end: the last day of the holdout; by default there is none.
        unit: of ``t_x`` and ``T``.

    Raises:
        HistoriesError: there is no purchase up to the calibration end, or the ends are astray.
    """
    end, last = _ends(occasions, calibration_end, holdout_end)
    known = _known_by(occasions, end, last)
    customer, day, value = known.customer, known.day, known.value
    starts = np.flatnonzero(np.diff(customer, prepend=-1))
    start_day = day[starts]
    first_day = start_day.min()
    repeat = day > start_day[customer]
    calibration, holdout = repeat & (day <= end), day > end
    x = _per_customer(known, calibration)
    return PurchaseHistories(
        customer_id=known.customer_id,
        x=x,
        t_x=(day[starts + x.astype(np.int64)] - start_day) / unit.days,
        T=(end - start_day) / unit.days,
        mean_value=_per_customer(known, calibration, value) / np.maximum(x, 1),
        holdout_purchases=_per_customer(known, holdout),
        holdout_value=_per_customer(known, holdout, value),
        repeats_by_day=np.bincount(day[repeat] - first_day, minlength=last - first_day + 1),
        first_day=_date(first_day),
        calibration_end=_date(end),
        holdout_end=_date(last),
        time_unit=unit,
        refused=occasions.refused,
    )


def _known_by(occasions: PurchaseOccasions, end: int, last: int) -> PurchaseOccasions:
    """Return the occasions up to the day ``last`` of customers who have bought by ``end``.

    Raises:
        HistoriesError: there are none.
    """
    customers = np.unique(occasions.customer[occasions.day <= end])
    if not customers.size:
        raise HistoriesError(
            f"there is no purchase up to {_date(end)}: choose a later end of the calibration."
        )
    chosen = np.isin(occasions.customer, customers) & (occasions.day <= last)
    return PurchaseOccasions(
        occasions.customer_id[customers],
        np.searchsorted(customers, occasions.customer[chosen]),
        occasions.day[chosen],
        occasions.value[chosen],
        occasions.refused,
    )


def _per_customer(
    occasions: PurchaseOccasions, which: NDArray[np.bool_], weights: Floats | None = None
) -> Floats:
    """Return the number, or the sum of ``weights``, of each customer's ``which`` occasions."""
    chosen = None if weights is None else weights[which]
    sums = np.bincount(occasions.customer[which], chosen, minlength=len(occasions.customer_id))
    return sums.astype(np.float64)


def _ends(
    occasions: PurchaseOccasions, calibration_end: date | None, holdout_end: date | None
) -> tuple[int, int]:
    """Return the last days of the calibration and of the holdout, in days since 1970."""
    end = int(occasions.day.max(initial=0)) if calibration_end is None else _day(calibration_end)
    last = end if holdout_end is None else _day(holdout_end)
    if last < end:
        raise HistoriesError("the holdout ends before the calibration: choose a later holdout end.")
    return end, last


def _day(of: date) -> int:
    return from_datetime(datetime(of.year, of.month, of.day, tzinfo=UTC)) // DAY


def _date(day: int) -> date:
    return date.fromordinal(date(1970, 1, 1).toordinal() + int(day))
