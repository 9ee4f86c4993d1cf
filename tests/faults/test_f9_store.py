"""F9, local stores: whatever becomes of what is on disk, rows are what the changelog says."""

import asyncio
import re
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from random import Random
from time import time

import msgspec
import pytest
from aiokafka.admin import AIOKafkaAdminClient

from streamer.broker import EmbeddedKafka
from streamer.engine.store.store import FORMAT, Label, Position, Store
from streamer.records.kafka import CHANGELOG
from tests.support import impatient
from tests.support.load import Wire
from tests.support.scenario import Scenario, scenario
from tests.support.worker import Worker

SEED = 19
KILLS = 4
SHORT_SECONDS = 20
EVENTS_PER_SECOND = 300
EVENTS_AT_ONCE = 300
READY_SECONDS_MAX = 90
ENDED_SECONDS_MAX = 90
NEW_RECORDS_MAX = 20
"""Of units of work that had nothing to write but the checkpoint, since a store was closed."""

REBUILT = re.compile(r"partition (\d+): (?:(?!partition \d+: ).)*rebuilding", re.DOTALL)

Spoil = Callable[[Store], None]


class Shop:
    """A worker with local stores, and what becomes of them while it is away."""

    def __init__(self, plot: Scenario, worker: Worker, cluster: str) -> None:
        self.plot, self.worker, self._cluster = plot, worker, cluster
        corner = plot.corner
        self._topic = corner.prefix + CHANGELOG
        data_dir = Path(str(corner.settings["data_dir"]))
        self.folder = data_dir / "store" / f"{corner.settings['group_id']}-{self._topic}"

    @contextmanager
    def stores(self) -> Iterator[list[Store]]:
        """Give the stores that the worker has left behind."""
        numbers = range(self.plot.corner.partitions)
        opened = [Store(self.folder / f"{n}", self.label(n)) for n in numbers]
        try:
            yield opened
        finally:
            for store in opened:
                store.close()

    def label(self, number: int) -> Label:
        return Label(self._cluster, self._topic, number)

    async def end(self) -> None:
        assert await self.worker.stop(60) == 0, self.worker.told("did not end well")

    async def begin(self) -> float:
        """Start; return how many records of the changelog were read."""
        self.worker.start()
        await self.worker.ready(READY_SECONDS_MAX)
        return (await self.worker.figures())["streamer_recovered_rows_total"]

    async def spoilt(self, spoils: Sequence[Spoil], wires: list[Wire]) -> set[int]:
        """Spoil each store in its way while the worker is away, go on; return which were told of.

        Told of is that they are rebuilt.
        """
        await self.end()
        with self.stores() as stores:
            for store, spoil in zip(stores, spoils, strict=True):
                spoil(store)
        said_before = len(self.worker.log)
        read = await self.begin()
        assert read > len(self.plot.audit.rows), "it has not read the changelog from its beginning"
        await self.plot.send(wires)
        return {int(number) for number in REBUILT.findall(self.worker.log[said_before:])}


def phantoms(store: Store) -> None:
    """Give some customers the rows of others."""
    rows = store.tables.rows
    values = list(rows.values())
    for customer, value in zip(list(rows)[:50], reversed(values), strict=False):
        rows[customer] = value
    store.flush()


def placed(store: Store, offset: int, checkpoint: bytes) -> None:
    store.position = Position(offset, checkpoint)
    phantoms(store)


def ahead(store: Store) -> None:
    """The log was cut off: it ends before the place that the store has reached."""
    assert store.position is not None
    placed(store, store.position.offset + 1_000_000, store.position.checkpoint)


def another(store: Store) -> None:
    """The log was made anew, or cut off and written on: it is as long, but not the same."""
    assert store.position is not None
    placed(store, store.position.offset, store.position.checkpoint + b"?")


def dirty(store: Store) -> None:
    """The store was left half built: it has rows and no place."""
    phantoms(store)
    store._database.write({b"\xff\x02": None})
    store.position = None


