"""A unit of work in the making: fold, silence, a new model, whom to score."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from streamer.pipeline.announcing import Book
from streamer.pipeline.erasing import Eraser
from streamer.pipeline.intake import Intake, cause_of, sample_of
from streamer.pipeline.scores import Asked
from streamer.pipeline.standing import Standings
from streamer.pipeline.unit import Message, UnitOfWork
from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    INTERNAL,
    Erasure,
    Event,
    InternalEvent,
    Purchase,
    Referral,
    ReferralLink,
    ReferrerErased,
)
from streamer.records.instants import NEVER
from streamer.records.kafka import CHANGELOG, REKEYED, Record
from streamer.records.models import ModelParams
from streamer.records.partitioning import partition_of
from streamer.records.scores import MODEL, SILENCE, Cause
from streamer.scoring.bands import crossings_of, last_crossings, latest, next_crossings
from streamer.scoring.columns import Earlier, earlier_of, purchases_of
from streamer.scoring.rhythm import FAR, Instants
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
from streamer.state.erasure import answers, is_forgotten, newcomer
from streamer.state.first import first_row, is_plain
from streamer.state.fold import admits, fold, overtaken, seal
from streamer.state.row import Row
from streamer.state.telling import before_of, messages_of

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
        self._eraser = Eraser(partition, self._unit, self._touched)
        self._standings = Standings(partition, self._book)
        self._scorings: dict[str | int, Scoring] = {}
        self._scored: set[str] = set()
        """Customers of ``_scorings``. A row may be touched by a message that changes no score."""
        self._time = partition.time
        self._stream_time = partition.stream_time

    def adopt(self, model: ModelParams) -> None:
        """Score by ``model`` from now on."""
        self._partition.adopt(model)
        self._changelog.append(Message(MODEL_KEY, encode_model(model)))

    def take(self, records: Sequence[Record]) -> None:
        """Fold ``records``, ask for the scores of whom they concern, and set their timers."""
        events = self._intake.events(records)
        self._unit.sample = sample_of(events)
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
        row_crossings = crossings_of(rows, self._partition.scoring)
        as_of = self._instants(list(causes), rows, row_crossings)
        following = next_crossings(row_crossings, np.array(as_of))
        self._partition.timers.schedule(zip(causes, following, strict=True))
        earlier = map(self._earlier.__getitem__, causes)
        crossings = row_crossings.tolist()
        scorings = list(map(Scoring, causes, rows, crossings, as_of, causes.values(), earlier))
        self._partition.timers.schedule(self._standings.wakes(scorings, self._time))
        self._ask(scorings)

    def _instants(
        self, customers: Sequence[str], rows: Sequence[Row], row_crossings: Instants
    ) -> list[int]:
        """Return as of when ``rows``, changed by events, are scored.

        A late event does not take back the silence told beyond it: what the row has crossed up to
        the last crossing told is crossed. What it has besides is told as silence, as always.
        """
        as_of = [row.as_of for row in rows]
        stood = {
            place: earlier
            for place, instant in enumerate(as_of)
            if instant < self._time and (earlier := self._stood(customers[place])) is not None
        }
        if stood:
            own = np.array([earlier.as_of for earlier in stood.values()])
            until = np.full_like(own, self._time)
            bought = purchases_of(list(stood.values()), own)
            told = last_crossings(bought, own, until, self._partition.scoring)
            reached = latest(row_crossings[list(stood)], told).tolist()
            for place, instant in zip(stood, reached, strict=True):
                as_of[place] = max(as_of[place], instant)
        return as_of

    def _stood(self, customer_id: str) -> Earlier | None:
        """Return what the customer's row said when it was scored last, if it knew purchases."""
        if self._configuration.every_event:
            return self._earlier[customer_id]
        row = self._partition.row(customer_id)
        return earlier_of(row) if row is not None and row.orders else None

    def _ask(self, scorings: Iterable[Scoring]) -> None:
        """Ask for scores: a customer's latest replaces an earlier, unless every event counts.

        Then the row is kept as it is now; either way all are scored together in the end.
        """
        scorings = list(scorings)
        customers = [scoring.customer_id for scoring in scorings]
        self._scored.update(customers)
        if self._configuration.every_event:
            for scoring in scorings:
                self._scorings[len(self._scorings)] = replace(scoring, row=_copy(scoring.row))
                self._remember_tier(scoring.row)
        else:
            self._scorings.update(zip(customers, scorings, strict=True))

    def advance(self, until: int, timers_max: int | None) -> None:
        """Tell of silence up to ``until``, or up to the last of ``timers_max`` crossings."""
        told, until = self._time, max(until, self._stream_time, self._time)
        woken: dict[str, int] = {}
        while (timer := self._partition.timers.pop(until)) is not None:
            instant, customer_id = timer
            woken[customer_id] = instant
            if timers_max is not None and len(woken) >= timers_max and instant > told:
                until = instant
        self._time = until
        if woken:
            self._silence(woken, told, until)

    def _silence(self, woken: Mapping[str, int], told: int, until: int) -> None:
        """Look at the customers whose timers have come up: some have purchased since they were set.

        What a customer has crossed from its timer's instant on, and after its row's, is due. Who
        was last scored by an older model is scored anew instead. ``told`` is up to when silence was
        told before.
        """
        awake = {customer_id: self._row(customer_id) for customer_id in woken}
        older = self._to_score_anew(awake)
        self._rescored(older)
        rows = {customer_id: row for customer_id, row in awake.items() if customer_id not in older}
        row_crossings = crossings_of(list(rows.values()), self._partition.scoring).tolist()
        due: list[Scoring] = []
        following: list[tuple[str, int]] = []
        for (customer_id, row), instants in zip(rows.items(), row_crossings, strict=True):
            woken_at = woken[customer_id]
            # A timer that is no crossing was set for an older row: it has crossed nothing since.
            told_until = max(row.as_of, woken_at - 1 if woken_at in instants else told)
            due += [
                Scoring(customer_id, row, instants, instant, SILENCE)
                for instant in instants
                if told_until < instant <= until
            ]
            ahead = next((i for i in instants if i > max(told_until, until)), FAR)
            if row.brought and instants[-1] > until:
                ahead = min(ahead, instants[-1])
            following.append((customer_id, ahead))
        self._partition.timers.schedule(following)
        self._keep_new_tiers({scoring.customer_id: scoring.row for scoring in due})
        self._unit.counts["silences"] += len(due)
        self._unit.crossed += [scoring.customer_id for scoring in due]
        due.sort(key=lambda scoring: (scoring.as_of, scoring.customer_id))
        self._tell(self._standings.of_silence(rows, row_crossings, told, until))
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
        self._rescored(self._to_score_anew({one: self._row(one) for one in customers}))

    def _to_score_anew(self, rows: Mapping[str, Row]) -> dict[str, Row]:
        """Return those of ``rows`` whose last scores, these included, are of an older model."""
        return {
            customer_id: row
            for customer_id, row in rows.items()
            if self._is_of_older_model(row) and customer_id not in self._scored
        }

    def _is_of_older_model(self, row: Row) -> bool:
        return row.generation < self._partition.scoring.generation and row.as_of != NEVER

    def _rescored(self, rows: Mapping[str, Row]) -> None:
        if not rows:
            return
        as_of = [max(row.as_of, self._time) for row in rows.values()]
        row_crossings = crossings_of(list(rows.values()), self._partition.scoring)
        following = next_crossings(row_crossings, np.array(as_of))
        for customer_id, instant in zip(rows, following, strict=True):
            self._partition.timers.reset(customer_id, instant)
        self._tell(self._standings.of_models(rows, self._time))
        self._touched.update(rows)
        causes = [MODEL] * len(rows)
        crossings = row_crossings.tolist()
        scorings = list(map(Scoring, rows, rows.values(), crossings, as_of, causes))
        self._partition.timers.schedule(self._standings.wakes(scorings, self._time))
        self._ask(scorings)

    def asked(self) -> Asked:
        """Return the scores to be made, once, of the rows as they are until ``finish``.

        With ``every_event`` their rows are copies: they may be made after it, those of many units
        together.
        """
        self._unit.counts["scores"] += len(self._scorings)
        for customer_id in self._eraser.erased:
            self._book.forget(customer_id)
        return Asked(list(self._scorings.values()), self._book)

    def finish(self, updates: Mapping[str, list[Message]]) -> UnitOfWork:
        """Encode the rows, set the checkpoint.

        Args:
            updates: what the scores ``asked`` for have led to, by topic.
        """
        number = self._partition.number
        unit, messages = self._unit, self._changelog
        messages += self._eraser.tombstones()
        for topic, told in updates.items():
            unit.messages.setdefault((topic, number), []).extend(told)
        unit.told = self._book.changes()
        unit.alike, unit.outcomes = self._book.alike, self._book.outcomes
        lateness, generation = self._configuration.lateness, self._partition.scoring.generation
        for customer_id, row in self._touched.items():
            seal(row, lateness)
            if customer_id in self._scored:
                if row.generation < generation:
                    unit.counts["rescored"] += customer_id in self._rows
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
            if type(event) is Erasure or type(event) is ReferrerErased:
                self._erase(record, event, causes)
                continue
            try:
                changed = self._begins(record, event) or self._fold(record, event)
            except Rejected as rejected:
                self._intake.refuse(record, rejected)
                continue
            if changed is None:
                continue
            folded += 1
            internal = event.family == INTERNAL
            if changed and not (internal and self._touched[event.customer_id].as_of == NEVER):
                causes[event.customer_id] = cause_of(record, event, self._rekeyed_topic)
        self._standings.settle()
        self._unit.counts["events"] += folded
        return causes

    def _begins(self, record: Record, event: Event) -> bool:
        """Make the row of a customer whose first event is a plain purchase; return whether it is.

        Such a row follows from the event, and concerns nobody else.
        """
        customer_id = event.customer_id
        if customer_id in self._rows or customer_id in self._touched or self._remembers_more:
            return False
        if type(event) is not Purchase or not is_plain(event):
            return False
        row = self._touched[customer_id] = first_row(event)
        row.applied[self._source_of[record.topic]] = record.offset
        self._earlier[customer_id] = None
        self._stream_time = max(self._stream_time, event.occurred_at)
        return True

    @property
    def _remembers_more(self) -> bool:
        """Whether a customer without a row may not be new, or a score may lie before its first."""
        return bool(
            self._partition.erased or self._eraser.erased or self._configuration.every_event
        )

    def _fold(self, record: Record, event: Event) -> bool | None:
        """Fold one event and tell the other rows it concerns.

        Return whether that changed what the row says; None if the event did not count.
        """
        customer_id = event.customer_id
        row = self._touched.get(customer_id) or self._row(customer_id)
        log_time = self._counting(record, event, row)
        if log_time is None:
            return None
        if self._configuration.every_event:
            self._silence_before(event, row)
        linked = row.referrer or event.family == INTERNAL
        before, changes = before_of(row) if linked else None, row.changes
        brought, now = row.brought, self._now_before(event, row)
        fold(row, event, self._configuration.lateness, log_time)
        row.applied[self._source_of[record.topic]] = record.offset
        self._touched[customer_id] = row
        if event.family == 0 and event.occurred_at > self._stream_time:
            self._stream_time = event.occurred_at
        if type(event) is Referral:
            standing = self._standings.of_link(event, row, now)
            self._tell(messages_of(event, row, before, standing))
            self._tell(self._standings.of_dropped(event, row, brought))
        elif before is not None:
            self._tell(messages_of(event, row, before))
        if brought and type(event) is Purchase:
            self._tell(self._standings.of_purchase(event, row, now))
        return row.changes != changes

    def _now_before(self, event: Event, row: Row) -> int:
        """Note what ``row`` says before ``event`` is folded; return the partition's time by it."""
        customer_id, now = event.customer_id, max(self._time, self._stream_time)
        if row.brought and customer_id not in self._touched and self._is_of_older_model(row):
            self._tell(self._standings.of_models({customer_id: row}, self._time))
        earlier = self._earlier[customer_id] = earlier_of(row) if row.orders else None
        if type(event) is not Purchase:
            return now
        now = max(now, event.occurred_at)
        sleeps = self._partition.timers.sleeps
        if earlier is not None and (customer_id in self._touched or not sleeps(customer_id, now)):
            self._standings.bought(event, earlier, now)
        return now

    def _counting(self, record: Record, event: Event, row: Row) -> int | None:
        """Return the log's time of an overtaken event, NEVER of others; None if it counts not.

        Raises:
            Rejected: see ``admits``.
        """
        counts = self._unit.counts
        if record.offset <= row.applied[self._source_of[record.topic]]:
            counts["replayed"] += 1
            return None
        if row.erased_at != NEVER and is_forgotten(row, event):
            counts["erased"] += 1
            self._tell(answers(event, row))
            if type(event) is ReferralLink:
                self._eraser.part(event, row)
            return None
        admitted, log_time = self._admits(record, event, row)
        if not admitted:
            counts["duplicates"] += 1
            return None
        return log_time

    def _erase(
        self, record: Record, event: Erasure | ReferrerErased, causes: dict[str, Cause]
    ) -> None:
        """End the customer's row, or take an erased referrer out of all rows (see ``erasing``)."""
        if isinstance(event, ReferrerErased):
            lateness = self._configuration.lateness
            for one in self._eraser.bereaved(event, lateness, self._row):
                customer_id, row, earlier, messages = one
                self._touched[customer_id], self._earlier[customer_id] = row, earlier
                self._tell(messages)
                if row.as_of != NEVER:
                    causes[customer_id] = cause_of(record, event, self._rekeyed_topic)
            self._unit.counts["events"] += 1
            return
        customer_id, source = event.customer_id, self._source_of[record.topic]
        row = self._row(customer_id)
        if event.occurred_at <= row.erased_at or record.offset <= row.applied[source]:
            self._unit.counts["duplicates"] += 1
            return
        self._tell(self._eraser.erase(event, row, source, record.offset))
        self._unit.counts["erasures"] += 1
        causes.pop(customer_id, None)
        self._book.forget(customer_id)
        self._partition.timers.reset(customer_id, FAR)
        self._scorings = {
            key: one for key, one in self._scorings.items() if one.customer_id != customer_id
        }

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
            told_until, until = max(row.as_of, self._time), event.occurred_at
            if event.family == INTERNAL:
                # A message that is no news to the row takes it nowhere.
                until = min(until, fold(_copy(row), event, self._configuration.lateness).as_of)
            instants = crossings_of([row], self._partition.scoring)[0].tolist()
            for instant in instants:
                if told_until < instant <= until:
                    self._ask([Scoring(event.customer_id, row, instants, instant, SILENCE)])
                    self._unit.counts["silences"] += 1

    def _row(self, customer_id: str) -> Row:
        """Return the row as it stands in this unit of work."""
        row = self._touched.get(customer_id)
        if row is not None:
            return row
        if customer_id in self._eraser.erased:
            return newcomer(self._eraser.erased[customer_id])
        value = self._rows.get(customer_id)
        return self._partition.newcomer(customer_id) if value is None else decode_row(value)

    def _tell(self, messages: Iterable[InternalEvent]) -> None:
        for message in messages:
            key = message.customer_id.encode()
            to = partition_of(key, self._configuration.partitions)
            topic = self._partition.credits_topic
            self._unit.send(topic, to, Message(key, encode_internal(message)))


def _copy(row: Row) -> Row:
    return decode_row(encode_row(row))
