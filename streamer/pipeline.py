"""READ THIS FIRST: decode → fold → score → encode, for one partition, pure.

Live, replay and tests run this very code. It reads no clock and does no I/O: a shell hands it
records and the time, and gets a ``UnitOfWork`` back, all that must be written in one transaction.
Only when that is written does the shell call ``commit``; if it cannot be, it drops the partition
and loads it anew from the changelog.

What a unit of work does, in this order:

1. Each record is decoded and checked, or becomes a dead letter. One that belongs to another
   partition is passed on through ``rekeyed``.
2. Each event is folded into its customer's row. Referrals tell other rows of it by messages.
3. Silence is told of up to the partition's time: customers whose risk band rose by then.
4. Each customer concerned is scored once, at its latest instant (with ``every_event``: each time),
   all together.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from streamer.records.dead_letters import DeadLetter, Rejected
from streamer.records.events import Event, InternalEvent, Referral, ReferralLink, Unscored
from streamer.records.instants import DAY, NEVER, from_datetime
from streamer.records.kafka import (
    CHANGELOG,
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    EVENT_TOPICS,
    LTV_UPDATES,
    REFERRAL_CREDITS,
    REKEYED,
    SOURCE_TOPICS,
    Headers,
    Record,
    Topics,
)
from streamer.records.partitioning import partition_of, partitions_of
from streamer.records.scores import SILENCE, Cause
from streamer.scoring.columns import crossings_of
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import FAR, Instants
from streamer.scoring.score import Scoring, score
from streamer.serdes.events import EventDecoder
from streamer.serdes.origins import Origin, decode_origin, encode_origin
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    Checkpoint,
    decode_checkpoint,
    decode_internal,
    decode_row,
    encode_checkpoint,
    encode_internal,
    encode_row,
)
from streamer.serdes.scores import dead_letter_headers, encode_score
from streamer.state.fold import admits, fold, overtaken, seal
from streamer.state.referrals import Standing, credits_between, link_of, standing
from streamer.state.row import Row
from streamer.state.timers import SilenceTimers

RESTORE_CHUNK = 10_000


class Message(Struct, frozen=True, gc=False):
    """A record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()
    timestamp: int | None = None
    """Milliseconds since 1970; none lets the producer set its own."""


