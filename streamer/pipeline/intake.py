"""Decoding and routing: from records to the events that belong to this partition."""

from collections.abc import Sequence
from datetime import datetime
from heapq import merge
from typing import TYPE_CHECKING

from streamer.pipeline.unit import Message, UnitOfWork
from streamer.records.dead_letters import DeadLetter, Rejected
from streamer.records.events import Event, Purchase
from streamer.records.instants import from_datetime
from streamer.records.kafka import DEAD_LETTERS, REKEYED, Record
from streamer.records.partitioning import partition_of, partitions_of
from streamer.records.scores import Cause
from streamer.serdes.origins import Origin, decode_origin, encode_origin
from streamer.serdes.rows import decode_internal
from streamer.serdes.scores import dead_letter_headers

if TYPE_CHECKING:
    from streamer.pipeline.partition import Partition


SAMPLE_MAX = 16
"""Events of a unit of work that are looked at for drift of the input."""


class Intake:
    """Takes the records of one unit of work in."""

    def __init__(self, partition: "Partition", unit: UnitOfWork, now: datetime) -> None:
        self._partition = partition
        self._configuration = partition.configuration
        self._topics = self._configuration.topics
        self._partitions = self._configuration.partitions
        self.unit = unit
        self._now = now
        self.next_offsets = dict(partition.next_offsets)
        self.log_time = partition.log_time

    def events(self, records: Sequence[Record]) -> list[tuple[Record, Event]]:
        """Return what events there are here; the rest becomes dead letters or is passed on.

        Topics are merged by event time, each in its own order: so a unit of many topics tells the
        same as one event after the other.
        """
        return _merged(self._here(self._decoded(records)))

    def _decoded(self, records: Sequence[Record]) -> list[tuple[Record, Event]]:
        """Return what events there are in ``records``; the others become dead letters."""
        events: list[tuple[Record, Event]] = []
        decode = self._configuration.decoder.decode
        latest = from_datetime(self._now) + self._configuration.future_tolerance
        credits_topic = self._partition.credits_topic
        foreign_topics = self._partition.adapting.topics
        for record in records:
            topic = record.topic
            self.next_offsets[topic] = record.offset + 1
            if topic in foreign_topics:
                self._partition.adapting.take(record, self, latest)
                continue
            try:
                event: Event
                if topic == credits_topic:
                    event = decode_internal(record.value)
                else:
                    event = decode(record.value, record.headers)
                    if event.occurred_at > latest:
                        raise Rejected("future", "occurred_at is ahead of the clock", "occurred_at")
            except Rejected as rejected:
                self.refuse(record, rejected)
            else:
                events.append((record, event))
        return events

    def _here(self, events: list[tuple[Record, Event]]) -> list[tuple[Record, Event]]:
        """Return the events whose customers live here; the others are passed on, once."""
        wrong = self._misplaced(events)
        if not wrong:
            return events
        for place, log_time in wrong.items():
            record, event = events[place]
            self._rekey(record, event.customer_id.encode(), log_time)
        return [pair for place, pair in enumerate(events) if place not in wrong]

    def _misplaced(self, events: list[tuple[Record, Event]]) -> dict[int, int]:
        """Return the places of events with a wrong key or partition, each with its log's time."""
        event_topics, log_time = self._partition.event_topics, self.log_time
        known, wrong, unknown = self._partition.rows, {}, {}
        for place, (record, event) in enumerate(events):
            if record.topic in event_topics:
                if event.family == 0 and event.occurred_at > log_time:
                    log_time = event.occurred_at
                key = event.customer_id.encode()
                if record.key != key:
                    wrong[place] = log_time
                elif event.customer_id not in known:
                    unknown[place] = key, log_time
        self.log_time = log_time
        return dict(sorted((wrong | self._strange(unknown)).items()))

    def _strange(self, unknown: dict[int, tuple[bytes, int]]) -> dict[int, int]:
        """Return those of ``unknown`` (keys and log times) who live in another partition."""
        if not unknown:
            return {}
        keys = [key for key, _ in unknown.values()]
        homes = partitions_of(keys, self._partitions)
        return {
            place: log_time
            for (place, (_, log_time)), home in zip(unknown.items(), homes, strict=True)
            if home != self._partition.number
        }

    def _rekey(self, record: Record, key: bytes, log_time: int) -> None:
        origin = Origin(record.topic, record.partition, record.offset, log_time)
        headers = (*record.headers, encode_origin(origin))
        self.unit.send(
            self._topics[REKEYED],
            partition_of(key, self._partitions),
            Message(key, record.value, headers, record.timestamp),
        )
        self.unit.counts["rekeyed"] += 1

    def refuse(self, record: Record, rejected: Rejected) -> None:
        """Make ``record`` a dead letter."""
        letter = DeadLetter(record, rejected.reason, rejected.message, rejected.field)
        headers = dead_letter_headers(letter, self._now.isoformat(), self._configuration.version)
        self.unit.send(
            self._configuration.topics[DEAD_LETTERS],
            self._partition.number,
            Message(record.key, record.value, headers, record.timestamp),
        )
        self.unit.refused[rejected.reason] += 1


def _merged(events: list[tuple[Record, Event]]) -> list[tuple[Record, Event]]:
    by_topic: dict[str, list[tuple[Record, Event]]] = {}
    for pair in events:
        by_topic.setdefault(pair[0].topic, []).append(pair)
    if len(by_topic) < 2:  # noqa: PLR2004 - one topic is in order
        return events
    return list(merge(*by_topic.values(), key=_when))


def _when(pair: tuple[Record, Event]) -> tuple[int, int]:
    """Return the event time and, for what happened at one instant, when it was sent."""
    return pair[1].occurred_at, pair[0].timestamp


def sample_of(events: Sequence[tuple[Record, Event]]) -> list[tuple[str, int | None]]:
    """Return types and order values of a few ``events``: what drift is told by, at no cost each."""
    return [
        (event.type, event.amount if type(event) is Purchase else None)
        for _, event in events[:: 1 + len(events) // SAMPLE_MAX]
    ]


def cause_of(record: Record, event: Event, rekeyed_topic: str) -> Cause:
    """Return ``event`` and where its record first stood."""
    place = record.topic, record.partition, record.offset
    if record.topic == rekeyed_topic and (origin := decode_origin(record.headers)):
        place = origin[:3]
    return Cause("event", event.event_id, event.type, *place)
