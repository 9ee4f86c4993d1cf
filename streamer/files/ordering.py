"""Transactions in event-time order, in bounded memory.

Shops export by customer as often as by date, and a stream cannot be replayed by customer: each
customer's first purchase would be late by the whole of the file.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from heapq import merge
from itertools import islice
from operator import attrgetter
from tempfile import TemporaryFile
from typing import BinaryIO

import msgspec

from streamer.files.transactions import Transaction

RUN_ROWS = 250_000
"""Rows sorted in memory at once, about 150 MB; what is beyond is merged from temporary files."""

_by_instant = attrgetter("occurred_at")


def in_event_time_order(
    transactions: Iterable[Transaction], run_rows: int = RUN_ROWS
) -> Iterator[Transaction]:
    """Sort by event time; rows of one instant keep the file's order.

    Args:
        transactions: In any order.
        run_rows: How many may be in memory at a time, at least 1.
    """
    rows = iter(transactions)
    run = _sorted_run(rows, run_rows)
    with ExitStack() as files:
        spilled: list[Iterator[Transaction]] = []
        while len(run) == run_rows:
            file = files.enter_context(TemporaryFile())
            spilled.append(_spill(run, file))
            run = _sorted_run(rows, run_rows)
        yield from merge(*spilled, run, key=_by_instant)


def _sorted_run(rows: Iterator[Transaction], run_rows: int) -> list[Transaction]:
    return sorted(islice(rows, run_rows), key=_by_instant)


def _spill(run: list[Transaction], file: BinaryIO) -> Iterator[Transaction]:
    """Write a run to the file, one JSON text a line, and give the reader of it."""
    encode = msgspec.json.Encoder().encode
    file.writelines(encode(row) + b"\n" for row in run)
    file.seek(0)
    decode = msgspec.json.Decoder(Transaction).decode
    return (decode(line) for line in file)
