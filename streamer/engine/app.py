"""The Faust app: one agent that hands fetches to the partitions' tasks."""

import asyncio
import gc
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import faust
from aiokafka.errors import KafkaError
from faust.types import TP
from mode import ServiceT

from streamer import metrics
from streamer.engine.counting import Pace
from streamer.engine.fitting import FitSchedule
from streamer.engine.models import ModelWatch
from streamer.engine.programme import ProgrammePublisher
from streamer.engine.rounds import Rounds
from streamer.engine.scoring import SharedScoring
from streamer.engine.standby import Standby
from streamer.engine.stores import Stores
from streamer.engine.tables import CustomerTables
from streamer.engine.task import PartitionTask
from streamer.engine.transport import (
    DataLostError,
    Fetch,
    FetchConsumer,
    FetchTransport,
    Reading,
)
from streamer.engine.watchdog import Watchdog
from streamer.errors import StreamerError
from streamer.records.kafka import CHANGELOG
from streamer.records.models import ModelParams
from streamer.settings import Settings

if TYPE_CHECKING:
    from streamer.engine.store.store import Store

logger = logging.getLogger(__name__)

TOOLS_COMMIT_SECONDS = 5.0
"""How often positions are committed to the group, for lag tools."""

COLLECT_SECONDS = 30.0
"""How often cycles of objects are freed; in a unit of work Python does not look for them."""

FULL_COLLECT_TURNS = 20
"""How often all objects are looked at for it, not only those made since: with a million customers
that takes 40 to 150 ms, in which no event is scored."""


