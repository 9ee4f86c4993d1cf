"""RocksDB as this engine needs it: one folder, one process, batches that are written as a whole.

A batch goes to RocksDB's own log before it is answered, not to the disk itself. So a process that
is killed loses nothing; a machine that loses its power loses the last batches, never a part of one.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from rocksdict import (
    BlockBasedOptions,
    BottommostLevelCompaction,
    Cache,
    CompactOptions,
    DBCompressionType,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
)

from streamer.engine.store.errors import StoreError, StoreLockedError

CACHE_BYTES = 268_435_456
"""Of rows as they are in the files; the partitions of a process share it."""

BUFFER_BYTES = 16_777_216
"""What a partition gathers in memory before it makes a file of it."""

BLOCK_BYTES = 4_096
BLOOM_BITS = 10
"""A key: one look in a hundred for a customer who is not there reaches the disk."""

LOG_FILES = 2

_IS_HELD = (
    "the local store in {} is another process's: end that one, or give this worker a "
    "STREAMER_DATA_DIR of its own"
)

_cache: list[Cache] = []
"""Made with the first database: who keeps rows in memory needs none."""


class Database:
    """Keys and values in a folder, which is this object's alone until ``close``.

    Raises:
        StoreLockedError: another process has it.
        StoreError: it cannot be opened.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rocks: Any = None
        self._compacting = False
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(folder / "lock")
        except OSError as error:
            raise self._failed(error) from error
        try:
            self._open()
        except StoreError:
            os.close(self._lock)
            raise

    def _open(self) -> None:
        try:
            self._rocks = Rdict(str(self.folder / "rows"), _options())
        except Exception as error:
            # This process itself may not have let go yet: a scan that was cancelled ends late.
            if "lock" in str(error).lower():
                raise StoreLockedError(_IS_HELD.format(self.folder)) from error
            raise self._failed(error) from error

    def _failed(self, error: Exception) -> StoreError:
        """Return what to raise in the place of ``error``: the library raises nothing telling."""
        return StoreError(
            f"the local store in {self.folder} failed ({error}): give it room and the right to "
            "write there, then start again; nothing is lost, the changelog has it all"
        )

    def get(self, key: bytes) -> bytes | None:
        """Return the value of ``key``."""
        try:
            value: bytes | None = self._rocks.get(key)
        except Exception as error:
            raise self._failed(error) from error
        return value

    def write(self, values: Mapping[bytes, bytes | None]) -> None:
        """Put ``values``, take away the keys of those that are None: all of it or nothing."""
        batch = WriteBatch(raw_mode=True)
        for key, value in values.items():
            if value is None:
                batch.delete(key)
            else:
                batch.put(key, value)
        try:
            self._rocks.write(batch)
        except Exception as error:
            raise self._failed(error) from error

    def items(self, lower: bytes, upper: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give all from ``lower`` on and before ``upper``, as it is now; ends badly if closed."""
        options = ReadOptions()
        options.set_iterate_upper_bound(upper)
        rocks = self._rocks
        try:
            for item in rocks.items(from_key=lower, read_opt=options):
                if rocks is not self._rocks:
                    raise StoreError(f"the local store in {self.folder} was closed meanwhile")
                yield item
        except StoreError:
            raise
        except Exception as error:
            raise self._failed(error) from error

    def compact(self) -> None:
        """Write all files anew: what was taken away or replaced is in none of them then."""
        options = CompactOptions()
        options.set_bottommost_level_compaction(BottommostLevelCompaction.force())
        rocks, self._compacting = self._rocks, True
        try:
            rocks.flush()
            rocks.compact_range(None, None, options)
        except Exception as error:
            raise self._failed(error) from error
        finally:
            self._compacting = False

    def wipe(self) -> None:
        """Begin anew with nothing."""
        self._shut()
        shutil.rmtree(self.folder / "rows", ignore_errors=True)
        self._open()

    def close(self) -> None:
        """Give the folder back."""
        try:
            self._shut()
        finally:
            os.close(self._lock)

    def _shut(self) -> None:
        rocks, self._rocks = self._rocks, None
        if rocks is None:
            return
        with suppress(Exception):  # after this it cannot end in order, and its own log has it all
            if self._compacting:
                rocks.cancel_all_background(wait=True)
            rocks.close()


def remove(folder: Path) -> None:
    """Remove a store, unless a process has it."""
    try:
        lock = _locked(folder / "lock")
    except StoreLockedError:
        return
    try:
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)


def _locked(file: Path) -> int:
    """Return the descriptor of ``file``, locked; the lock ends with it, or with the process."""
    lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        raise StoreLockedError(_IS_HELD.format(file.parent)) from None
    os.utime(lock)  # when it was used last
    return lock


def _options() -> Options:
    if not _cache:
        _cache.append(Cache(CACHE_BYTES))
    blocks = BlockBasedOptions()
    blocks.set_block_cache(_cache[0])
    blocks.set_block_size(BLOCK_BYTES)
    blocks.set_bloom_filter(BLOOM_BITS, block_based=False)
    blocks.set_cache_index_and_filter_blocks(True)
    options = Options(raw_mode=True)
    options.create_if_missing(True)  # noqa: FBT003
    options.set_block_based_table_factory(blocks)
    options.set_compression_type(DBCompressionType.lz4())
    options.set_write_buffer_size(BUFFER_BYTES)
    options.set_keep_log_file_num(LOG_FILES)
    return options
