"""Erasures in a unit of work: a customer goes, and others forget who brought them.

The customer's keys get null values, in its own transaction, before anything that is told of it
after: so the last record of each key is null, or of a customer who came back.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from streamer.pipeline.unit import Message, UnitOfWork
from streamer.records.events import Erasure, InternalEvent, ReferralLink, ReferrerErased
from streamer.records.kafka import SCORE_TOPICS
from streamer.records.partitioning import partition_of
from streamer.scoring.columns import Earlier, earlier_of
from streamer.serdes.rows import encode_erased, encode_internal, erased_key, told_key
from streamer.state.erasure import Erased, erased, farewell, forget_referrer, partings
from streamer.state.fold import fold
from streamer.state.row import Row
from streamer.state.telling import before_of, messages_of

if TYPE_CHECKING:
    from streamer.pipeline.partition import Partition


class Bereaved(NamedTuple):
    """A customer who was named by one that was erased."""

    customer_id: str
    row: Row
    """Which does not tell so any more."""
    earlier: Earlier | None
    """What it said before."""
    messages: list[InternalEvent]
    """What others are told of it."""


class Eraser:
    """The erasures of one unit of work.

    Args:
        partition: whose rows are concerned.
        unit: takes what is told to all partitions, and the null values.
        touched: rows that the unit of work has changed; others may change them too.
    """

    def __init__(
        self,
        partition: "Partition",
        unit: UnitOfWork,
        touched: dict[str, Row],
    ) -> None:
        self._partition, self._unit = partition, unit
        self._touched = touched
        self.erased: dict[str, Erased] = {}
        """What stays of those erased; they may have come back."""

    def erase(self, event: Erasure, row: Row, source: int, offset: int) -> list[InternalEvent]:
        """Erase the customer of ``row``; return what some others are to be told of it."""
        known = self.erased[event.customer_id] = erased(row, event, source, offset)
        self._touched.pop(event.customer_id, None)
        if row.referrals_sent or row.referrer:
            for number in range(self._partition.configuration.partitions):
                self._part(farewell(event, known), number)
        return partings(event, row)

    def part(self, event: ReferralLink, row: Row) -> None:
        """Tell who has named an erased customer, by ``event``, to forget the name."""
        number = partition_of(event.referrer.encode(), self._partition.configuration.partitions)
        self._part(ReferrerErased(event.event_id, event.customer_id, row.erased_at), number)

    def _part(self, event: ReferrerErased, number: int) -> None:
        message = Message(event.customer_id.encode(), encode_internal(event))
        self._unit.send(self._partition.credits_topic, number, message)

    def bereaved(
        self, event: ReferrerErased, lateness: int, row_of: Callable[[str], Row]
    ) -> Iterator[Bereaved]:
        """Give those of this partition who forget that the erased one has named them.

        A look at the bytes of all rows finds them, some 0.1 s a million.

        Args:
            event: tells who was erased.
            lateness: in microseconds.
            row_of: gives a row as it stands; kept here it would make a cycle of objects.
        """
        name = event.customer_id.encode()
        rows = self._partition.rows
        found = [customer_id for customer_id, value in rows.items() if value.count(name)]
        for customer_id in dict.fromkeys([*found, *self._touched]):
            row = row_of(customer_id)
            changes, earlier = row.changes, earlier_of(row) if row.orders else None
            link = forget_referrer(row, event, customer_id)
            messages: list[InternalEvent] = []
            if link is not None:
                before = before_of(row)
                fold(row, link, lateness)
                messages = messages_of(link, row, before)
            if row.changes != changes:
                yield Bereaved(customer_id, row, earlier, messages)

    def tombstones(self) -> list[Message]:
        """Return what the changelog is told, and have null values written to the other topics."""
        written: list[Message] = []
        for customer_id, known in self.erased.items():
            value = self._unit.erased[customer_id] = encode_erased(known)
            key = customer_id.encode()
            for name in SCORE_TOPICS:
                topic = self._partition.configuration.topics[name]
                self._unit.send(topic, self._partition.number, Message(key, None))
            gone = key, told_key(customer_id)
            written += (Message(one, None) for one in gone)
            written.append(Message(erased_key(key), value))
        return written
