"""Referrers' churn in a unit of work: whom a customer brought is told when it lapses or is back.

A purchase that ends a lapse says so whether or not the lapse was told before: many events at once
end in what each alone would. Silence tells what it takes somebody to. Rows without ``brought``
cost nothing but the look.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from streamer.records.events import Purchase, Referral, ReferrerStanding
from streamer.scoring.bands import crossings_of
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


class Standings:
    """What the customers of a partition tell those they brought."""

    def __init__(self, partition: "Partition") -> None:
        self._partition = partition

    def before(self, event: Purchase, row: Row, until: int) -> bool:
        """Return whether the customer of ``row`` had lapsed when it came to purchase.

        Args:
            event: not folded yet.
            row: of its customer.
            until: silence was told of up to here.
        """
        return self._lapse(row) <= max(row.as_of, until, event.occurred_at)

    def of_link(self, event: Referral, row: Row, until: int) -> int:
        """Return what the link that ``event`` makes is to carry: 0 unless the referrer lapsed."""
        named = any(who == event.referred_customer_id for _, who in row.brought)
        has_lapsed = named and self._lapse(row) <= max(row.as_of, until)
        return self._number(row, lapsed=True) if has_lapsed else 0

    def of_dropped(self, event: Referral, row: Row, before: Brought) -> Told:
        """Return what those are told whom ``event``, an earlier one, leaves no room for.

        They were ``brought`` before, and are told no more: so that nobody stays behind who heard
        of a lapse.
        """
        dropped = {who for _, who in before} - {who for _, who in row.brought}
        number = self._number(row, lapsed=True) + 1
        return [
            ReferrerStanding(
                event.event_id, who, at, event.customer_id, at, standing=number, anew=True
            )
            for at, who in before
            if who in dropped
        ]

    def of_purchase(self, event: Purchase, row: Row, until: int, *, lapsed: bool) -> Told:
        """Return what is told after a purchase that was folded into ``row``.

        ``lapsed`` is whether the customer had, just before; who neither had nor has tells nothing.
        """
        lapse = self._lapse(row)
        lapses = lapse <= max(row.as_of, until)
        if not (lapsed or lapses):
            return []
        return self._told(event.event_id, event.customer_id, row, lapse if lapses else None)

    def of_changed(
        self,
        scorings: Iterable[Scoring],
        told_until: int,
        stood: Callable[[str], Earlier | None],
    ) -> Told:
        """Return what is told by customers whom events, no purchases, have taken past a lapse.

        Silence was told of up to ``told_until``, and will not tell of it again. ``stood`` gives
        what a row said when it was scored last.
        """
        told: Told = []
        for one in scorings:
            if one.row.brought and told_until < (lapse := one.crossings[-1]) <= one.as_of:
                before = stood(one.customer_id)
                if before is None or before.orders < one.row.orders or before.as_of < lapse:
                    told += self._fallen(one)
        return told

    def of_silence(self, due: Iterable[Scoring]) -> Told:
        """Return what is told by those whom silence has taken to where they count as lapsed."""
        return [
            message
            for one in due
            if one.row.brought and one.as_of == one.crossings[-1]
            for message in self._fallen(one)
        ]

    def of_models(self, rows: Mapping[str, Row], until: int) -> Told:
        """Return what is told by customers of whom a new model may say something else.

        It holds from when they are scored anew, so that nobody's score is of before it.
        """
        told: Told = []
        for customer_id, row in rows.items():
            if row.brought and row.orders:
                now = max(row.as_of, until)
                number = self._number(row, lapsed=self._lapse(row) <= now)
                told += [
                    ReferrerStanding(MODEL_ID, who, now, customer_id, at, number, anew=True)
                    for at, who in row.brought
                ]
        return told

    def _fallen(self, one: Scoring) -> Told:
        return self._told(SILENCE_ID, one.customer_id, one.row, one.crossings[-1])

    def _told(self, event_id: str, customer_id: str, row: Row, lapse: int | None) -> Told:
        number = self._number(row, lapsed=lapse is not None)
        since = row.last_purchase_at if lapse is None else lapse
        return [
            ReferrerStanding(event_id, who, since, customer_id, at, number)
            for at, who in row.brought
        ]

    def _number(self, row: Row, *, lapsed: bool) -> int:
        return 2 * (row.orders + self._partition.scoring.generation) + lapsed

    def _lapse(self, row: Row) -> int:
        if not row.orders:
            return FAR
        lapse: int = crossings_of([row], self._partition.scoring)[0, -1].item()
        return lapse
