"""The store of one partition: what it keeps, and up to which place of the changelog it has it."""

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec import Struct

from streamer.engine.store.database import Database, remove
from streamer.engine.store.errors import StoreError
from streamer.engine.store.tables import StoredTable
from streamer.pipeline import Message
from streamer.pipeline.tables import Tables
from streamer.serdes.rows import CHECKPOINT_KEY, ERASED, MODEL_KEY, TOLD, told_key

FORMAT = 1

LABEL_KEY = b"\xff\x01"
POSITION_KEY = b"\xff\x02"
"""Theirs begin as no key of the changelog does, but for the model's, which is shorter."""

CHANGES_MAX = 5_000
"""Between two batches, about: so many records at most are read from the changelog again."""

FLUSH_SECONDS = 10.0
"""And so long at most: until then a file may not know of an erasure."""

SEEN_MAX = 50_000
"""Values that were read or written last and are kept in memory, at most, about."""

COMPACT_SECONDS = 3_600.0
"""Erased customers are in no file any more after this, about."""

KEPT_SECONDS = 86_400.0
"""A store that no process has had for so long is removed: it might hold who was erased since."""

T = TypeVar("T", bound=Struct)


class Label(Struct, array_like=True, frozen=True):
    """Whose store this is."""

    cluster: str
    topic: str
    """The changelog."""
    partition: int
    version: int = FORMAT


class Position(Struct, array_like=True, frozen=True):
    """A place in the changelog: the store has all that is before it."""

    offset: int
    checkpoint: bytes
    """The record just before it: if it stands there no more, the log was made anew or cut off, or
    has been compacted since, and null values may be gone."""


class Store:
    """What is known of one partition's customers, on disk.

    Raises:
        StoreLockedError: another process has it.
        StoreError: it cannot be opened.
    """

    def __init__(self, folder: Path, label: Label) -> None:
        self._label = label
        self._database = Database(folder)
        self._pending: dict[bytes, bytes | None] = {}
        self._changes, self._flushed_at = 0, time.monotonic()
        self._seen: dict[bytes, bytes | None] = {}
        self.position: Position | None = None
        self._compacted_at = time.monotonic()
        self._erased = True  # for all that is known: it may have been closed before its time
        rows = StoredTable(self, str.encode, bytes.decode, b"\0", ERASED)
        told = StoredTable(self, told_key, _after_prefix, TOLD, MODEL_KEY)
        erased = StoredTable(self, _same, _same, ERASED, TOLD)
        self.tables = Tables(rows, told, erased)
        self._stored = rows, told, erased
        if self._read(LABEL_KEY, Label) == label:
            self.position = self._read(POSITION_KEY, Position)

    def _read(self, key: bytes, kind: type[T]) -> T | None:
        value = self._database.get(key)
        try:
            return None if value is None else msgspec.msgpack.decode(value, type=kind)
        except msgspec.DecodeError:  # another format's
            return None

    # -- what tables ask for -------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``, be it written yet or not."""
        if key in self._pending:
            return self._pending[key]
        if key in self._seen:
            return self._seen[key]
        value = self._database.get(key)
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
        self._seen[key] = value
        return value

    def put(self, key: bytes, value: bytes | None) -> None:
        """Have ``key`` written with the next batch; None takes it away."""
        self._pending[key] = value
        self._changes += 1

    def items(self, lower: bytes, upper: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give all from ``lower`` on and before ``upper``, as it is now."""
        self.flush()
        return self._database.items(lower, upper)

    # -- the place in the changelog ------------------------------------------------------------

    def kept(self) -> Iterator[tuple[bytes, bytes | None]]:
        """Give what the changelog says besides the customers: the model and the checkpoint."""
        for key in (MODEL_KEY, CHECKPOINT_KEY):
            value = self.get(key)
            if value is not None:
                yield key, value

    def note(self, records: Iterable[tuple[int, bytes, bytes | None]]) -> None:
        """Take the model and the checkpoint from offsets, keys and values of the changelog.

        Call it behind ``Partition.restore`` of the same records: then the store has them all.
        """
        for offset, key, value in records:
            if key == CHECKPOINT_KEY and value is not None:
                self.position = Position(offset + 1, value)
                self.put(key, value)
            elif key == MODEL_KEY:
                self.put(key, value)
        self.flush_if_due()

    def commit(self, messages: Sequence[Message], begin: int) -> None:
        """Note what a transaction has written to the changelog; call it behind its commit.

        Call it behind ``Partition.commit`` too, which tells the rows.

        Args:
            messages: the checkpoint is the last.
            begin: the offset of the first; -1 is not known.
        """
        for place, message in enumerate(messages):
            if message.key in {CHECKPOINT_KEY, MODEL_KEY}:
                self.put(message.key, message.value)
            elif message.value is None:
                self._erased = True
            if message.key == CHECKPOINT_KEY and message.value is not None and begin >= 0:
                self.position = Position(begin + place + 1, message.value)

    def flush_if_due(self) -> None:
        """Write what waits if it is much, or has waited for long; call it now and then.

        Raises:
            StoreError: as ``flush``.
        """
        waited = time.monotonic() - self._flushed_at
        if self._changes >= CHANGES_MAX or waited >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Write what waits, and the place.

        Raises:
            StoreError: nothing was written.
        """
        self._flushed_at = time.monotonic()
        if not self._pending:
            return
        place = {LABEL_KEY: msgspec.msgpack.encode(self._label)}
        if self.position is not None:
            place[POSITION_KEY] = msgspec.msgpack.encode(self.position)
        self._database.write(self._pending | place)
        known = len(self._seen) + len(self._pending) <= SEEN_MAX
        self._seen = {**self._seen, **self._pending} if known else self._pending
        self._pending, self._changes = {}, 0

    # -- life ----------------------------------------------------------------------------------

    def is_to_be_compacted(self) -> bool:
        """Return whether files may hold who was erased, and it is time; then, not for a while."""
        now = time.monotonic()
        if not self._erased or now - self._compacted_at < COMPACT_SECONDS:
            return False
        self._erased, self._compacted_at = False, now
        return True

    def compact(self) -> None:
        """Let no file hold what was erased; takes seconds a gigabyte, in any thread.

        Raises:
            StoreError: some may still.
        """
        try:
            self._database.compact()
        except StoreError:
            self._erased = True
            raise

    def wipe(self) -> None:
        """Forget everything: it cannot be gone on from."""
        self._pending, self._seen, self.position = {}, {}, None
        self._database.wipe()
        for table in self._stored:
            table.forget_count()

    def close(self) -> None:
        """Write what waits and let others have the folder.

        Raises:
            StoreError: what waited was not written: it will be read from the changelog again.
        """
        try:
            self.flush()
        finally:
            self._database.close()


def sweep(folder: Path, held: Collection[int]) -> None:
    """Remove the stores of partitions that have long been somewhere else.

    Args:
        folder: of the stores, each in a folder named by its partition.
        held: partitions of this process.
    """
    for one in folder.glob("*/lock"):
        name = one.parent.name
        if name.isdigit() and int(name) not in held:
            used_seconds_ago = time.time() - one.stat().st_mtime
            if used_seconds_ago > KEPT_SECONDS:
                remove(one.parent)


def _after_prefix(key: bytes) -> str:
    return key[1:].decode()


def _same(key: bytes) -> bytes:
    return key
