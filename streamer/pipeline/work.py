"""A unit of work in the making: fold, silence, a new model, whom to score."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from streamer.pipeline.announcing import Book
from streamer.pipeline.intake import Intake
from streamer.pipeline.scores import Asked
from streamer.pipeline.unit import Message, UnitOfWork
from streamer.records.dead_letters import Rejected
from streamer.records.events import Event, InternalEvent, Referral, ReferralLink, Unscored
from streamer.records.instants import NEVER
from streamer.records.kafka import CHANGELOG, REKEYED, Record
from streamer.records.models import ModelParams
from streamer.records.partitioning import partition_of
from streamer.records.scores import MODEL, SILENCE, Cause
from streamer.scoring.bands import crossings_of, next_crossings
from streamer.scoring.columns import Earlier, earlier_of
from streamer.scoring.rhythm import FAR
from streamer.scoring.score import Scoring
from streamer.serdes.origins import decode_origin
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    MODEL_KEY,
    Checkpoint,
    decode_row,
    encode_checkpoint,
    encode_internal,
    encode_model,
    encode_row,
    told_key,
)
from streamer.state.fold import admits, fold, overtaken, seal
from streamer.state.referrals import Standing, credits_between, link_of, standing
from streamer.state.row import Row

if TYPE_CHECKING:
    from streamer.pipeline.partition import Partition


class Work:
    """One unit of work in the making."""

    def __init__(
        self, partition: "Partition", now: datetime, next_offsets: Mapping[str, int]
    ) -> None:
        self._partition = partition
        self._configuration = partition.configuration
        self._read_to = next_offsets
        self._rows = partition.rows
        self._source_of = partition.source_of
        self._rekeyed_topic = self._configuration.topics[REKEYED]
        self._unit = UnitOfWork()
        self._intake = Intake(partition, self._unit, now)
        self._changelog: list[Message] = []
        self._touched: dict[str, Row] = {}
        self._earlier: dict[str, Earlier | None] = {}
        """What rows said before their last events; None where there was no purchase."""
        self._book = Book(partition.told)
        self._scorings: dict[str | int, Scoring] = {}
        self._time = partition.time
        self._stream_time = partition.stream_time

    def adopt(self, model: ModelParams) -> None:
        """Score by ``model`` from now on."""
        self._partition.adopt(model)
        self._changelog.append(Message(MODEL_KEY, encode_model(model)))

    def take(self, records: Sequence[Record]) -> None:
        """Fold ``records``, ask for the scores of whom they concern, and set their timers."""
        events = self._intake.events(records)
        if self._configuration.every_event:
            for event in events:
                self._step([event])
        else:
            self._step(events)

    def _step(self, events: Sequence[tuple[Record, Event]]) -> None:
        causes = self._folded(events)
        if causes:
            self._changed(causes)
        if self._configuration.every_event:
            self.advance(self._stream_time, None)

    def _changed(self, causes: Mapping[str, Cause]) -> None:
        rows = [self._touched[customer_id] for customer_id in causes]
        as_of = [row.as_of for row in rows]
        row_crossings = crossings_of(rows, self._partition.scoring)
        following = next_crossings(row_crossings, np.array(as_of))
        self._partition.timers.schedule(zip(causes, following, strict=True))
        earlier = map(self._earlier.__getitem__, causes)
        self._ask(
            map(Scoring, causes, rows, row_crossings.tolist(), as_of, causes.values(), earlier)
        )

    def _ask(self, scorings: Iterable[Scoring]) -> None:
        """Ask for scores: a customer's latest replaces an earlier, unless every event counts.

        Then the row is kept as it is now; either way all are scored together in the end.
        """
        if self._configuration.every_event:
            for scoring in scorings:
                as_it_is = decode_row(encode_row(scoring.row))
                self._scorings[len(self._scorings)] = replace(scoring, row=as_it_is)
                self._remember_tier(scoring.row)
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

        What a customer has crossed after its timer's instant, and after its row's, is due. Who was
        last scored by an older model is scored anew instead.
        """
        awake = {customer_id: self._row(customer_id) for customer_id in woken}
        older = self._of_older_models(awake)
        self._rescored(older)
        rows = {customer_id: row for customer_id, row in awake.items() if customer_id not in older}
        row_crossings = crossings_of(list(rows.values()), self._partition.scoring).tolist()
        due: list[Scoring] = []
        following: list[tuple[str, int]] = []
        for (customer_id, row), instants in zip(rows.items(), row_crossings, strict=True):
            woken_at = woken[customer_id]
            # A timer that is no crossing was set for an older row: then nothing was told of yet.
            told_until = max(row.as_of, woken_at - 1 if woken_at in instants else NEVER)
            due += [
                Scoring(customer_id, row, instants, instant, SILENCE)
                for instant in instants
                if told_until < instant <= until
            ]
            ahead = next((i for i in instants if i > max(told_until, until)), FAR)
            following.append((customer_id, ahead))
        self._partition.timers.schedule(following)
        self._keep_new_tiers({scoring.customer_id: scoring.row for scoring in due})
        self._unit.counts["silences"] += len(due)
        self._unit.crossed += [scoring.customer_id for scoring in due]
        due.sort(key=lambda scoring: (scoring.as_of, scoring.customer_id))
        self._ask(due)

    def _keep_new_tiers(self, rows: Mapping[str, Row]) -> None:
        """Have those of ``rows`` written whose tier the shop's new rules have changed.

        Otherwise silence, which writes no row, would tell of the change again and again.
        """
        loyalty = self._partition.scoring.loyalty
        if loyalty is not None:
            self._touched.update(
                (one, row) for one, row in rows.items() if loyalty.tier(row) != row.loyalty_tier
            )

    def _remember_tier(self, row: Row) -> None:
        """Note that the tier of ``row``, if any has been, is told: each change is, once."""
        loyalty = self._partition.scoring.loyalty
        if loyalty is not None and row.as_of != NEVER:
            row.loyalty_tier = loyalty.tier(row)

    def rescore(self, customers_max: int) -> None:
        """Score up to so many customers anew by the new model, if there is one."""
        customers = self._partition.next_to_rescore(customers_max)
        self._rescored(self._of_older_models({one: self._row(one) for one in customers}))

    def _of_older_models(self, rows: Mapping[str, Row]) -> dict[str, Row]:
        """Return those of ``rows`` whose last scores are of an older model."""
        generation = self._partition.scoring.generation
        return {
            customer_id: row
            for customer_id, row in rows.items()
            if row.generation < generation
            and row.as_of != NEVER
            and customer_id not in self._touched
        }

    def _rescored(self, rows: Mapping[str, Row]) -> None:
        if not rows:
            return
        as_of = [max(row.as_of, self._time) for row in rows.values()]
        row_crossings = crossings_of(list(rows.values()), self._partition.scoring)
        following = next_crossings(row_crossings, np.array(as_of))
        for customer_id, instant in zip(rows, following, strict=True):
            self._partition.timers.reset(customer_id, instant)
        self._touched.update(rows)
        self._unit.counts["rescored"] += len(rows)
        causes = [MODEL] * len(rows)
        self._ask(map(Scoring, rows, rows.values(), row_crossings.tolist(), as_of, causes))

    def asked(self) -> Asked:
        """Return the scores to be made, once, of the rows as they are until ``finish``.

        With ``every_event`` their rows are copies: they may be made after it, those of many units
        together.
        """
        self._unit.counts["scores"] += len(self._scorings)
        return Asked(list(self._scorings.values()), self._book)

    def finish(self, updates: Mapping[str, list[Message]]) -> UnitOfWork:
        """Encode the rows, set the checkpoint.

        Args:
            updates: what the scores ``asked`` for have led to, by topic.
        """
        number = self._partition.number
        self._unit.messages.update({(topic, number): told for topic, told in updates.items()})
        self._unit.told = self._book.changes()
        self._unit.alike, self._unit.outcomes = self._book.alike, self._book.outcomes
        unit, messages = self._unit, self._changelog
        lateness, generation = self._configuration.lateness, self._partition.scoring.generation
        for customer_id, row in self._touched.items():
            seal(row, lateness)
            row.generation = generation
            self._remember_tier(row)
            value = encode_row(row)
            unit.rows[customer_id] = value
            messages.append(Message(customer_id.encode(), value))
        messages += (Message(told_key(one), value) for one, value in unit.told.items())
        read_to = {**self._intake.next_offsets, **self._read_to}
        unit.checkpoint = Checkpoint(read_to, self._time, self._stream_time, self._intake.log_time)
        messages.append(Message(CHECKPOINT_KEY, encode_checkpoint(unit.checkpoint)))
        changelog = self._configuration.topics[CHANGELOG]
        unit.messages[changelog, number] = messages
        return unit

    # -- fold ----------------------------------------------------------------------------

    def _folded(self, events: Sequence[tuple[Record, Event]]) -> dict[str, Cause]:
        """Fold ``events``; return the customers to be scored, each with its latest cause."""
        causes: dict[str, Cause] = {}
        folded = 0
        for record, event in events:
            try:
                if not self._fold(record, event):
                    continue
            except Rejected as rejected:
                self._intake.refuse(record, rejected)
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
        self._earlier[customer_id] = earlier_of(row) if row.orders else None
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
            instants = crossings_of([row], self._partition.scoring)[0].tolist()
            for instant in instants:
                if told_until < instant <= event.occurred_at:
                    self._ask([Scoring(event.customer_id, row, instants, instant, SILENCE)])
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


def _cause(record: Record, event: Event, rekeyed_topic: str) -> Cause:
    """Return ``event`` and where its record first stood."""
    place = record.topic, record.partition, record.offset
    if record.topic == rekeyed_topic and (origin := decode_origin(record.headers)):
        place = origin[:3]
    return Cause("event", event.event_id, event.type, *place)