class StreamerApp(faust.App):
    """Faust's app with our transport, recovery and partitions."""

    settings: Settings

    def __init__(self, settings: Settings, version: str, services: Sequence[ServiceT]) -> None:
        self.settings = settings
        self.tasks: dict[int, PartitionTask] = {}
        self._preparing: dict[int, PartitionTask] = {}
        self._standbys: dict[int, Standby] = {}
        self.pace = Pace()
        self._stores = Stores(settings) if settings.store == "rocksdb" else None
        self._seeks = 0
        self.configuration = settings.configuration(version, indexed=True)
        self.scoring = SharedScoring(self.configuration)
        self.rounds = Rounds()
        self._first_services = list(services)
        self._watch = ModelWatch(settings)
        self.watchdog = Watchdog(self, settings)
        metrics.BUILD.labels(version).set(1)
        metrics.PARTITIONS.set(settings.partitions)
        session = settings.session_timeout_seconds
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        super().__init__(
            id=settings.group_id,
            broker=[f"kafka://{broker}" for broker in settings.brokers.split(",")],
            datadir=settings.data_dir / "faust",
            autodiscover=False,
            TableManager=CustomerTables,
            topic_allow_declare=False,
            topic_disable_leader=True,
            topic_partitions=settings.partitions,
            table_standby_replicas=settings.standby_replicas,
            web_enabled=False,  # ours is in ``web``; Faust's would show tables to whoever asks
            canonical_url=settings.http_url,
            broker_session_timeout=session,
            broker_heartbeat_interval=session / 4,
            broker_rebalance_timeout=max(15.0, session),
            broker_request_timeout=max(40.0, 2 * session),
            stream_wait_empty=False,
            stream_buffer_maxsize=256,
            producer_acks=-1,
        )
        self.transport = FetchTransport(self.conf.broker_consumer, self)
        self.on_partitions_revoked.connect(self._hold)

    # -- Faust's hooks ------------------------------------------------------------------------

    async def on_first_start(self) -> None:
        """Start what must answer during recovery too."""
        await super().on_first_start()
        schedule = FitSchedule(self.settings, self._leads)
        publisher = ProgrammePublisher(self.settings, self._leads)
        for service in (*self._first_services, self._watch, self.watchdog, schedule, publisher):
            await self.add_runtime_dependency(service)

    def _leads(self) -> bool:
        """Return whether this worker does what one of them does for the whole shop."""
        return 0 in self.tasks

    async def on_stop(self) -> None:
        """Give the partitions up in order."""
        await asyncio.gather(*(task.hold() for task in self.tasks.values()))
        await asyncio.gather(*(task.stop() for task in self.tasks.values()))
        self.tasks.clear()
        await self._stand_by(set())
        await super().on_stop()

    async def _hold(self, *_: Any, **__: Any) -> None:
        await asyncio.gather(*(task.hold() for task in self.tasks.values()))

    async def take_up(self, assignment: set[TP]) -> None:
        """Make the partitions of ``assignment`` ours: recover the new, drop the others."""
        numbers = self._numbers(assignment)
        await self._watch.known()
        for number in set(self.tasks) - numbers:
            await self.tasks.pop(number).stop()
        await asyncio.gather(*(self._prepare(number) for number in sorted(numbers)))
        if self._stores is not None:
            self._stores.sweep(numbers)
        consumer = self._fetch_consumer
        consumer.resume_partitions(
            {tp for tp in assignment if tp.topic != self.settings.topics[CHANGELOG]}
        )
        for number in sorted(numbers):
            await self.seek(number)
            self.tasks[number].start()
        await self._stand_by({tp.partition for tp in self.assignor.assigned_standbys()} - numbers)
        metrics.REBALANCES.inc()
        logger.info("partitions %s", sorted(numbers) or "none: other workers hold them all")

    def _numbers(self, assignment: set[TP]) -> set[int]:
        """Return the partition numbers, which must be the same of every topic."""
        topics = self._sources()
        numbers = {
            topic: {tp.partition for tp in assignment if tp.topic == topic} for topic in topics
        }
        distinct = set(map(frozenset, numbers.values()))
        if len(distinct) != 1:
            raise StreamerError(
                f"the input topics are not co-partitioned ({numbers}): give them equal partition "
                "counts, see `streamer topics check`"
            )
        return set(distinct.pop())

    async def _prepare(self, number: int) -> None:
        task = self.tasks.get(number)
        if task is not None and not task.lost:
            return
        if task is None:
            task = PartitionTask(number, self)
        self._preparing[number] = task
        standby = self._standbys.pop(number, None)
        try:
            await task.recover(await standby.stop() if standby is not None else None)
        except BaseException:  # another rebalance has begun, and may give it to another worker
            if number not in self.tasks:
                await task.stop()
            raise
        finally:
            # Where a rebalance overtook another, the later one may prepare it already.
            if self._preparing.get(number) is task:
                del self._preparing[number]
        self.tasks[number] = task

    async def _stand_by(self, numbers: set[int]) -> None:
        """Follow the rows of the partitions ``numbers``, which others hold, and of no others."""
        for number in self._standbys.keys() - numbers:
            await self._standbys.pop(number).stop()
        for number in numbers - self._standbys.keys():
            self._standbys[number] = Standby(number, self.configuration, self.settings)

    @property
    def recovering(self) -> dict[int, int | None]:
        """By partition, the records still to be read until its rows are here; None: not known."""
        tasks = {**self.tasks, **self._preparing}
        return {
            number: task.remaining
            for number, task in sorted(tasks.items())
            if task.lost or not task.partition.is_restored
        }

    @property
    def ready(self) -> bool:
        """Whether the partitions given to this worker are recovered and at work."""
        return self.tables.actives_ready and not self.rebalancing and not self.recovering

    # -- what tasks ask for (see task.Shell) ---------------------------------------------------

    @property
    def _fetch_consumer(self) -> FetchConsumer:
        return cast("FetchConsumer", self.consumer)

    def _sources(self) -> list[str]:
        return [self.settings.topics[name] for name in self.settings.source_topics]

    def partitions_of(self, number: int) -> list[TP]:
        """Return the input topics' partitions of this number."""
        return [TP(topic, number) for topic in self._sources()]

    @property
    def model(self) -> ModelParams | None:
        """The newest model published."""
        return self._watch.model

    def caught_up(self, number: int) -> bool:
        """Return whether the partition's topics have been read to their ends."""
        thread = self._fetch_consumer.thread
        return all(thread.behind(tp) == 0 for tp in self.partitions_of(number))

    def reading(self, tp: TP) -> Reading | None:
        """Return where the consumer stands on ``tp``; None if that is not known."""
        return self._fetch_consumer.thread.reading(tp)

    async def still_assigned(self, number: int) -> bool:
        """Ask the group's coordinator, by a commit, whether the partition is this worker's."""
        task = self.tasks.get(number)
        if task is None or self.rebalancing:
            return False
        try:
            await self._commit_for_tools([task])
        except KafkaError as error:
            if error.retriable:
                raise
            return False
        return True

    async def seek(self, number: int) -> None:
        """Put the consumer where the partition's checkpoint says."""
        consumer, task = self._fetch_consumer, self.tasks[number]
        ranges = await consumer.thread.ranges(*self.partitions_of(number))
        offsets = {}
        for tp, (first, end) in ranges.items():
            offset = task.partition.next_offsets.get(tp.topic, first)
            if not first <= offset <= end:
                raise DataLostError(
                    f"{tp.topic}-{number} holds offsets {first} to {end}, but the rows stand at "
                    f"{offset}: records were deleted, or the topic was made anew. Restore "
                    "it, or start over under another STREAMER_GROUP_ID and STREAMER_TOPIC_PREFIX"
                )
            offsets[tp] = offset
            consumer._read_offset[tp] = None  # noqa: SLF001 - else Faust drops what is read again
        self._seeks += 1
        task.inbox.expect({tp.topic: offset for tp, offset in offsets.items()}, self._seeks)
        await consumer.thread.seek_all(offsets, self._seeks)

    async def open_store(self, number: int) -> "Store | None":
        """Return the partition's local store; None where rows are kept in memory.

        A process of this folder that has just lost the partition may need a moment to let it go.

        Raises:
            StoreLockedError: it does not.
            StoreError: the store cannot be opened.
        """
        return await self._stores.open(number) if self._stores else None

    def pause(self, number: int) -> None:
        """Fetch nothing for the partition for now."""
        for tp in self.partitions_of(number):
            self._fetch_consumer.on_buffer_full(tp)

    def resume(self, number: int) -> None:
        """Fetch for the partition again."""
        for tp in self.partitions_of(number):
            self._fetch_consumer.on_buffer_drop(tp)

    # -- for lag tools ------------------------------------------------------------------------

    async def tell_tools(self) -> None:
        """Commit positions to the group and tell the segments' sizes, for ever."""
        while not self.should_stop:
            await self.sleep(TOOLS_COMMIT_SECONDS)
            tasks = [] if self.rebalancing else list(self.tasks.values())
            for task in tasks:
                metrics.tell_members(task.number, task.partition.members())
            with suppress(KafkaError):
                await self._commit_for_tools(tasks)

    async def collect_cycles(self) -> None:
        """Free what only cycles hold, between units of work, for ever."""
        for turn in count(1):
            await self.sleep(COLLECT_SECONDS)
            if self.should_stop:
                return
            gc.collect(1 if turn % FULL_COLLECT_TURNS else 2)

    async def _commit_for_tools(self, tasks: Sequence[PartitionTask]) -> None:
        offsets = {
            TP(topic, task.number): offset
            for task in tasks
            for topic, offset in task.partition.next_offsets.items()
        }
        if offsets:
            await self._fetch_consumer.thread.commit_for_tools(offsets)


