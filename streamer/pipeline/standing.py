"""Referrers' churn in a unit of work: whom a customer brought is told when it lapses or is back.

What they end up knowing follows from the order of the partition's purchases, not from what is read
beside them or how much at once:

- A customer has lapsed if the partition's *time* is past its last crossing, wherever its own other
  events may be: those are of other topics, and may be read ahead of purchases that deny it.
- A purchase that ends a lapse says so whether or not the lapse was told before: many events at
  once end in what each alone would.
- Of every customer the last return is remembered, whether or not it has brought anybody: a referral
  that is read behind it tells what it would have told if read before (see ``Told.returned``).

Rows without ``brought`` cost a look at their timer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from streamer.pipeline.announcing import Book
from streamer.records.events import Purchase, Referral, ReferrerStanding
from streamer.records.instants import NEVER
from streamer.scoring.bands import crossings_of, lapses_by
from streamer.scoring.columns import Earlier
from streamer.scoring.rhythm import FAR
from streamer.scoring.score import Scoring
from streamer.state.row import Row

if TYPE_CHECKING:
    from streamer.pipeline.partition import Partition

SILENCE_ID = "silence"
MODEL_ID = "model"
"""What stands for an event's id where none has made a standing."""

Brought = list[tuple[int, str]]
Told = list[ReferrerStanding]
Standing = tuple[int, int]
"""What those a customer brought are told, and as of when; 0 and ``NEVER`` if it never lapsed."""


class Standings:
    """What the customers of a partition tell those they brought.

    Args:
        partition: theirs.
        book: remembers their returns.
    """

    def __init__(self, partition: "Partition", book: Book) -> None:
        self._partition, self._book = partition, book
        self._bought: list[tuple[str, Earlier, int, int]] = []

    def bought(self, event: Purchase, earlier: Earlier, now: int) -> None:
        """Note a purchase of a customer who may have lapsed; ``settle`` finds out, many at once.

        Args:
            event: the purchase.
            earlier: what the customer's row said just before.
            now: the partition's time then.
        """
        self._bought.append((event.customer_id, earlier, event.occurred_at, now))

    def settle(self) -> None:
        """Remember whom the purchases noted since the last call have brought back from a lapse."""
        bought, self._bought = self._bought, []
        if not bought:
            return
        customers, rows, instants, times = zip(*bought, strict=True)
        lapses = lapses_by(rows, np.array(times), self._partition.scoring)
        for customer_id, earlier, at, lapse in zip(customers, rows, instants, lapses, strict=True):
            if lapse < FAR:
                last = self._book.last(customer_id)
                # What comes late moves no instant back that may have been told.
                since = max(lapse, at, earlier.last_purchase_at, *last.returned[1:])
                number = self._number(earlier.orders + 1, lapsed=False)
                self._book.note(customer_id, last, replace(last, returned=(number, since)))

    def of_link(self, event: Referral, row: Row, now: int) -> Standing:
        """Return what the link that ``event`` makes is to carry.

        Args:
            event: folded.
            row: of its customer.
            now: the partition's time.
        """
        self.settle()
        named = any(who == event.referred_customer_id for _, who in row.brought)
        return self._standing(event.customer_id, row, now) if named else (0, NEVER)

    def of_dropped(self, event: Referral, row: Row, before: Brought) -> Told:
        """Return what those are told whom ``event``, an earlier one, leaves no room for.

        They were ``brought`` before, and are told no more: so that nobody stays behind who heard
        of a lapse.
        """
        dropped = {who for _, who in before} - {who for _, who in row.brought}
        number = self._number(row.orders, lapsed=True) + 1
        return [
            ReferrerStanding(
                event.event_id, who, at, event.customer_id, at, standing=number, anew=True
            )
            for at, who in before
            if who in dropped
        ]

    def of_purchase(self, event: Purchase, row: Row, now: int) -> Told:
        """Return what is told after a purchase that was folded into ``row``.

        Who neither had lapsed just before nor has now tells nothing.
        """
        before = self._book.last(event.customer_id).returned
        self.settle()
        standing = self._standing(event.customer_id, row, now)
        if standing == (before or (0, NEVER)):
            return []
        return _told(event.event_id, event.customer_id, row, standing)

    def wakes(self, scorings: Iterable[Scoring], time: int) -> Iterator[tuple[str, int]]:
        """Give customers and their lapses that other events have taken them past, time has not.

        Their timers are of no use to themselves any more, but those they brought wait for them.
        """
        for one in scorings:
            if one.row.brought and time < one.crossings[-1] <= one.as_of:
                yield one.customer_id, one.crossings[-1]

    def of_silence(
        self, rows: Mapping[str, Row], row_crossings: Sequence[Sequence[int]], after: int, now: int
    ) -> Told:
        """Return what is told by those of ``rows`` whom time, from ``after`` to ``now``, lapses."""
        return [
            message
            for (customer_id, row), instants in zip(rows.items(), row_crossings, strict=True)
            if row.brought and after < instants[-1] <= now
            for message in _told(
                SILENCE_ID, customer_id, row, self._standing(customer_id, row, now)
            )
        ]

    def of_models(self, rows: Mapping[str, Row], time: int) -> Told:
        """Return what is told by customers of whom a new model may say something else.

        It holds from when they are scored anew, so that nobody's score is of before it.
        """
        told: Told = []
        for customer_id, row in rows.items():
            if row.brought and row.orders:
                now = max(row.as_of, time)
                number = self._number(row.orders, lapsed=self._lapse(row) <= time)
                told += [
                    ReferrerStanding(MODEL_ID, who, now, customer_id, at, number, anew=True)
                    for at, who in row.brought
                ]
        return told

    def _standing(self, customer_id: str, row: Row, now: int) -> Standing:
        number, since = self._book.last(customer_id).returned or (0, NEVER)
        lapse = self._lapse(row)
        if lapse <= now:
            return self._number(row.orders, lapsed=True), max(lapse, since)
        return number, since

    def _number(self, orders: int, *, lapsed: bool) -> int:
        return 2 * (orders + self._partition.scoring.generation) + lapsed

    def _lapse(self, row: Row) -> int:
        if not row.orders:
            return FAR
        lapse: int = crossings_of([row], self._partition.scoring)[0, -1].item()
        return lapse


def _told(event_id: str, customer_id: str, row: Row, standing: Standing) -> Told:
    number, since = standing
    return [
        ReferrerStanding(event_id, who, since, customer_id, at, number) for at, who in row.brought
    ]
