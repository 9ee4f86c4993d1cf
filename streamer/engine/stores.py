"""The local stores of a worker's partitions: where they are, and whose."""

import asyncio
import logging
import time
from collections.abc import Collection
from typing import TYPE_CHECKING

from aiokafka.admin import AIOKafkaAdminClient

from streamer.engine.clients import connection
from streamer.engine.store.errors import StoreLockedError
from streamer.records.kafka import CHANGELOG
from streamer.settings import Settings

if TYPE_CHECKING:
    from streamer.engine.store.store import Store

logger = logging.getLogger(__name__)

LOCKED_SECONDS_MIN = 10.0
"""How long at least another process is waited for."""


class Stores:
    """Opens them: a partition's store has its number's folder, below that of group and prefix."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topics[CHANGELOG]
        self._folder = settings.data_dir / "store" / f"{settings.group_id}-{self._topic}"
        self._cluster: str | None = None

    async def open(self, number: int) -> "Store":
        """Return the store of the partition ``number``; wait while another process lets it go.

        Raises:
            StoreLockedError: it does not let it go.
            StoreError: the store cannot be opened.
        """
        from streamer.engine.store.store import Label, Store  # noqa: PLC0415 - loads RocksDB

        if self._cluster is None:
            self._cluster = await _cluster_id(self._settings)
        label = Label(self._cluster, self._topic, number)
        until = time.monotonic() + LOCKED_SECONDS_MIN + 2 * self._settings.session_timeout_seconds
        while True:
            try:
                return Store(self._folder / str(number), label)
            except StoreLockedError:
                if time.monotonic() > until:
                    raise
            logger.info("partition %d: waiting for another process to close its store", number)
            await asyncio.sleep(0.5)

    def sweep(self, held: Collection[int]) -> None:
        """Remove the stores of partitions that have long been elsewhere, but for those ``held``."""
        from streamer.engine.store.store import sweep  # noqa: PLC0415 - loads RocksDB

        sweep(self._folder, held)


async def _cluster_id(settings: Settings) -> str:
    admin = AIOKafkaAdminClient(**connection(settings))
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await admin.close()