@dataclass(slots=True)
class UnitOfWork:
    """All that one transaction writes, and what was counted on the way."""

    messages: dict[tuple[str, int], list[Message]] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint({}, NEVER, NEVER))
    scorings: list[Scoring] = field(default_factory=list)
    """Scores still to be made, in their order; only where the shell wants to make them later."""
    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def send(self, topic: str, partition: int, message: Message) -> None:
        """Add ``message`` to what is written."""
        self.messages.setdefault((topic, partition), []).append(message)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What all partitions of a shop share. Durations in microseconds."""

    decoder: EventDecoder
    scoring: ScoringParameters = field(default_factory=ScoringParameters)
    topics: Topics = field(default_factory=Topics)
    partitions: int = 1
    lateness: int = 30 * DAY
    future_tolerance: int = DAY
    every_event: bool = False
    version: str = ""

    def __post_init__(self) -> None:
        if self.scoring.currency != self.decoder.reporting_currency:
            raise ValueError("decoder and scores must have one reporting currency")


class Partition:
    """The rows of one partition and what moves them. Single-threaded."""

    def __init__(self, number: int, configuration: Configuration) -> None:
        self.number = number
        self.rows: dict[str, bytes] = {}
        self.state_bytes = 0
        """Of the encoded rows, without their keys."""
        self.next_offsets: dict[str, int] = {}
        self.time = NEVER
        """Silence has been told of up to this instant."""
        self.stream_time = NEVER
        """The greatest event time of a purchase or refund so far."""
        self.log_time = NEVER
        """The same of all that was read from the event topics, passed on or not."""
        self.timers = SilenceTimers()
        self._configuration = configuration
        self.source_of = {
            configuration.topics[name]: place for place, name in enumerate(SOURCE_TOPICS)
        }
        self.event_topics = frozenset(configuration.topics[name] for name in EVENT_TOPICS)
        self.credits_topic = configuration.topics[REFERRAL_CREDITS]

    # -- recovery ---------------------------------------------------------------------------

    def restore(self, changelog: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take over keys and values of the changelog, in its order; may be called repeatedly."""
        for key, value in changelog:
            if key == CHECKPOINT_KEY:
                if value is not None:
                    self._take(decode_checkpoint(value))
                continue
            customer_id = key.decode()
            self.state_bytes += len(value or b"") - len(self.rows.get(customer_id, b""))
            if value is None:
                self.rows.pop(customer_id, None)
            else:
                self.rows[customer_id] = value

    def restored(self) -> None:
        """Set the timers from the rows; call once, after the last ``restore``."""
        instants: dict[str, int] = {}
        for customer_ids in _chunks(self.rows, RESTORE_CHUNK):
            rows = [decode_row(self.rows[customer_id]) for customer_id in customer_ids]
            told_until = np.maximum([row.as_of for row in rows], self.time)
            following = self._following(rows, told_until)
            instants.update(
                pair for pair in zip(customer_ids, following, strict=True) if pair[1] < FAR
            )
        self.timers.load(instants)

    def _following(self, rows: Sequence[Row], instants: Instants) -> list[int]:
        """Return the first crossing of each row after its instant; ``FAR`` if there is none."""
        row_crossings = crossings_of(rows, self._configuration.scoring)
        ahead = np.where(row_crossings > instants[:, None], row_crossings, FAR)
        following: list[int] = ahead.min(axis=1).tolist()
        return following

    def row(self, customer_id: str) -> Row | None:
        """Return the committed row of ``customer_id``."""
        value = self.rows.get(customer_id)
        return None if value is None else decode_row(value)

    # -- a unit of work ---------------------------------------------------------------------

    def process(
        self,
        records: Sequence[Record],
        now: datetime,
        *,
        next_offsets: Mapping[str, int] | None = None,
        silence_until: int = NEVER,
        timers_max: int | None = None,
        score_later: bool = False,
    ) -> UnitOfWork:
        """Return what ``records`` and the passing of time lead to; nothing is visible yet.

        Args:
            records: in the order of their offsets within each topic.
            now: the shell's clock: events far ahead of it are refused, scores carry it.
            next_offsets: where reading goes on, by topic; behind the records where not given.
            silence_until: tell of silence up to this instant, besides up to stream time.
            timers_max: tell of about so many band crossings at most; the rest stays due.
            score_later: leave the ``scorings`` to the shell, which gives those of many units to
                ``scored`` at once. Only with ``every_event``: then their rows are copies.
        """
        work = _Work(self, now)
        if self._configuration.every_event:
            for record in records:
                work.step((record,))
        else:
            work.step(records)
        work.advance(max(silence_until, self.stream_time), timers_max)
        return work.finish(next_offsets or {}, score_later=score_later)

    def commit(self, unit: UnitOfWork) -> None:
        """Make ``unit``, now written, visible."""
        before = sum(map(len, filter(None, map(self.rows.get, unit.rows))))
        self.state_bytes += sum(map(len, unit.rows.values())) - before
        self.rows.update(unit.rows)
        self._take(unit.checkpoint)

    def due(self, until: int) -> bool:
        """Return whether some silence up to ``until`` has not been told of."""
        instant = self.timers.next_instant()
        return instant is not None and instant <= until

    def _take(self, checkpoint: Checkpoint) -> None:
        self.next_offsets = checkpoint.next_offsets
        self.time = checkpoint.time
        self.stream_time = checkpoint.stream_time
        self.log_time = checkpoint.log_time


