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
4. Each customer concerned is scored once, at its latest instant (with ``every_event``: each time).
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

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
from streamer.records.partitioning import partition_of
from streamer.records.scores import RISK_BANDS, SILENCE, Cause
from streamer.scoring.occasion import occasion_of
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import Crossings, band_at, crossings, next_crossing
from streamer.scoring.risk import churn_risk_update
from streamer.scoring.value import ltv_update
from streamer.serdes.events import EventDecoder
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
from streamer.state.fold import fold, seal
from streamer.state.referrals import Standing, credited_at, credits_between, link_of, standing
from streamer.state.row import Row
from streamer.state.timers import SilenceTimers

ORIGIN = "streamer.origin"
"""Header of a re-keyed record: ``topic/partition/offset`` where it first stood."""


class Message(NamedTuple):
    """A record to be written."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


@dataclass(slots=True)
class UnitOfWork:
    """All that one transaction writes, and what was counted on the way."""

    messages: dict[tuple[str, int], list[Message]] = field(default_factory=dict)
    rows: dict[str, bytes] = field(default_factory=dict)
    checkpoint: Checkpoint = field(default_factory=lambda: Checkpoint({}, NEVER, NEVER))
    counts: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def send(self, topic: str, partition: int, message: Message) -> None:
        """Add ``message`` to what is written."""
        self.messages.setdefault((topic, partition), []).append(message)


@dataclass(frozen=True, slots=True)
class Configuration:
    """What all partitions of a shop share. Durations in microseconds."""

    decoder: EventDecoder
    scoring: ScoringParameters = ScoringParameters()
    topics: Topics = Topics()
    partitions: int = 1
    lateness: int = 30 * DAY
    future_tolerance: int = DAY
    every_event: bool = False
    version: str = ""


@dataclass(slots=True)
class _Due:
    """A customer to be scored."""

    row: Row
    crossings: Crossings
    as_of: int
    cause: Cause


class Partition:
    """The rows of one partition and what moves them. Single-threaded."""

    def __init__(self, number: int, configuration: Configuration) -> None:
        self.number = number
        self.rows: dict[str, bytes] = {}
        self.next_offsets: dict[str, int] = {}
        self.time = NEVER
        """Silence has been told of up to this instant."""
        self.stream_time = NEVER
        """The greatest event time of a purchase or refund so far."""
        self.timers = SilenceTimers()
        self._configuration = configuration
        self._source_of = {
            configuration.topics[name]: place for place, name in enumerate(SOURCE_TOPICS)
        }
        self._event_topics = frozenset(configuration.topics[name] for name in EVENT_TOPICS)
        self._credits_topic = configuration.topics[REFERRAL_CREDITS]

    # -- recovery ---------------------------------------------------------------------------

    def restore(self, changelog: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take over keys and values of the changelog, in its order; may be called repeatedly."""
        for key, value in changelog:
            if key == CHECKPOINT_KEY:
                if value is not None:
                    self._take(decode_checkpoint(value))
            elif value is None:
                self.rows.pop(key.decode(), None)
            else:
                self.rows[key.decode()] = value

    def restored(self) -> None:
        """Set the timers from the rows; call once, after the last ``restore``."""
        instants = {}
        for customer_id, value in self.rows.items():
            row = decode_row(value)
            told_until = max(self.time, row.as_of)
            instant = next_crossing(crossings(row, self._configuration.scoring), told_until)
            if instant is not None:
                instants[customer_id] = instant
        self.timers.load(instants)

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
    ) -> UnitOfWork:
        """Return what ``records`` and the passing of time lead to; nothing is visible yet.

        Args:
            records: in the order of their offsets within each topic.
            now: the shell's clock: events far ahead of it are refused, scores carry it.
            next_offsets: where reading goes on, by topic; behind the records where not given.
            silence_until: tell of silence up to this instant, besides up to stream time.
            timers_max: tell of about so many band crossings at most; the rest stays due.
        """
        work = _Work(self, now)
        if self._configuration.every_event:
            for record in records:
                work.step((record,))
        else:
            work.step(records)
        work.advance(max(silence_until, self.stream_time), timers_max)
        return work.finish(next_offsets or {})

    def commit(self, unit: UnitOfWork) -> None:
        """Make ``unit``, now written, visible."""
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


