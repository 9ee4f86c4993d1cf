"""A partition's share in the figures of the whole shop (V13, V16, V18), kept beside the work.

When a unit of work is committed, each customer it changed is remembered as it was when counted
last, and that is all. Off the way of events, ``count`` takes some of them, looks at what each one
counted for and counts for now, and adds the difference: many events of a customer are one change,
and the cost is that of the customers touched, whatever the size of the base.

The sums are a function of the committed rows, of the model in force and of the partition's time.
So recovery restores none of them: every customer is then to be counted, as one that never was, and
nothing is told before the last of them has been. A lifetime value counts if the row was last scored
by the model in force: so a new model can start their sums at nothing, without a look at the base.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from streamer.pipeline.rating_sums import RatingSums
from streamer.pipeline.sums import Sums
from streamer.pipeline.unit import Message
from streamer.records.instants import NEVER, day_of
from streamer.records.partials import SHARE, Share
from streamer.scoring.experiments.observing import Observations, observations_of
from streamer.scoring.experiments.plans import Trial
from streamer.scoring.ideal.spreads import Marked, bucket_of
from streamer.scoring.ideal.traits import traits_of
from streamer.scoring.lifetime import lifetimes
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.programme.groups import groups_of
from streamer.scoring.programme.members import Member, member_of
from streamer.scoring.programme.months import first_month
from streamer.scoring.programme.reviews import Opinions, opinions_of
from streamer.scoring.programme.spending import Spending, spending_of
from streamer.scoring.segments import split
from streamer.serdes.partials import encode_partial, encode_partial_key
from streamer.serdes.rows import decode_row, decode_told
from streamer.state.row import Row


class Snapshot(NamedTuple):
    """A customer at some moment."""

    row: bytes | None
    """None where there is none, or it does not count yet."""
    told: bytes | None
    """What was told of the customer last."""
    time: int
    """The partition's: silence had been told of up to it."""

    @property
    def segments(self) -> tuple[str, ...]:
        """Those that the customer was last told to be in."""
        return () if self.told is None else split(decode_told(self.told).segments)


NOT_COUNTED = Snapshot(None, None, NEVER)


class _Counted(NamedTuple):
    """What a customer counts for."""

    member: Member | None
    observations: Observations
    marked: Marked | None
    """None where the lifetime value is not known."""
    spending: Spending
    opinions: Opinions


_NOTHING = _Counted(None, {}, None, {}, {})


