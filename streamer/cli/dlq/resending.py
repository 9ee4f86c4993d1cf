"""Sending dead letters once more, or saying what would become of them."""

from asyncio import Future, gather
from collections import Counter
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaProducer, ConsumerRecord

from streamer.cli.dlq.choosing import place_of, readable
from streamer.cli.dlq.judging import Judge
from streamer.engine.clients import durable_producer
from streamer.engine.sending import WINDOW
from streamer.records.dead_letters import Rejected
from streamer.records.kafka import FileRecord
from streamer.serdes.dead_letters import replayed_headers
from streamer.settings import Settings


@dataclass(slots=True)
class Summary:
    """What a replay did."""

    dry_run: bool
    sent: int = 0
    foreign: int = 0
    """Of topics that workers do not read: somebody else's, so they are left alone."""
    by_reason: Counter[str] = field(default_factory=Counter)
    """Those that matched, by the reason of their refusal."""
    still_refused: Counter[str] = field(default_factory=Counter)
    """Those which workers of these settings would refuse again on sight, by reason."""

    @property
    def matched(self) -> int:
        """How many were looked at."""
        return self.by_reason.total()

    @property
    def readable(self) -> int:
        """How many workers would read; whether an event is late they only see at its customer."""
        return self.matched - self.foreign - self.still_refused.total()

    def as_dict(self) -> dict[str, Any]:
        """Return it for programs."""
        return {
            "matched": self.matched,
            "by_reason": dict(self.by_reason.most_common()),
            "still_refused": dict(self.still_refused.most_common()),
            "foreign": self.foreign,
            "sent": self.sent,
            "dry_run": self.dry_run,
        }


class Resending:
    """Sends dead letters to the topics they came from; a context manager that waits for all."""

    def __init__(self, settings: Settings, *, dry_run: bool) -> None:
        self._settings = settings
        self._judge = Judge(settings)
        self._sources = {settings.topics[name] for name in settings.source_topics}
        self._producer: AIOKafkaProducer | None = None
        self._waiting: list[Future[object]] = []
        self.summary = Summary(dry_run)

    async def __aenter__(self) -> Self:
        if not self.summary.dry_run:
            self._producer = durable_producer(self._settings)
            await self._producer.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._producer is None:
            return
        try:
            if exc is None:
                await self._all_sent()
        finally:
            await self._producer.stop()

    async def send(self, letter: ConsumerRecord, new: FileRecord | None = None) -> None:
        """Send the record of a dead letter once more, or what stands for it by now.

        Raises:
            KafkaError: it cannot be sent.
        """
        told, summary = readable(letter), self.summary
        summary.by_reason[told.reason] += 1
        if told.topic not in self._sources or not 0 <= told.partition < self._settings.partitions:
            summary.foreign += 1
            return
        record = new or refused_record(letter)
        try:
            self._judge.customer_of(record)
        except Rejected as rejected:
            summary.still_refused[rejected.reason] += 1
        if self._producer is not None:
            await self._send(self._producer, record, place_of(told))

    async def _send(self, producer: AIOKafkaProducer, record: FileRecord, place: str) -> None:
        # Its own time would be told as lag; an event's time is in the event.
        headers = list(replayed_headers(record.headers, place))
        self._waiting.append(
            await producer.send(
                record.topic, record.value, record.key, record.partition, headers=headers
            )
        )
        if len(self._waiting) >= WINDOW:
            await self._all_sent()

    async def _all_sent(self) -> None:
        self.summary.sent += len(await gather(*self._waiting))
        self._waiting.clear()


def refused_record(letter: ConsumerRecord) -> FileRecord:
    """Return the record that became the dead letter ``letter``, where it stood."""
    told = readable(letter)
    return FileRecord(
        told.topic,
        told.partition,
        told.offset,
        letter.timestamp,
        letter.key,
        letter.value,
        letter.headers,
    )