class _Work:
    """One unit of work in the making."""

    def __init__(self, partition: Partition, now: datetime) -> None:
        self._partition = partition
        self._configuration = partition._configuration  # noqa: SLF001 - its other half
        self._now = now
        self._now_instant = from_datetime(now)
        self._unit = UnitOfWork()
        self._touched: dict[str, Row] = {}
        self._due: dict[str, _Due] = {}
        self._next_offsets = dict(partition.next_offsets)
        self._time = partition.time
        self._stream_time = partition.stream_time

    def step(self, records: Sequence[Record]) -> None:
        """Fold ``records``, then tell of silence and score."""
        changed: dict[str, Cause] = {}
        for record in records:
            self._next_offsets[record.topic] = record.offset + 1
            try:
                self._record(record, changed)
            except Rejected as rejected:
                self._dead_letter(record, rejected)
        for customer_id, cause in changed.items():
            row = self._touched[customer_id]
            row_crossings = crossings(row, self._configuration.scoring)
            self._due[customer_id] = _Due(row, row_crossings, row.as_of, cause)
            self._partition.timers.schedule(customer_id, next_crossing(row_crossings, row.as_of))
        if self._configuration.every_event:
            self._score()
            self.advance(self._stream_time, None)

    def advance(self, until: int, timers_max: int | None) -> None:
        """Tell of silence up to ``until``, or up to the last of ``timers_max`` crossings."""
        until = max(until, self._stream_time, self._time)
        fired = 0
        while (timer := self._partition.timers.pop(until)) is not None:
            instant, customer_id = timer
            self._silence(customer_id, instant)
            fired += 1
            if timers_max is not None and fired >= timers_max and instant > self._time:
                until = instant
        self._time = until

    def finish(self, next_offsets: Mapping[str, int]) -> UnitOfWork:
        """Score what is due, encode the rows, set the checkpoint."""
        self._score()
        self._next_offsets.update(next_offsets)
        unit, partition = self._unit, self._partition
        changelog = self._configuration.topics[CHANGELOG]
        lateness = self._configuration.lateness
        for customer_id, row in self._touched.items():
            seal(row, lateness)
            value = encode_row(row)
            unit.rows[customer_id] = value
            unit.send(changelog, partition.number, Message(customer_id.encode(), value))
        unit.checkpoint = Checkpoint(self._next_offsets, self._time, self._stream_time)
        unit.send(
            changelog,
            partition.number,
            Message(CHECKPOINT_KEY, encode_checkpoint(unit.checkpoint)),
        )
        return unit

    # -- 1. decode and route ----------------------------------------------------------------

    def _record(self, record: Record, changed: dict[str, Cause]) -> None:
        partition = self._partition
        event: Event
        if record.topic == partition._credits_topic:  # noqa: SLF001
            event = decode_internal(record.value)
        else:
            event = self._configuration.decoder.decode(record.value, record.headers)
            if event.occurred_at > self._now_instant + self._configuration.future_tolerance:
                raise Rejected("future", "occurred_at is ahead of the clock", "occurred_at")
            if record.topic in partition._event_topics and self._misplaced(record, event):  # noqa: SLF001
                self._rekey(record, event.customer_id)
                return
            if isinstance(event, Unscored):
                self._unit.counts["unscored"] += 1
                return
        self._apply(record, event, changed)

    def _misplaced(self, record: Record, event: Event) -> bool:
        customer_id = event.customer_id
        key = customer_id.encode()
        if record.key != key:
            return True
        if customer_id in self._touched or customer_id in self._partition.rows:
            return False
        return partition_of(key, self._configuration.partitions) != self._partition.number

    def _rekey(self, record: Record, customer_id: str) -> None:
        key = customer_id.encode()
        origin = f"{record.topic}/{record.partition}/{record.offset}".encode()
        self._unit.send(
            self._configuration.topics[REKEYED],
            partition_of(key, self._configuration.partitions),
            Message(key, record.value, (*record.headers, (ORIGIN, origin))),
        )
        self._unit.counts["rekeyed"] += 1

    # -- 2. fold ----------------------------------------------------------------------------

    def _apply(self, record: Record, event: Event, changed: dict[str, Cause]) -> None:
        customer_id = event.customer_id
        row = self._row(customer_id)
        source = self._partition._source_of[record.topic]  # noqa: SLF001
        if record.offset <= row.applied[source]:
            self._unit.counts["replayed"] += 1
            return
        if self._configuration.every_event and event.family == 0:
            self.advance(event.occurred_at, None)
        linked = row.referrer or isinstance(event, ReferralLink)
        before = standing(row) if linked else None
        if not fold(row, event, self._configuration.lateness):
            self._unit.counts["duplicates"] += 1
            return
        row.applied[source] = record.offset
        self._touched[customer_id] = row
        self._tell_others(event, row, before)
        if event.family == 0:
            self._stream_time = max(self._stream_time, event.occurred_at)
        self._unit.counts["events"] += 1
        if not isinstance(event, ReferralLink):
            changed[customer_id] = _cause(record, event)

    def _row(self, customer_id: str) -> Row:
        row = self._touched.get(customer_id)
        if row is not None:
            return row
        value = self._partition.rows.get(customer_id)
        return Row() if value is None else decode_row(value)

    def _tell_others(self, event: Event, row: Row, before: Standing | None) -> None:
        told: list[InternalEvent] = []
        if isinstance(event, Referral):
            told.append(link_of(event))
        if before is not None:
            at = credited_at(row, event)
            told += credits_between(event.customer_id, before, standing(row), event.event_id, at)
        for message in told:
            key = message.customer_id.encode()
            to = partition_of(key, self._configuration.partitions)
            topic = self._partition._credits_topic  # noqa: SLF001
            self._unit.send(topic, to, Message(key, encode_internal(message)))

    # -- 3. silence -------------------------------------------------------------------------

    def _silence(self, customer_id: str, instant: int) -> None:
        """Look at a customer whose timer has come up: it may have purchased since it was set."""
        due = self._due.get(customer_id)
        if due is None:
            row = self._row(customer_id)
            due = _Due(row, crossings(row, self._configuration.scoring), row.as_of, SILENCE)
        told_until = due.row.as_of
        if instant in due.crossings and instant > told_until:
            self._due[customer_id] = _Due(due.row, due.crossings, instant, SILENCE)
            self._unit.counts["silences"] += 1
            told_until = instant
        self._partition.timers.schedule(customer_id, next_crossing(due.crossings, told_until))
        if self._configuration.every_event:
            self._score()

    # -- 4. score ---------------------------------------------------------------------------

    def _score(self) -> None:
        if not self._due:
            return
        parameters, topics = self._configuration.scoring, self._configuration.topics
        ltv_topic, churn_topic = topics[LTV_UPDATES], topics[CHURN_RISK_UPDATES]
        number = self._partition.number
        ltv_messages = self._unit.messages.setdefault((ltv_topic, number), [])
        churn_messages = self._unit.messages.setdefault((churn_topic, number), [])
        for customer_id, due in self._due.items():
            band = band_at(due.crossings, due.as_of)
            revision = due.row.changes * len(RISK_BANDS) + band
            occasion = occasion_of(customer_id, revision, due.as_of, self._now, due.cause)
            key = customer_id.encode()
            ltv = ltv_update(due.row, occasion, parameters)
            churn = churn_risk_update(due.row, due.crossings, occasion, parameters)
            ltv_messages.append(Message(key, encode_score(ltv)))
            churn_messages.append(Message(key, encode_score(churn)))
        self._unit.counts["scores"] += len(self._due)
        self._due.clear()

    def _dead_letter(self, record: Record, rejected: Rejected) -> None:
        letter = DeadLetter(record, rejected.reason, rejected.message, rejected.field)
        headers = dead_letter_headers(letter, self._now.isoformat(), self._configuration.version)
        self._unit.send(
            self._configuration.topics[DEAD_LETTERS],
            self._partition.number,
            Message(record.key, record.value, headers),
        )
        self._unit.refused[rejected.reason] += 1


def _cause(record: Record, event: Event) -> Cause:
    topic, partition, offset = record.topic, record.partition, record.offset
    for name, raw in record.headers:
        if name == ORIGIN:
            topic, number, place = raw.decode().rsplit("/", 2)
            partition, offset = int(number), int(place)
    return Cause("event", event.event_id, event.type, topic, partition, offset)