def create_app(
    settings: Settings, version: str, services: Callable[[StreamerApp], Sequence[ServiceT]]
) -> StreamerApp:
    """Return the app, not started; ``services`` run from the first moment on."""
    app = StreamerApp(settings, version, [])
    app._first_services = list(services(app))  # noqa: SLF001 - they know the app, the app them
    sources = app.topic(
        *(settings.topics[name] for name in settings.source_topics),
        schema=faust.Schema(
            key_type=None, value_type=None, key_serializer="raw", value_serializer="raw"
        ),
        acks=False,
    )
    app.Table(
        "customers",
        partitions=settings.partitions,
        changelog_topic=app.topic(
            settings.topics[CHANGELOG], partitions=settings.partitions, acks=False
        ),
    )

    @app.agent(sources, name="score")
    async def score(fetches: faust.StreamT[Any]) -> None:
        """Hand each fetch to its partition."""
        async for fetch in fetches:
            offer(fetch)

    def offer(fetch: Fetch) -> None:
        task = app.tasks.get(fetch.partition)
        if task is not None:
            task.offer(fetch)

    @app.task  # type: ignore[untyped-decorator] # Faust ships it so
    async def tell_tools() -> None:
        await app.tell_tools()

    @app.task  # type: ignore[untyped-decorator] # Faust ships it so
    async def collect_cycles() -> None:
        await app.collect_cycles()

    return app
