"""The state of one partition, and how it moves."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice
from operator import length_hint

import numpy as np

from streamer.pipeline.counting import Counting
from streamer.pipeline.index import CustomerIndex
from streamer.pipeline.scores import scored
from streamer.pipeline.unit import Configuration, Message, UnitOfWork
from streamer.pipeline.work import Work
from streamer.records.instants import NEVER
from streamer.records.kafka import EVENT_TOPICS, REFERRAL_CREDITS, SOURCE_TOPICS, Record
from streamer.records.models import ModelParams
from streamer.scoring.bands import crossings_of, next_crossings
from streamer.scoring.parameters import with_model
from streamer.scoring.rhythm import FAR
from streamer.scoring.segments import split
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    MODEL_KEY,
    Checkpoint,
    decode_checkpoint,
    decode_model,
    decode_row,
    decode_told,
    told_of,
)
from streamer.state.row import Row
from streamer.state.timers import SilenceTimers

RESTORE_CHUNK = 10_000


class Partition:
    """The rows of one partition and what moves them. Single-threaded."""

    is_restored = False
    """Whether all rows are there: before, whoever reads them would miss some."""

    def __init__(self, number: int, configuration: Configuration) -> None:
        self.number = number
        self.rows: dict[str, bytes] = {}
        self.state_bytes = 0
        """Of the encoded rows, without their keys."""
        self.told: dict[str, bytes] = {}
        """What was told last, by customer, encoded: see ``state.told``."""
        self._alike: Counter[str] = Counter()
        """Customers by all their segments, joined, as was told: few combinations are ever met."""
        self.next_offsets: dict[str, int] = {}
        self.time = NEVER
        """Silence has been told of up to this instant."""
        self.stream_time = NEVER
        """The greatest event time of a purchase or refund so far."""
        self.log_time = NEVER
        """The same of all that was read from the event topics, passed on or not."""
        self.timers = SilenceTimers()
        self.configuration = configuration
        self.scoring = configuration.scoring
        """With the model adopted last."""
        self._to_rescore: Iterator[str] = iter(())
        self.counting = Counting(self.rows, self.told, configuration.trials)
        self.index = CustomerIndex() if configuration.indexed else None
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
            if key == MODEL_KEY:
                if value is not None:
                    self.adopt(decode_model(value))
                continue
            if (told_customer := told_of(key)) is not None:
                self._tell(told_customer, value)
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
            following = next_crossings(crossings_of(rows, self.scoring), told_until)
            instants.update(
                pair for pair in zip(customer_ids, following, strict=True) if pair[1] < FAR
            )
        self.timers.load(instants)
        self.is_restored = True
        self.counting.recount()
        self._rescore_all()

    # -- models -----------------------------------------------------------------------------

    def adopt(self, model: ModelParams) -> None:
        """Score by ``model`` from now on; those scored by another are to be scored anew."""
        self.scoring = with_model(self.configuration.scoring, model)
        self.counting.forget_values()
        self._rescore_all()

    def _rescore_all(self) -> None:
        self._to_rescore = iter(tuple(self.rows) if self.scoring.generation else ())

    def next_to_rescore(self, customers_max: int) -> list[str]:
        """Take the next customers, so many at most, to look at after a new model."""
        return list(islice(self._to_rescore, customers_max))

    @property
    def rescoring(self) -> bool:
        """Whether there may still be customers whose last scores are of an older model."""
        return length_hint(self._to_rescore) > 0

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
        model: ModelParams | None = None,
        rescore_max: int = 0,
    ) -> UnitOfWork:
        """Return what ``records`` and the passing of time lead to; nothing is visible yet.

        As ``begin``, with the scores made at once, dated ``now``.
        """
        work = self.begin(
            records,
            now,
            next_offsets=next_offsets,
            silence_until=silence_until,
            timers_max=timers_max,
            model=model,
            rescore_max=rescore_max,
        )
        [updates] = scored([work.asked()], now, self.configuration, self.scoring)
        return work.finish(updates)

    def begin(
        self,
        records: Sequence[Record],
        now: datetime,
        *,
        next_offsets: Mapping[str, int] | None = None,
        silence_until: int = NEVER,
        timers_max: int | None = None,
        model: ModelParams | None = None,
        rescore_max: int = 0,
    ) -> Work:
        """Fold ``records`` and let time pass; the scores that this asks for are still to be made.

        Args:
            records: in the order of their offsets within each topic.
            now: the shell's clock: events far ahead of it are refused.
            next_offsets: where reading goes on, by topic; behind the records where not given.
            silence_until: tell of silence up to this instant, besides up to stream time.
            timers_max: tell of about so many band crossings at most; the rest stays due.
            model: to be adopted now, unless one as new has been.
            rescore_max: customers to look at, at most, who may have to be scored anew after that.
        """
        work = Work(self, now, next_offsets or {})
        if model is not None and model.generation > self.scoring.generation:
            work.adopt(model)
        work.take(records)
        work.advance(max(silence_until, self.stream_time), timers_max)
        work.rescore(rescore_max)
        return work

    def commit(self, unit: UnitOfWork) -> None:
        """Make ``unit``, now written, visible."""
        self.counting.note(chain(unit.rows, unit.crossed, unit.told), self.time)
        before = sum(map(len, filter(None, map(self.rows.get, unit.rows))))
        self.state_bytes += sum(map(len, unit.rows.values())) - before
        self.rows.update(unit.rows)
        self.told.update(unit.told)
        self._alike.update(unit.alike)
        self._take(unit.checkpoint)

    def _tell(self, customer_id: str, told: bytes | None) -> None:
        before = self.told.pop(customer_id, None)
        if before is not None:
            self._alike[decode_told(before).segments] -= 1
        if told is not None:
            self.told[customer_id] = told
            self._alike[decode_told(told).segments] += 1

    def tell(self, told: Mapping[str, bytes]) -> None:
        """Take over what a shell, which makes the scores itself, has told of customers."""
        self.counting.note(told, self.time)
        for customer_id, value in told.items():
            self._tell(customer_id, value)

    def members(self) -> dict[str, int]:
        """Return how many customers were last told to be in each segment."""
        members: Counter[str] = Counter()
        for segments, customers in self._alike.items():
            for name in split(segments):
                members[name] += customers
        return +members

    def count(self, customers_max: int) -> None:
        """Count up to so many changed customers for the figures of the shop (see ``counting``)."""
        counted = self.counting.count(customers_max, self.time, self.scoring)
        if self.index is not None:
            self.index.update(counted, self.rows, self.told, self.time, self.scoring)

    def renew(self, customers_max: int) -> int:
        """Renew up to so many customers of the index whom a day's silence has moved; say how many.

        Of use to those who search; nothing of the partition's own follows from it.
        """
        if self.index is None or self.time == NEVER:
            return 0
        stale = self.index.stale(self.time, customers_max)
        self.index.update(stale, self.rows, self.told, self.time, self.scoring)
        return len(stale)

    def partials(self) -> list[Message]:
        """Return what is to be written to ``programme-partials``, in a unit of work's transaction.

        Once given, it is taken as written: if it is not, drop the partition.
        """
        return list(self.counting.news(self.time, self.scoring))

    def due(self, until: int) -> bool:
        """Return whether some silence up to ``until`` has not been told of."""
        instant = self.timers.next_instant()
        return instant is not None and instant <= until

    def _take(self, checkpoint: Checkpoint) -> None:
        self.next_offsets = checkpoint.next_offsets
        self.time = checkpoint.time
        self.stream_time = checkpoint.stream_time
        self.log_time = checkpoint.log_time


def _chunks(customer_ids: Iterable[str], size: int) -> Iterator[list[str]]:
    remaining = iter(customer_ids)
    while chunk := list(islice(remaining, size)):
        yield chunk
