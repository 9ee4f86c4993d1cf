"""The second shell: events from a file through the same pipeline to files; no Kafka, no network.

A replay says what the worker would have said had every event come alone, in the file's order:

- Each event goes where ``streamer send`` puts it, to the next offset of its topic partition, so a
  score's ``cause`` is that of events sent to empty topics. What rows tell each other is fed back
  at once.
- Scores do not act on rows, so they wait and are made together; their order stays.
- Time is each partition's stream time; ``run_silence`` lets it run on behind the last event.
- Who is erased is left out: of an erased customer the files hold what came after the erasure alone.
- The clock is read once, at the start: it dates the scores and tells what lies in the future.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

import msgspec
from msgspec.structs import astuple

from streamer.files import USUAL, Layout, read_lines
from streamer.files.outputs import OUTPUTS, Form, OutputFiles, ReplayError, is_output
from streamer.pipeline import Asked, Book, Message, Partition, Shop, scored
from streamer.records.instants import NEVER
from streamer.records.kafka import (
    DEAD_LETTERS,
    PROGRAMME_MEASURES,
    REFERRAL_CREDITS,
    REKEYED,
    FileRecord,
)
from streamer.records.models import ModelParams
from streamer.scoring.parameters import with_model
from streamer.scoring.score import Scoring
from streamer.serdes.addresses import address
from streamer.serdes.dead_letters import readable_dead_letter
from streamer.settings import Settings

TIMERS_MAX = 5_000
"""Band crossings told of at once when silence runs on: it bounds the memory."""

COUNTED_MAX = 2_000
"""Customers counted at once for the figures of the shop, at the end."""

SCORINGS_MAX = 2_000
"""Scores are made so many at a time: one alone costs thirty times as much."""

Writer = Callable[[str, bytes], None]
"""Called with the name of a topic, without the prefix, and one record as a line of JSON."""

Forgetter = Callable[[str], None]
"""Called with the id of a customer of whom nothing that was written so far is to stay."""

PROGRESS_EVENTS = 500
"""How often progress is told."""

_encode = msgspec.json.Encoder().encode


class Replay:
    """All partitions of a shop, and the topics between them.

    Args:
        settings: as the worker's; ``emit`` has no say, every event is scored.
        now: the clock.
        version: of this program, for dead letters.
        write: takes what comes out, in the order of its emission.
        model: by which to score; the formula without one.
        forget: told of who is erased.
    """

    _scorings: list[Scoring]

    def __init__(
        self,
        settings: Settings,
        now: datetime,
        version: str,
        write: Writer,
        model: ModelParams | None = None,
        *,
        forget: Forgetter = lambda _: None,
    ) -> None:
        # Every event: silence up to an event must be told of before the event ends it.
        configuration = replace(settings.configuration(version), every_event=True)
        self._configuration = configuration
        self._scorings = []
        self._book = Book({})
        self._now = now
        self._model = model
        self._write = write
        self._forget = forget
        self._topics = configuration.topics
        self._outputs = {configuration.topics[name]: name for name in OUTPUTS}
        self._scoring = with_model(configuration.scoring, model)
        self._fed_back = {configuration.topics[name] for name in (REKEYED, REFERRAL_CREDITS)}
        self._partitions = [Partition(n, configuration) for n in range(settings.partitions)]
        self._next_offsets: Counter[tuple[str, int]] = Counter()
        self._waiting: deque[FileRecord] = deque()
        self.events = 0
        """Events taken, good or bad."""
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        """Dead letters by reason."""

    @property
    def customers(self) -> int:
        """How many rows there are."""
        return sum(len(partition.rows) for partition in self._partitions)

    @property
    def stream_time(self) -> int:
        """The greatest event time of a purchase or refund, microseconds since 1970."""
        return max(partition.stream_time for partition in self._partitions)

    def take(self, value: bytes) -> None:
        """Take one event, as it stands, through the pipeline with all that follows from it."""
        self.events += 1
        topic, partition, key = address(value, len(self._partitions))
        self._append(self._topics[topic], partition, (Message(key, value),))
        while self._waiting:
            record = self._waiting.popleft()
            self._process(self._partitions[record.partition], (record,))

    def run_silence(self, until: int) -> None:
        """Tell of silence in all partitions, one after the other, up to the instant ``until``."""
        for partition in self._partitions:
            while partition.due(until):
                self._process(partition, (), until)
            # The time itself comes that far, whoever was silent last: measures are as of it.
            self._process(partition, (), until)

    def _append(self, topic: str, partition: int, messages: Iterable[Message]) -> None:
        sent_at = round(self._now.timestamp() * 1000)
        for key, value, headers, timestamp in map(astuple, messages):
            offset = self._next_offsets[topic, partition]
            self._next_offsets[topic, partition] += 1
            record = FileRecord(topic, partition, offset, timestamp or sent_at, key, value, headers)
            self._waiting.append(record)

    def _process(
        self, partition: Partition, records: Sequence[FileRecord], until: int = NEVER
    ) -> None:
        work = partition.begin(
            records,
            self._now,
            silence_until=until,
            timers_max=TIMERS_MAX,
            model=self._model,
        )
        scorings = work.asked().scorings
        unit = work.finish({})
        for customer_id in unit.erased:
            self._erase(customer_id)
        self._scorings += scorings
        self._hand_on(unit.messages)
        partition.commit(unit)
        if len(self._scorings) >= SCORINGS_MAX:
            self.flush()
        self.counts.update(unit.counts)
        self.refused.update(unit.refused)

    def _erase(self, customer_id: str) -> None:
        self._scorings = [one for one in self._scorings if one.customer_id != customer_id]
        self._book.forget(customer_id)
        self._forget(customer_id)

    def flush(self) -> None:
        """Make and write the scores that wait for company; call it at the end."""
        asked = Asked(self._scorings, self._book)
        [updates] = scored([asked], self._now, self._configuration, self._scoring)
        self._hand_on({(topic, 0): messages for topic, messages in updates.items()})
        self._scorings.clear()

    def measure(self) -> None:
        """Write the figures of the shop as they are now; call it at the end."""
        shop = Shop(
            self._configuration.scoring.currency,
            self._configuration.trials,
            self._configuration.goals,
        )
        told = self._book.changes()
        for partition in self._partitions:
            partition.tell({one: told[one] for one in told.keys() & partition.rows.keys()})
            partition.count(COUNTED_MAX)
            while partition.counting.pending:
                partition.count(COUNTED_MAX)
            for key, value, *_ in map(astuple, partition.partials()):
                shop.take(partition.number, key, value)
        for measure in shop.measures(self._now):
            self._write(PROGRAMME_MEASURES, _encode(measure))

    def _hand_on(self, written: Mapping[tuple[str, int], Sequence[Message]]) -> None:
        for (topic, partition), messages in written.items():
            if topic in self._fed_back:
                self._append(topic, partition, messages)
            elif (name := self._outputs.get(topic)) == DEAD_LETTERS:
                for message in messages:
                    self._write(name, _encode(readable_dead_letter(*astuple(message))))
            elif name is not None:
                for message in messages:
                    if message.value is not None:  # null: said by `forget`
                        self._write(name, message.value)


def replay_file(
    source: str,
    out: Path,
    settings: Settings,
    *,
    now: datetime,
    version: str,
    until: int = NEVER,
    model: ModelParams | None = None,
    form: Form = "jsonl",
    layout: Layout = USUAL,
    progress: Callable[[Replay], None] = lambda _: None,
) -> Replay:
    """Replay the file ``source`` into the folder ``out``.

    Args:
        source: events as JSON lines, or transactions; ``-`` is standard input.
        out: its files of an earlier replay are replaced.
        settings: as the worker's.
        now: the clock.
        version: of this program.
        until: let silence run on to this instant.
        model: by which to score; the formula without one.
        form: of the files; measures of the whole shop, which are nested, are JSON lines always.
        layout: how a table of transactions writes what it says.
        progress: called every now and then.

    Raises:
        FileError: the file cannot be read as it stands.
        ReplayError: the folder cannot be written.
        NoParquetError: ``form`` needs a library that is not installed.
    """
    values = read_lines(source, settings.reporting_currency, layout)
    if is_output(source, out):
        raise ReplayError(f"{source} is a file that would be written: name another folder.")
    first = list(islice(values, 1))  # so that nothing is touched if there is no such file
    with OutputFiles(out, form) as files:
        replay = Replay(settings, now, version, files.write, model, forget=files.forget)
        for value in chain(first, values):
            replay.take(value)
            if replay.events % PROGRESS_EVENTS == 0:
                progress(replay)
        replay.run_silence(until)
        replay.flush()
        replay.measure()
    return replay
