"""Standby replicas: rows of a partition that another worker holds, kept for when it goes.

Which worker stands by for which partition Faust's assignor says, and it gives a partition to who
stands by for it. A standby reads the changelog as a recovery does and goes on reading; nulls, such
as an erasure's, reach it as everything does. Whoever takes the partition over fences the earlier
owner first and reads the rest then, so a standby that is behind costs time and nothing else.
"""

import asyncio
import logging
from contextlib import suppress
from typing import NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streamer import metrics
from streamer.engine.clients import assigned
from streamer.errors import StreamerError
from streamer.pipeline import Configuration, Partition
from streamer.records.kafka import CHANGELOG
from streamer.settings import Settings

logger = logging.getLogger(__name__)

RECORDS_AT_ONCE = 1_000
"""Some milliseconds: this worker's own partitions must not wait for others'."""

RETRY_SECONDS = 5.0


class Copy(NamedTuple):
    """A partition that is not restored yet, and what it lacks of its changelog."""

    partition: Partition
    position: int
    """Behind the last record it has taken; 0 for none."""


class Standby:
    """Follows one partition from its making on until it is stopped."""

    def __init__(self, number: int, configuration: Configuration, settings: Settings) -> None:
        self._number = number
        self._configuration = configuration
        self._settings = settings
        self._copy = self._empty()
        self._following = asyncio.create_task(self._follow(), name=f"standby-{number}")

    async def stop(self) -> Copy:
        """Read no more, and return what has been read."""
        self._following.cancel()
        with suppress(asyncio.CancelledError):
            await self._following
        with suppress(KeyError):
            metrics.STANDBY_ROWS.remove(str(self._number))
        return self._copy

    def _empty(self) -> Copy:
        return Copy(Partition(self._number, self._configuration), 0)

    async def _follow(self) -> None:
        while True:
            try:
                await self._read()
            except (KafkaError, OSError, StreamerError) as error:
                # Rows of a newer version among them: in an upgrade that is no reason to end.
                logger.warning("standby of partition %d: %r; anew", self._number, error)
                self._copy = self._empty()
                await asyncio.sleep(RETRY_SECONDS)

    async def _read(self) -> None:
        tp = TopicPartition(self._settings.topics[CHANGELOG], self._number)
        async with assigned(self._settings, [tp]) as consumer:
            consumer.seek(tp, (await consumer.beginning_offsets([tp]))[tp])
            while True:
                fetched = await consumer.getmany(tp, timeout_ms=1000, max_records=RECORDS_AT_ONCE)
                partition = self._copy.partition
                partition.restore((record.key, record.value) for record in fetched.get(tp, ()))
                self._copy = Copy(partition, await consumer.position(tp))
                metrics.STANDBY_ROWS.labels(str(self._number)).set(len(partition.rows))
                await asyncio.sleep(0)