def foreign(store: Store) -> None:
    """Another cluster's store, or one of another version."""
    phantoms(store)
    label = msgspec.structs.replace(store._label, cluster="elsewhere", version=FORMAT + 1)
    store._database.write({b"\xff\x01": msgspec.msgpack.encode(label)})


def damaged(store: Store) -> None:
    """The disk has rotted: files are not what was written."""
    phantoms(store)
    store._database.compact()
    for file in (store._database.folder / "rows").glob("*.sst"):
        content = bytearray(file.read_bytes())
        content[: len(content) // 2] = bytes(len(content) // 2)
        file.write_bytes(content)


WAYS = ((ahead, another, dirty, foreign), (damaged,) * 4)
"""How the stores of the four partitions are spoilt, one start of the worker after the other."""

TOLD_OF = (ahead, another, damaged)


@pytest.mark.timeout(900)  # a dozen starts of a worker
async def test_local_stores_tell_no_phantoms(
    kafka: EmbeddedKafka, tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    seconds = soak_seconds or SHORT_SECONDS
    args = kafka.bootstrap, tmp_path, SEED, seconds, EVENTS_PER_SECOND
    async with scenario(*args, store="rocksdb") as plot:
        shop = Shop(plot, plot.corner.worker("worker"), await cluster_of(kafka.bootstrap))
        assert await shop.begin() == 0
        random, read_after_kills = Random(SEED), list[float]()
        async with plot.load():
            for _ in range(KILLS):
                await asyncio.sleep(random.uniform(1, 4))
                shop.worker.kill()
                read_after_kills.append(await shop.begin())
            await disk_full(shop)
        await shop.end()
        read = await shop.begin()
        assert read <= NEW_RECORDS_MAX, f"{read} records were read though the store was closed well"
        for spoils in WAYS:
            said = await shop.spoilt(spoils, list(islice(plot._shop, EVENTS_AT_ONCE)))
            told = {number for number, spoil in enumerate(spoils) if spoil in TOLD_OF}
            assert said == told, shop.worker.told(f"said that it rebuilds {said}, not {told}")
        await shop.end()
        await locked(shop)
        await plot.audit.read()
    summary("F9 stores", read_after_kills=read_after_kills, read_after=read, **plot.figures())
    plot.check()


async def disk_full(shop: Shop) -> None:
    """Let the disk be full; the worker ends and says so, and goes on when there is room."""
    worker = shop.worker
    worker.may_leave = True
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (0, 0))
    await worker.ended(ENDED_SECONDS_MAX)
    worker.may_leave = False
    await shop.begin()


async def locked(shop: Shop) -> None:
    """Another process has the stores: the worker waits a while, ends and says so."""
    worker = shop.worker
    worker.command = [sys.executable, "-P", impatient.__file__, "3"]
    with shop.stores():
        worker.may_leave = True
        worker.start()
        assert await worker.ended(ENDED_SECONDS_MAX) != 0
        worker.may_leave = False
    assert re.search("another process's: end that one", worker.log.replace("\n", " "))


async def cluster_of(bootstrap: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return str((await admin.describe_cluster())["cluster_id"])
    finally:
        await asyncio.shield(admin.close())


async def test_a_partition_takes_its_store_along_within_a_folder(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    async with scenario(kafka.bootstrap, tmp_path, SEED, 5, 100, store="rocksdb") as plot:
        one, two = plot.corner.worker("one"), plot.corner.worker("two")
        one.start()
        await one.ready(READY_SECONDS_MAX)
        async with plot.load():
            await plot.audit.moved(time(), READY_SECONDS_MAX)
            two.start()
            await two.ready(READY_SECONDS_MAX)
        assert (await two.figures())["streamer_rows"] > 0
        assert await one.stop(60) == 0, one.told("did not end well")
        await two.ready(READY_SECONDS_MAX)
        await plot.send(list(islice(plot._shop, EVENTS_AT_ONCE)))
        assert await two.stop(60) == 0, two.told("did not end well")
        await plot.audit.read()
    plot.check()
    assert "rebuilding" not in one.log + two.log
