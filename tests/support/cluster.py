"""N partitions and their topics in memory: bytes in, bytes out, rows to inspect, time by hand.

It stands where the engine stands and does what the pipeline asks of a shell: reads each
partition's topics from its checkpoint, writes a unit of work all or not at all, commits, recovers.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from streamer.pipeline import Configuration, Message, Partition, UnitOfWork, Work, scored
from streamer.records.kafka import (
    CHANGELOG,
    CHURN_RISK_UPDATES,
    LTV_UPDATES,
    SOURCE_TOPICS,
    TOPIC_OF_TYPE,
    FileRecord,
    Headers,
    Record,
)
from streamer.records.partitioning import partition_of
from streamer.records.scores import MEASURES
from streamer.scoring.nulls import null_reason
from streamer.serdes.rows import decode_row
from streamer.state.row import Row

NOW = datetime(2030, 1, 1, tzinfo=UTC)
Changelog = list[tuple[bytes, bytes | None]]
OPTIONAL = frozenset(chain(*MEASURES.values(), ["predicted_clv_basis"]))


class Score(dict[str, Any]):
    """An update as read: what it may leave out is null."""

    def __missing__(self, field: str) -> None:
        """Return null for what may be left out."""
        if field not in OPTIONAL:
            raise KeyError(field)

    def null_reason(self, field: str) -> str:
        """Return why a field is null."""
        return null_reason(self["null_reasons"], field)


def processed(
    partition: Partition, records: Sequence[Record], now: datetime, **how: Any
) -> UnitOfWork:
    """Return a unit of work whose scores are made at once, dated ``now``; ``how`` as for begin."""
    work = partition.begin(records, now, **how)
    [updates] = scored([work.asked()], now, partition.configuration, partition.scoring)
    return work.finish(updates)


class Cluster:
    """Partitions under one configuration, each with its own share of every topic."""

    def __init__(self, configuration: Configuration, now: datetime = NOW) -> None:
        self.now = now
        """The clock of all partitions; set it at will."""
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.configuration = configuration
        self._sent = 0
        self._logs: dict[tuple[str, int], list[FileRecord]] = {}
        self._partitions = [Partition(n, configuration) for n in self.numbers]

    @property
    def numbers(self) -> range:
        """The partitions' numbers."""
        return range(self.configuration.partitions)

    # -- producers --------------------------------------------------------------------------

    def produce(
        self,
        topic: str,
        partition: int,
        value: bytes | None,
        key: bytes | None = None,
        headers: Headers = (),
    ) -> FileRecord:
        """Append a record to a topic, named without its prefix."""
        name = self.configuration.topics[topic]
        log = self._logs.setdefault((name, partition), [])
        self._sent += 1
        record = FileRecord(name, partition, len(log), self._sent, key, value, headers)
        log.append(record)
        return record

    def send(self, event: Mapping[str, Any]) -> FileRecord:
        """Append an event where a careful producer puts it."""
        key = event["customer_id"].encode()
        place = partition_of(key, self.configuration.partitions)
        return self.produce(TOPIC_OF_TYPE[event["type"]], place, json.dumps(event).encode(), key)

    # -- the shell --------------------------------------------------------------------------

    def waiting(self, number: int, topics: Iterable[str] | None = None) -> list[FileRecord]:
        """Return what partition ``number`` has not consumed, topic after topic."""
        if topics is None:
            topics = (*SOURCE_TOPICS, *self.configuration.adapters)
        consumed = self._partitions[number].next_offsets
        names = [self.configuration.topics[topic] for topic in topics]
        logs = ((name, self._logs.get((name, number), [])) for name in names)
        return [record for name, log in logs for record in log[consumed.get(name, 0) :]]

    def attempt(self, number: int, records: Sequence[FileRecord], **how: Any) -> UnitOfWork:
        """Process ``records`` and write nothing: then write, or crash. ``how`` as for begin."""
        return processed(self._partitions[number], records, self.now, **how)

    def begin(self, number: int, size: int | None = None) -> Work:
        """Begin a unit of work of what waits in partition ``number``."""
        records = self.waiting(number)[:size]
        return self._partitions[number].begin(records, self.now)

    def complete(self, number: int, unit: UnitOfWork) -> None:
        """Write ``unit`` and make it visible."""
        self.write(unit)
        self._partitions[number].commit(unit)

    def write(self, unit: UnitOfWork) -> None:
        """Append all that ``unit`` leads to: the transaction's commit."""
        for (name, partition), messages in unit.messages.items():
            log = self._logs.setdefault((name, partition), [])
            for message in messages:
                log.append(_record(name, partition, len(log), message))
        self.counts += unit.counts
        self.refused += unit.refused

    def step(
        self,
        number: int,
        limit: int | None = None,
        topics: Iterable[str] | None = None,
        **how: Any,
    ) -> UnitOfWork:
        """Take up to ``limit`` waiting records of partition ``number`` through a unit of work."""
        unit = self.attempt(number, self.waiting(number, topics)[:limit], **how)
        self.complete(number, unit)
        return unit

    def settle(self, limit: int | None = None) -> None:
        """Step all partitions until nothing waits."""
        while any(self.waiting(number) for number in self.numbers):
            for number in self.numbers:
                if self.waiting(number):
                    self.step(number, limit)

    def tell_silence(self, until: int, timers_max: int | None = None) -> None:
        """Let all partitions tell of silence up to the instant ``until``."""
        for number in self.numbers:
            self.step(number, 0, silence_until=until, timers_max=timers_max)
            while self._partitions[number].due(until):
                self.step(number, 0, silence_until=until, timers_max=timers_max)

    def crash(self, number: int, changelog: Changelog | None = None) -> None:
        """Drop partition ``number`` and restore it, from a compacted ``changelog`` if given."""
        partition = Partition(number, self.configuration)
        partition.restore(self.changelog(number) if changelog is None else changelog)
        partition.restored()
        self._partitions[number] = partition

    # -- what came out ----------------------------------------------------------------------

    def partition(self, number: int) -> Partition:
        """Return the partition itself."""
        return self._partitions[number]

    def log(self, topic: str) -> list[FileRecord]:
        """Return a topic's records, partition after partition."""
        name = self.configuration.topics[topic]
        return [record for n in self.numbers for record in self._logs.get((name, n), [])]

    def changelog(self, number: int) -> Changelog:
        """Return the keys and values of a partition's changelog."""
        log = self._logs.get((self.configuration.topics[CHANGELOG], number), [])
        return [(record.key or b"", record.value) for record in log]

    def rows(self) -> dict[str, Row]:
        """Return all rows; no customer may have two."""
        owners = [(customer, n) for n in self.numbers for customer in self._partitions[n].rows]
        rows = {customer: decode_row(self._partitions[n].rows[customer]) for customer, n in owners}
        assert len(rows) == len(owners), "a customer has two rows"
        return rows

    def scores(self, topic: str) -> Iterator[Score]:
        """Return the decoded updates of a topic, in the order of each partition."""
        values = (record.value for record in self.log(topic))
        return (Score(json.loads(value)) for value in values if value is not None)

    def last_scores(self, *apart_from: str) -> dict[tuple[str, str], Score]:
        """Return the last update of each topic and customer, apart from these fields."""
        last: dict[tuple[str, str], Score] = {}
        for topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
            for record in self.log(topic):
                key = topic, (record.key or b"").decode()
                if record.value is None:
                    last.pop(key, None)
                else:
                    last[key] = without(Score(json.loads(record.value)), *apart_from)
        return last


def without(score: Score, *fields: str) -> Score:
    """Return ``score`` apart from ``fields``."""
    return Score({name: value for name, value in score.items() if name not in fields})


def compact(changelog: Changelog, keep: Sequence[bool]) -> Changelog:
    """Return ``changelog`` as a broker may compact it: only superseded records may go.

    ``keep`` says which of these stay, and starts over when it ends.
    """
    last = {key: place for place, (key, _) in enumerate(changelog)}
    return [
        entry
        for place, entry in enumerate(changelog)
        if last[entry[0]] == place or (keep and keep[place % len(keep)])
    ]


def _record(topic: str, partition: int, offset: int, message: Message) -> FileRecord:
    return FileRecord(topic, partition, offset, 0, message.key, message.value, message.headers)
