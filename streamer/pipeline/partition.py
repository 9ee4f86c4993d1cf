"""The state of one partition, and how it moves."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from functools import cached_property
from itertools import chain, islice
from operator import length_hint
from typing import TypeVar

import numpy as np

from streamer.pipeline.adapting import Adapting
from streamer.pipeline.counting import Counting
from streamer.pipeline.index import CustomerIndex
from streamer.pipeline.tables import Tables, in_memory
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
    UnreadableRowError,
    decode_checkpoint,
    decode_erased,
    decode_model,
    decode_row,
    decode_timeline,
    decode_told,
    erased_key,
    is_row,
    told_of,
)
from streamer.state.erasure import newcomer
from streamer.state.row import Row
from streamer.state.timers import SilenceTimers

T = TypeVar("T")

RESTORE_CHUNK = 10_000


class Partition:
    """The rows of one partition and what moves them. Single-threaded.

    Args:
        number: of the partition.
        configuration: of the shop.
        tables: where its state is kept; new dictionaries if not given.
    """

    is_restored = False
    """Whether all rows are there: before, whoever reads them would miss some."""

    def __init__(
        self, number: int, configuration: Configuration, tables: Tables | None = None
    ) -> None:
        self.number = number
        self.rows, self.told, self.erased = tables or in_memory()
        self.state_bytes = 0
        """Of the encoded rows, without their keys."""
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

    @cached_property
    def event_topics(self) -> frozenset[str]:
        """Where backends publish."""
        return frozenset(self.configuration.topics[name] for name in EVENT_TOPICS)

    @property
    def credits_topic(self) -> str:
        """Where rows tell each other of referrals."""
        return self.configuration.topics[REFERRAL_CREDITS]

    @cached_property
    def adapting(self) -> Adapting:
        """What reads foreign records."""
        return Adapting(self.configuration)

    # -- recovery ---------------------------------------------------------------------------

    def restore(self, changelog: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take over keys and values of the changelog, in its order; may be called repeatedly.

        Raises:
            UnreadableRowError: it holds what no streamer up to this one has written.
        """
        try:
            self._restore(changelog)
        except UnicodeDecodeError as error:
            raise UnreadableRowError(f"the changelog has a key of no customer ({error})") from None

    def _restore(self, changelog: Iterable[tuple[bytes, bytes | None]]) -> None:
        for key, value in changelog:
            if is_row(key):
                _put(self.rows, key.decode(), value)
            elif (told_customer := told_of(key)) is not None:
                _put(self.told, told_customer, value)
            elif value is not None:
                self._restore_other(key, value)

    def _restore_other(self, key: bytes, value: bytes) -> None:
        if key == CHECKPOINT_KEY:
            self._take(decode_checkpoint(value))
        elif key == MODEL_KEY:
            self.scoring = with_model(self.configuration.scoring, decode_model(value))
        else:
            self.erased[key] = value

    def restored(self) -> None:
        """Take from the rows what is not kept with them; call once, after the last ``restore``.

        Raises:
            UnreadableRowError: a row is none that events have made.
        """
        try:
            customer_ids = self._load_timers()
        except OverflowError as error:
            raise UnreadableRowError(f"a row in the changelog is damaged ({error})") from None
        for told in self.told.values():
            self._alike[decode_told(told).segments] += 1
        self.is_restored = True
        self.counting.recount(customer_ids)
        self._rescore_all(customer_ids)
        if self.rescoring:
            self.counting.forget_values()

    def _load_timers(self) -> list[str]:
        """Look at each row once; return whose they are."""
        instants: dict[str, int] = {}
        known: list[str] = []
        for pairs in _chunks(self.rows.items(), RESTORE_CHUNK):
            customer_ids, values = zip(*pairs, strict=True)
            self.state_bytes += sum(map(len, values))
            rows = list(map(decode_timeline, values))
            told_until = np.maximum([row.as_of for row in rows], self.time)
            row_crossings = crossings_of(rows, self.scoring)
            following = next_crossings(row_crossings, told_until)
            # Whom other events have taken past its lapse: time may have to tell those it brought.
            lapses = row_crossings[:, -1]
            following = np.where(
                (lapses > self.time) & (lapses <= told_until), lapses, following
            ).tolist()
            known += customer_ids
            instants.update(
                pair for pair in zip(customer_ids, following, strict=True) if pair[1] < FAR
            )
        self.timers.load(instants)
        return known

    # -- models -----------------------------------------------------------------------------

    def adopt(self, model: ModelParams) -> None:
        """Score by ``model`` from now on; those scored by another are to be scored anew."""
        self.scoring = with_model(self.configuration.scoring, model)
        self.counting.forget_values()
        self._rescore_all(tuple(self.rows))

    def _rescore_all(self, customer_ids: Sequence[str]) -> None:
        self._to_rescore = iter(customer_ids if self.scoring.generation else ())

    def next_to_rescore(self, customers_max: int) -> list[str]:
        """Take the next customers, so many at most, to look at after a new model."""
        return list(islice(self._to_rescore, customers_max))

    @property
    def rescoring(self) -> bool:
        """Whether there may still be customers whose last scores are of an older model."""
        return length_hint(self._to_rescore) > 0

    def newcomer(self, customer_id: str) -> Row:
        """Return the row of a customer that has none; who was erased does not begin at nothing."""
        value = self.erased.get(erased_key(customer_id.encode())) if self.erased else None
        return newcomer(None if value is None else decode_erased(value))

    def row(self, customer_id: str) -> Row | None:
        """Return the committed row of ``customer_id``."""
        value = self.rows.get(customer_id)
        return None if value is None else decode_row(value)

    # -- a unit of work ---------------------------------------------------------------------

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
        touched = chain(unit.rows, unit.crossed, unit.told, unit.erased)
        self.counting.note(touched, self.time)
        for customer_id, erased in unit.erased.items():
            self.state_bytes -= len(self.rows.pop(customer_id, b""))
            self.told.pop(customer_id, None)
            self.erased[erased_key(customer_id.encode())] = erased
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
        if not self.rescoring:
            self.counting.scored_anew()
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


def _put(table: MutableMapping[str, bytes], customer_id: str, value: bytes | None) -> None:
    if value is None:
        table.pop(customer_id, None)
    else:
        table[customer_id] = value


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    remaining = iter(items)
    while chunk := list(islice(remaining, size)):
        yield chunk
