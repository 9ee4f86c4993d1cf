"""Follows what a run of workers commits, and keeps watch over what must never happen."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from streamer.records.kafka import (
    CHANGELOG,
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    EVENT_TOPICS,
    LTV_UPDATES,
    RECOMMENDED_ACTIONS,
    REFERRAL_CREDITS,
    REKEYED,
    SEGMENT_CHANGES,
)
from streamer.serdes.rows import (
    CHECKPOINT_KEY,
    Checkpoint,
    decode_checkpoint,
    decode_row,
    is_row,
)
from tests.support.load import java_partition
from tests.support.oracle import Sums
from tests.support.stage import Stage
from tests.support.topics import Tail
from tests.support.verdict import Score, decoded, row_faults, score_faults, shortened

if TYPE_CHECKING:
    from streamer.state.row import Row

PACE_SECONDS = 0.2
SCORES = (LTV_UPDATES, CHURN_RISK_UPDATES)
INTERNAL = (
    "referral_link",
    "referral_credit",
    "referral_probe",
    "referral_ring",
    "referral_lost",
    "referrer_standing",
    "referrer_erased",
)
"""Types of what a customer's row is told of others' events."""


class Audit:
    """The last row, the last scores and the checkpoint of everyone, and all faults on the way.

    Faults: a row or a revision going back, a score given twice, a customer in two partitions, a
    checkpoint going back.
    """

    def __init__(self, corner: Stage) -> None:
        bootstrap, prefix, partitions = corner.bootstrap, corner.prefix, corner.partitions
        self.rows: dict[str, Row] = {}
        self.last: dict[str, dict[str, Score]] = {topic: {} for topic in SCORES}
        self.scores: Counter[str] = Counter()
        self.causes: Counter[tuple[str, str]] = Counter()
        """LTV scores by customer and its own event that caused them."""
        self.silences: defaultdict[str, list[Score]] = defaultdict(list)
        """Churn risks told by silence, by customer."""
        self.dead_letters: list[ConsumerRecord] = []
        self.checkpoints: dict[int, Checkpoint] = {}
        self.moved_at: dict[int, float] = dict.fromkeys(range(partitions), time.time())
        """Unix time of the last commit of each partition that consumed something."""
        self.still_max: dict[int, float] = dict.fromkeys(range(partitions), 0.0)
        """The longest time without such a commit, by partition."""
        self.bootstrap = bootstrap
        self._commits: list[tuple[float, int]] = []
        self.faults: list[str] = []
        self._corner, self._prefix, self._partitions = corner, prefix, partitions
        self._needed: dict[tuple[str, int], int] = {}
        outputs = (CHANGELOG, *SCORES, DEAD_LETTERS, REKEYED, REFERRAL_CREDITS)
        self._tail = Tail(bootstrap, [prefix + name for name in outputs])
        self._told_besides = [
            TopicPartition(prefix + name, number)
            for name in (SEGMENT_CHANGES, RECOMMENDED_ACTIONS)
            for number in range(partitions)
        ]
        self._any_end = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        self._reading = asyncio.Lock()

    async def start(self) -> None:
        await self._tail.start()
        await self._any_end.start()

    async def stop(self) -> None:
        await self._tail.stop()
        await self._any_end.stop()

    def differences(self, sums: Mapping[str, Sums]) -> list[str]:
        """Return what went back, and where rows and last scores are not what the oracle counts."""
        scores = self.last[LTV_UPDATES], self.last[CHURN_RISK_UPDATES]
        return [
            *self.faults,
            *row_faults(sums, self.rows),
            *score_faults(sums, self.rows, *scores),
        ]

    def check(self, sums: Mapping[str, Sums]) -> None:
        """Nothing differs."""
        faults = self.differences(sums)
        assert not faults, shortened(faults)

    async def follow(self) -> None:
        """Read on and on, until cancelled."""
        while True:
            await self.read()
            await asyncio.sleep(PACE_SECONDS)

    async def read(self) -> None:
        """Take in what has been committed until now."""
        async with self._reading:
            for record in await self._news():
                name = record.topic.removeprefix(self._prefix)
                if name in SCORES:
                    self._score(name, record)
                elif name == CHANGELOG:
                    self._changelog(record)
                elif name == DEAD_LETTERS:
                    self.dead_letters.append(record)
                else:
                    self._needed[name, record.partition] = record.offset + 1

    async def _news(self) -> list[ConsumerRecord]:
        try:
            return await self._tail.catch_up()
        except KafkaError:  # the brokers are away, as some faults want it: every wait has an end
            return []

    # -- what is watched --------------------------------------------------------------------

    def _changelog(self, record: ConsumerRecord) -> None:
        if record.key == CHECKPOINT_KEY:
            self._checkpoint(record.partition, decode_checkpoint(record.value), record.timestamp)
            return
        if not is_row(record.key):
            return
        if record.value is None:
            self.rows.pop(record.key.decode(), None)
            return
        name = record.key.decode()
        self._at_home(name, record)
        row, before = decode_row(record.value), self.rows.get(name)
        if before is not None:
            rising = [row.changes, row.events_seen, *row.applied]
            rose = [before.changes, before.events_seen, *before.applied]
            if any(new < old for new, old in zip(rising, rose, strict=True)):
                self.faults.append(f"the row of {name} goes back at {record.offset}")
        self.rows[name] = row

    def _checkpoint(self, partition: int, checkpoint: Checkpoint, timestamp_ms: int) -> None:
        before = self.checkpoints.get(partition, Checkpoint({}, -1, -1))
        self.checkpoints[partition] = checkpoint
        for topic, offset in before.next_offsets.items():
            if checkpoint.next_offsets.get(topic, 0) < offset:
                self.faults.append(f"the checkpoint of {topic}/{partition} goes back")
        if checkpoint.next_offsets != before.next_offsets:
            at = timestamp_ms / 1000
            still = at - self.moved_at[partition]
            self.still_max[partition] = max(self.still_max[partition], still)
            self.moved_at[partition] = at
            self._commits.append((at, partition))

    def _score(self, topic: str, record: ConsumerRecord) -> None:
        if record.value is None:
            self.last[topic].pop(record.key.decode(), None)
            return
        score = decoded(record.value)
        name, cause = score["customer_id"], score["cause"]
        self._at_home(name, record)
        before = self.last[topic].get(name)
        if before is not None and score["revision"] <= before["revision"]:
            self.faults.append(
                f"{topic} of {name}: revision {score['revision']} after {before['revision']}"
            )
        self.last[topic][name] = score
        self.scores[topic] += 1
        if cause["kind"] == "silence" and topic == CHURN_RISK_UPDATES:
            self.silences[name].append(score)
        elif topic == LTV_UPDATES and cause["kind"] == "event" and cause["type"] not in INTERNAL:
            self.causes[name, cause["id"]] += 1

    def _at_home(self, name: str, record: ConsumerRecord) -> None:
        if record.key != name.encode():
            self.faults.append(f"{record.topic}: key {record.key!r} is not that of {name}")
        elif record.partition != java_partition(record.key, self._partitions):
            self.faults.append(f"{record.topic}: {name} turns up in partition {record.partition}")

    # -- waiting ----------------------------------------------------------------------------

    def commits_since(self, at: float) -> list[tuple[float, int]]:
        """Return Unix time and partition of the commits after a time that consumed something."""
        return [commit for commit in self._commits if commit[0] > at]

    async def wait_for(
        self, holds: Callable[[], object], seconds_max: float, complaint: str
    ) -> None:
        """Read on until `holds()`."""
        deadline = time.monotonic() + seconds_max
        await self.read()
        while not holds():
            self._corner.check_alive()
            assert time.monotonic() < deadline, f"{complaint} in {seconds_max:g} s: {self.lag()}"
            await asyncio.sleep(PACE_SECONDS)
            await self.read()

    async def moved(self, since: float, seconds_max: float) -> float:
        """Wait until every partition has committed after a Unix time; return when the last did."""

        def still() -> set[int]:
            return set(self.moved_at) - {number for _, number in self.commits_since(since)}

        await self.wait_for(lambda: not still(), seconds_max, "a partition stands still")
        first: dict[int, float] = {}
        for at, number in self.commits_since(since):
            first.setdefault(number, at)
        return max(first.values())

    async def consumed(self, seconds_max: float = 60) -> None:
        """Wait until every input is covered by a checkpoint, the workers' own inputs too."""
        deadline = time.monotonic() + seconds_max
        while True:
            needed = await self._event_ends()
            await self.read()
            self._needed |= needed
            if await self._at_rest():
                return
            self._corner.check_alive()
            assert time.monotonic() < deadline, f"in {seconds_max:g} s not consumed: {self.lag()}"
            await asyncio.sleep(PACE_SECONDS)

    async def _event_ends(self) -> dict[tuple[str, int], int]:
        numbers = range(self._partitions)
        events = [TopicPartition(self._prefix + n, p) for n in EVENT_TOPICS for p in numbers]
        ends = await self._any_end.end_offsets(events)
        return {(p.topic.removeprefix(self._prefix), p.partition): end for p, end in ends.items()}

    async def _at_rest(self) -> bool:
        """Return whether all that was ever written is committed, read here and covered.

        A transaction's markers reach its partitions one after the other: a checkpoint may be there
        already, and what was sent on with it not yet; that may lead to more, and so on.
        """
        async with self._reading:
            read = await self._tail.positions()
            partitions = [*read, *self._told_besides]
            written = await self._any_end.end_offsets(partitions)
            committed = await self._tail.ends(partitions)
            return written == committed and read.items() <= written.items() and not self.lag()

    @property
    def events_consumed(self) -> int:
        """How many records of the event topics the checkpoints cover."""
        topics = {self._prefix + name for name in EVENT_TOPICS}
        offsets = (one.next_offsets.items() for one in self.checkpoints.values())
        return sum(offset for part in offsets for topic, offset in part if topic in topics)

    def lag(self) -> dict[str, int]:
        """Return how many offsets of each input no checkpoint covers, where any are."""
        lag = {}
        for (name, partition), needed in self._needed.items():
            checkpoint = self.checkpoints.get(partition)
            offsets = checkpoint.next_offsets if checkpoint else {}
            if (missing := needed - offsets.get(self._prefix + name, 0)) > 0:
                lag[f"{name}/{partition}"] = missing
        return lag


@asynccontextmanager
async def auditing(corner: Stage) -> AsyncIterator[Audit]:
    """Give an audit that follows along in the background."""
    audit = Audit(corner)
    following: asyncio.Task[None] | None = None
    try:
        await audit.start()
        following = asyncio.create_task(audit.follow())
        yield audit
    finally:
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
        await audit.stop()