class _Work:
    """One unit of work in the making."""

    def __init__(self, partition: Partition, now: datetime) -> None:
        self._partition = partition
        self._configuration = partition._configuration  # noqa: SLF001 - its other half
        self._now = now
        self._now_instant = from_datetime(now)
        self._rows = partition.rows
        self._source_of = partition.source_of
        self._rekeyed_topic = self._configuration.topics[REKEYED]
        self._unit = UnitOfWork()
        self._touched: dict[str, Row] = {}
        self._scorings: dict[str | int, Scoring] = {}
        self._next_offsets = dict(partition.next_offsets)
        self._time = partition.time
        self._stream_time = partition.stream_time
        self._log_time = partition.log_time

    def step(self, records: Sequence[Record]) -> None:
        """Fold ``records``, ask for the scores of whom they concern, and set their timers."""
        causes = self._folded(self._here(self._decoded(records)))
        if causes:
            self._changed(causes)
        if self._configuration.every_event:
            self.advance(self._stream_time, None)

    def _changed(self, causes: Mapping[str, Cause]) -> None:
        rows = [self._touched[customer_id] for customer_id in causes]
        as_of = [row.as_of for row in rows]
        following = self._partition._following(rows, np.array(as_of))  # noqa: SLF001
        self._partition.timers.schedule(zip(causes, following, strict=True))
        self._ask(map(Scoring, causes, rows, as_of, causes.values()))

    def _ask(self, scorings: Iterable[Scoring]) -> None:
        """Ask for scores: a customer's latest replaces an earlier, unless every event counts.

        Then the row is kept as it is now; either way all are scored together in the end.
        """
        if self._configuration.every_event:
            for scoring in scorings:
                as_it_is = decode_row(encode_row(scoring.row))
                self._scorings[len(self._scorings)] = replace(scoring, row=as_it_is)
        else:
            self._scorings.update((scoring.customer_id, scoring) for scoring in scorings)

    def advance(self, until: int, timers_max: int | None) -> None:
        """Tell of silence up to ``until``, or up to the last of ``timers_max`` crossings."""
        until = max(until, self._stream_time, self._time)
        woken: dict[str, int] = {}
        while (timer := self._partition.timers.pop(until)) is not None:
            instant, customer_id = timer
            woken[customer_id] = instant
            if timers_max is not None and len(woken) >= timers_max and instant > self._time:
                until = instant
        self._time = until
        if woken:
            self._silence(woken, until)

    def _silence(self, woken: Mapping[str, int], until: int) -> None:
        """Look at the customers whose timers have come up: some have purchased since they were set.

        What a customer has crossed after its timer's instant, and after its row's, is due.
        """
        rows = [self._row(customer_id) for customer_id in woken]
        row_crossings = crossings_of(rows, self._configuration.scoring).tolist()
        due: list[Scoring] = []
        following: list[tuple[str, int]] = []
        for (customer_id, woken_at), row, instants in zip(
            woken.items(), rows, row_crossings, strict=True
        ):
            # A timer that is no crossing was set for an older row: then nothing was told of yet.
            told_until = max(row.as_of, woken_at - 1 if woken_at in instants else NEVER)
            due += [
                Scoring(customer_id, row, instant, SILENCE)
                for instant in instants
                if told_until < instant <= until
            ]
            ahead = next((i for i in instants if i > max(told_until, until)), FAR)
            following.append((customer_id, ahead))
        self._partition.timers.schedule(following)
        self._unit.counts["silences"] += len(due)
        due.sort(key=lambda scoring: (scoring.as_of, scoring.customer_id))
        self._ask(due)

    def finish(self, next_offsets: Mapping[str, int], *, score_later: bool) -> UnitOfWork:
        """Score whom that concerns, encode the rows, set the checkpoint."""
        self._score(later=score_later)
        self._next_offsets.update(next_offsets)
        unit = self._unit
        lateness = self._configuration.lateness
        messages = []
        for customer_id, row in self._touched.items():
            seal(row, lateness)
            value = encode_row(row)
            unit.rows[customer_id] = value
            messages.append(Message(customer_id.encode(), value))
        unit.checkpoint = Checkpoint(
            self._next_offsets, self._time, self._stream_time, self._log_time
        )
        messages.append(Message(CHECKPOINT_KEY, encode_checkpoint(unit.checkpoint)))
        changelog = self._configuration.topics[CHANGELOG]
        unit.messages[changelog, self._partition.number] = messages
        return unit

    # -- 1. decode and route ----------------------------------------------------------------

    def _decoded(self, records: Sequence[Record]) -> list[tuple[Record, Event]]:
        """Return what events there are in ``records``; the others become dead letters."""
        events: list[tuple[Record, Event]] = []
        decode = self._configuration.decoder.decode
        latest = self._now_instant + self._configuration.future_tolerance
        credits_topic = self._partition.credits_topic
        for record in records:
            topic = record.topic
            self._next_offsets[topic] = record.offset + 1
            try:
                event: Event
                if topic == credits_topic:
                    event = decode_internal(record.value)
                else:
                    event = decode(record.value, record.headers)
                    if event.occurred_at > latest:
                        raise Rejected("future", "occurred_at is ahead of the clock", "occurred_at")
            except Rejected as rejected:
                self._dead_letter(record, rejected)
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
        event_topics, log_time = self._partition.event_topics, self._log_time
        known, wrong, unknown = self._rows, {}, {}
        for place, (record, event) in enumerate(events):
            if record.topic in event_topics:
                if event.family == 0 and event.occurred_at > log_time:
                    log_time = event.occurred_at
                key = event.customer_id.encode()
                if record.key != key:
                    wrong[place] = log_time
                elif event.customer_id not in known:
                    unknown[place] = key, log_time
        self._log_time = log_time
        return dict(sorted((wrong | self._strange(unknown)).items()))

    def _strange(self, unknown: dict[int, tuple[bytes, int]]) -> dict[int, int]:
        """Return those of ``unknown`` (keys and log times) who live in another partition."""
        if not unknown:
            return {}
        keys = [key for key, _ in unknown.values()]
        homes = partitions_of(keys, self._configuration.partitions)
        return {
            place: log_time
            for (place, (_, log_time)), home in zip(unknown.items(), homes, strict=True)
            if home != self._partition.number
        }

    def _rekey(self, record: Record, key: bytes, log_time: int) -> None:
        origin = Origin(record.topic, record.partition, record.offset, log_time)
        headers = (*record.headers, encode_origin(origin))
        self._unit.send(
            self._configuration.topics[REKEYED],
            partition_of(key, self._configuration.partitions),
            Message(key, record.value, headers, record.timestamp),
        )
        self._unit.counts["rekeyed"] += 1

    # -- 2. fold ----------------------------------------------------------------------------

    def _folded(self, events: Sequence[tuple[Record, Event]]) -> dict[str, Cause]:
        """Fold ``events``; return the customers to be scored, each with its latest cause."""
        causes: dict[str, Cause] = {}
        folded = 0
        for record, event in events:
            try:
                if not self._fold(record, event):
                    continue
            except Rejected as rejected:
                self._dead_letter(record, rejected)
                continue
            folded += 1
            if type(event) is not ReferralLink or self._touched[event.customer_id].as_of != NEVER:
                causes[event.customer_id] = _cause(record, event, self._rekeyed_topic)
        self._unit.counts["events"] += folded
        return causes

    def _fold(self, record: Record, event: Event) -> bool:
        """Fold one event and tell the other rows it concerns; return whether it counted."""
        customer_id = event.customer_id
        row = self._touched.get(customer_id) or self._row(customer_id)
        source = self._source_of[record.topic]
        if record.offset <= row.applied[source]:
            self._unit.counts["replayed"] += 1
            return False
        if type(event) is Unscored:
            self._unit.counts["unscored"] += 1
            return False
        admitted, log_time = self._admits(record, event, row)
        if not admitted:
            self._unit.counts["duplicates"] += 1
            return False
        if self._configuration.every_event:
            self._silence_before(event, row)
        linked = row.referrer or type(event) is ReferralLink
        before = standing(row) if linked else None
        fold(row, event, self._configuration.lateness, log_time)
        row.applied[source] = record.offset
        self._touched[customer_id] = row
        if event.family == 0 and event.occurred_at > self._stream_time:
            self._stream_time = event.occurred_at
        if before is not None or type(event) is Referral:
            self._tell_others(event, row, before)
        return True

    def _admits(self, record: Record, event: Event, row: Row) -> tuple[bool, int]:
        """Return whether ``event`` counts and, if it was overtaken, its log's time, else NEVER.

        Raises:
            Rejected: see ``admits``.
        """
        lateness = self._configuration.lateness
        try:
            return admits(row, event, lateness), NEVER
        except Rejected as rejected:
            late = rejected.reason == "late" and record.topic == self._rekeyed_topic
            origin = decode_origin(record.headers) if late else None
            if origin is None or not overtaken(row, event, lateness, origin.log_time):
                raise
            return True, origin.log_time

    def _silence_before(self, event: Event, row: Row) -> None:
        """Tell of the silence that ``event`` ends: where every event counts, it has been there.

        A purchase moves stream time, and so everyone's silence; other events only their customer's.
        """
        if event.family == 0:
            self.advance(event.occurred_at, None)
        else:
            told_until = max(row.as_of, self._time)
            for instant in crossings_of([row], self._configuration.scoring)[0].tolist():
                if told_until < instant <= event.occurred_at:
                    self._ask([Scoring(event.customer_id, row, instant, SILENCE)])
                    self._unit.counts["silences"] += 1

    def _row(self, customer_id: str) -> Row:
        """Return the row as it stands in this unit of work."""
        row = self._touched.get(customer_id)
        if row is not None:
            return row
        value = self._rows.get(customer_id)
        return Row() if value is None else decode_row(value)

    def _tell_others(self, event: Event, row: Row, before: Standing | None) -> None:
        told: list[InternalEvent] = []
        if isinstance(event, Referral):
            told.append(link_of(event))
        if before is not None:
            told += credits_between(event, row, before)
        for message in told:
            key = message.customer_id.encode()
            to = partition_of(key, self._configuration.partitions)
            topic = self._partition.credits_topic
            self._unit.send(topic, to, Message(key, encode_internal(message)))

    # -- 3. score ---------------------------------------------------------------------------

    def _score(self, *, later: bool) -> None:
        """Score all customers asked for, at once, or leave it to the shell."""
        scorings = list(self._scorings.values())
        self._unit.counts["scores"] += len(scorings)
        if later:
            self._unit.scorings = scorings
        else:
            number = self._partition.number
            for topic, messages in scored(scorings, self._now, self._configuration).items():
                self._unit.messages[topic, number] = messages

    def _dead_letter(self, record: Record, rejected: Rejected) -> None:
        letter = DeadLetter(record, rejected.reason, rejected.message, rejected.field)
        headers = dead_letter_headers(letter, self._now.isoformat(), self._configuration.version)
        self._unit.send(
            self._configuration.topics[DEAD_LETTERS],
            self._partition.number,
            Message(record.key, record.value, headers, record.timestamp),
        )
        self._unit.refused[rejected.reason] += 1


def scored(
    scorings: Sequence[Scoring], now: datetime, configuration: Configuration
) -> dict[str, list[Message]]:
    """Return the updates of ``scorings`` by topic, in their order; many at once cost far less."""
    if not scorings:
        return {}
    keys = [scoring.customer_id.encode() for scoring in scorings]
    values, risks = score(scorings, now, configuration.scoring)
    return {
        configuration.topics[LTV_UPDATES]: list(map(Message, keys, map(encode_score, values))),
        configuration.topics[CHURN_RISK_UPDATES]: list(
            map(Message, keys, map(encode_score, risks))
        ),
    }


def _cause(record: Record, event: Event, rekeyed_topic: str) -> Cause:
    topic, partition, offset = record.topic, record.partition, record.offset
    if topic == rekeyed_topic:
        topic, partition, offset, _ = decode_origin(record.headers) or (
            topic,
            partition,
            offset,
            NEVER,
        )
    return Cause("event", event.event_id, event.type, topic, partition, offset)


def _chunks(customer_ids: Iterable[str], size: int) -> Iterator[list[str]]:
    remaining = iter(customer_ids)
    while chunk := list(islice(remaining, size)):
        yield chunk