class Counting:
    """Counts the customers of one partition.

    Args:
        rows: the committed ones, as they will be.
        told: what was told of customers last, likewise.
        trials: the experiments that the shop has planned.
    """

    def __init__(
        self, rows: Mapping[str, bytes], told: Mapping[str, bytes], trials: Mapping[str, Trial]
    ) -> None:
        self._rows, self._told = rows, told
        self._trials = trials
        self._pending: dict[str, Snapshot] = {}
        self._queue: deque[str] = deque()
        """They again, those longest pending first: to look for the first one left in a dictionary
        takes longer the more of them have gone."""
        self._uncounted = 0
        """The first so many of them are left from the recovery."""
        self._sums = Sums()
        self._ratings = RatingSums()
        self._day = NEVER
        self._told_day = NEVER
        """NEVER as well where something else that the share says has changed."""
        self._unvalued: int | None = 0
        """Of the queue, up to where lifetime values may be missing; None: not even scored anew."""

    # -- what is to be counted -----------------------------------------------------------------

    @property
    def pending(self) -> int:
        """How many customers have changed since they were counted."""
        return len(self._pending)

    @property
    def held(self) -> int:
        """How many of them hold on to a row that has been replaced, about."""
        return len(self._pending) - self._uncounted

    @property
    def has_counted_all(self) -> bool:
        """Whether every customer has been counted once since the recovery."""
        return not self._uncounted

    def note(self, customers: Iterable[str], time: int) -> None:
        """Remember ``customers`` as they are; call it before their rows change.

        Args:
            customers: who is about to change, be it that silence takes them into another band.
            time: of the partition, before it moves on.
        """
        pending, rows, told, queue = self._pending, self._rows, self._told, self._queue
        for customer_id in customers:
            if customer_id not in pending:
                pending[customer_id] = Snapshot(rows.get(customer_id), told.get(customer_id), time)
                queue.append(customer_id)

    def recount(self, customers: Iterable[str]) -> None:
        """Have all ``customers`` there are counted: nothing has been yet."""
        self._pending = dict.fromkeys(customers, NOT_COUNTED)
        self._queue = deque(self._pending)
        self._uncounted = len(self._pending)

    def forget_values(self) -> None:
        """Count no lifetime value any more: a new model is in force."""
        self._sums.forget_values()
        self._unvalued, self._told_day = None, NEVER

    def scored_anew(self) -> None:
        """Note that all customers are scored by the model in force, those pending included."""
        if self._unvalued is None:
            self._unvalued = len(self._queue)
            self._told_day = NEVER

    # -- counting ------------------------------------------------------------------------------

    def count(self, customers_max: int, time: int, scoring: ScoringParameters) -> list[str]:
        """Count up to so many of the pending customers, those longest pending first; return them.

        Args:
            customers_max: 1 or more.
            time: of the partition, and of the committed rows.
            scoring: the parameters in force.
        """
        self._day = day_of(max(time, 0))
        self._sums.keep_since(first_month(self._day))
        queue = self._queue
        customers = [queue.popleft() for _ in range(min(customers_max, len(queue)))]
        if not customers:
            return []
        before = [self._pending.pop(customer_id) for customer_id in customers]
        if not self._pending:
            self._pending = {}  # a dictionary keeps the room for all it has ever held
        now = [Snapshot(self._rows.get(one), self._told.get(one), time) for one in customers]
        self._uncounted = max(0, self._uncounted - len(customers))
        if self._unvalued:
            self._unvalued = max(0, self._unvalued - len(customers))
            if not self._unvalued:
                self._told_day = NEVER
        counted = self._counted(before + now, scoring)
        changes = list(zip(counted[: len(before)], counted[len(before) :], strict=True))
        self._sums.count(
            [(was.member, is_.member) for was, is_ in changes],
            [(was.observations, is_.observations) for was, is_ in changes],
            [(was.marked, is_.marked) for was, is_ in changes],
            [(was.spending, is_.spending) for was, is_ in changes],
        )
        self._ratings.count([(was.opinions, is_.opinions) for was, is_ in changes])
        return customers

    def _counted(self, snapshots: Sequence[Snapshot], scoring: ScoringParameters) -> list[_Counted]:
        """Return what each of ``snapshots`` counts for; all at once cost far less."""
        rows = [None if one.row is None else decode_row(one.row) for one in snapshots]
        pairs = zip(rows, snapshots, strict=True)
        valued = [(row, one.time) for row, one in pairs if row and _is_valued(row, scoring)]
        told = lifetimes([r for r, _ in valued], [t for _, t in valued], scoring)
        values = zip(*told, strict=True)
        counted = []
        for row, snapshot in zip(rows, snapshots, strict=True):
            if row is None:
                counted.append(_NOTHING)
                continue
            value, as_of = next(values) if _is_valued(row, scoring) else (None, NEVER)
            member = member_of(row, value, groups_of(row, snapshot.segments))
            observations = observations_of(row, value, self._trials)
            marked = None if value is None else Marked(bucket_of(value), traits_of(row, as_of))
            counted.append(
                _Counted(member, observations, marked, spending_of(row), opinions_of(row))
            )
        return counted

    # -- what is told --------------------------------------------------------------------------

    @property
    def has_news(self) -> bool:
        """Whether the records on the topic are not those of the customers counted."""
        if self._uncounted:
            return False
        changed = self._sums.has_changed or self._ratings.has_changed
        return changed or self._day != self._told_day

    def news(self, time: int, scoring: ScoringParameters) -> Iterator[Message]:
        """Give the records that have changed since they were given last, the share behind them."""
        for key, sums in chain(self._sums.take_changed(), self._ratings.take_changed()):
            value = None if sums is None else encode_partial(sums)
            yield Message(encode_partial_key(key), value)
        share = Share(
            time=time,
            generation=scoring.generation,
            model_version=scoring.model_version,
            keys=self._sums.keys + self._ratings.keys,
            beyond=self._sums.beyond | self._ratings.beyond,
            valued=self._unvalued == 0,
        )
        self._told_day = self._day
        yield Message(encode_partial_key(SHARE), encode_partial(share))


def _is_valued(row: Row, scoring: ScoringParameters) -> bool:
    return row.orders > 0 and row.generation == scoring.generation
