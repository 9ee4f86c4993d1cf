"""A partition with a local store, killed now and then, ends as one in memory does."""

from collections.abc import Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.engine.store.store import Label, Store
from streamer.pipeline import Configuration, Partition, UnitOfWork
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import CHANGELOG
from tests.support.cluster import Changelog, Cluster
from tests.support.histories import (
    START,
    Happening,
    as_arrived,
    configuration,
    histories,
    sizes,
)
from tests.support.play import end

Fate = Literal["lives", "is written", "dies", "ends"]
FATES: tuple[Fate, ...] = ("lives", "is written", "dies", "ends")
FAR = from_datetime(START) + 4000 * DAY
LABEL = Label("a-cluster", CHANGELOG, 0)


class Stored(Cluster):
    """One partition, its tables in a store: what was not written there is gone with a crash."""

    def __init__(self, shop: Configuration, folder: Path) -> None:
        super().__init__(shop)
        self._folder = folder
        self.read = 0
        """Records of the changelog, in all recoveries."""
        self._open()

    def _open(self) -> None:
        self.store = Store(self._folder, LABEL)
        partition = Partition(0, self.configuration, self.store.tables)
        partition.restore(self.store.kept())
        log = self.changelog(0)
        begin = 0 if self.store.position is None else self.store.position.offset
        partition.restore(log[begin:])
        self.store.note((begin + n, *pair) for n, pair in enumerate(log[begin:]))
        partition.restored()
        self.read += len(log) - begin
        self._partitions = [partition]

    def complete(self, number: int, unit: UnitOfWork) -> None:
        begin = len(self.changelog(0))
        super().complete(number, unit)
        self.store.commit(unit.messages[CHANGELOG, 0], begin)

    def crash(self, number: int, changelog: Changelog | None = None) -> None:
        self.store._pending.clear()
        self.end()
        self._open()

    def end(self) -> None:
        self.store.close()


@settings(max_examples=40, deadline=None)
@given(
    history=histories(referrals=3),
    units=sizes(),
    fates=st.lists(st.sampled_from(FATES), max_size=12),
    erased=st.lists(st.integers(0, 30), max_size=2),
)
def test_a_store_ends_as_memory_does(
    tmp_path_factory: pytest.TempPathFactory,
    history: list[Happening],
    units: list[int],
    fates: Sequence[Fate],
    erased: list[int],
) -> None:
    events = with_erasures(list(as_arrived(history)), erased)
    stored = Stored(configuration(), tmp_path_factory.mktemp("store"))
    try:
        for event in events:
            stored.send(event)
        calm = Cluster(configuration())
        for event in events:
            calm.send(event)
        for fate, size in zip(fates, cycle(units), strict=False):
            calm.step(0, size)
            stored.step(0, size)
            befall(stored, fate)
        for cluster in (calm, stored):
            cluster.settle(limit=units[0])
            cluster.tell_silence(FAR)
        assert end(stored) == end(calm)
        mine, other = stored.partition(0), calm.partition(0)
        assert len(mine.rows) == len(other.rows)
        assert mine.members() == other.members()
        assert dict(mine.erased) == other.erased
    finally:
        stored.end()


def befall(stored: Stored, fate: Fate) -> None:
    if fate == "is written":
        stored.store.flush()
    elif fate == "dies":
        stored.crash(0)
    elif fate == "ends":
        stored.store.flush()
        read = stored.read
        stored.crash(0)
        assert stored.read == read, "the changelog was read though the store had it all"


def with_erasures(events: list[dict[str, Any]], places: list[int]) -> list[dict[str, Any]]:
    """Return ``events`` with the customers at some of them erased just behind."""
    told = []
    for place, event in enumerate(events):
        told.append(event)
        if place in places:
            same = {name: event[name] for name in ("customer_id", "occurred_at")}
            told.append({"event_id": f"erase-{place}", "type": "erasure", **same})
    return told
