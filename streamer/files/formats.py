"""Which kind of file this is, from its name and its first lines."""

import re
from collections.abc import Sequence
from enum import Enum
from pathlib import PurePath

from streamer.files.columns import header_of
from streamer.files.errors import FileError
from streamer.files.layout import USUAL, Layout

EVENT_SUFFIXES = (".jsonl", ".ndjson")
TABLE_SUFFIXES = (".csv", ".tsv")
PARQUET_SUFFIXES = (".parquet", ".pq")
PARQUET_MAGIC = b"PAR1"
GZIP_MAGIC = b"\x1f\x8b"

CDNOW_ROW = re.compile(rb"\s*\d+(?:\s+\d+)?\s+\d{8}\s+\d+\s+-?\d+(?:\.\d+)?\s*")
CDNOW_HEADER = [b"customer_id", b"date", b"number_of_cds", b"dollar_value"]


class Format(Enum):
    """The kinds of files that are read."""

    EVENTS = "events, one JSON text a line"
    TABLE = "transactions, comma-separated with a header"
    CDNOW = "transactions in the columns of CDNOW's own text files"
    PARQUET = "transactions in Parquet"


def format_without_lines(source: str, first_bytes: bytes) -> Format | None:
    """Tell the format where no line need be read for it.

    Lines of a `.jsonl` file are published as they stand, so their content has no say.
    """
    suffix = PurePath(source).suffix.lower()
    if suffix in EVENT_SUFFIXES:
        return Format.EVENTS
    if suffix in PARQUET_SUFFIXES or first_bytes.startswith(PARQUET_MAGIC):
        return Format.PARQUET
    return None


def format_by_first_line(source: str, line: bytes, layout: Layout = USUAL) -> Format | None:
    """Tell the format from the first line that is not blank; None when it leaves doubt.

    Raises:
        FileError: It is a kind of file that another program must unpack first.
    """
    if line.startswith(GZIP_MAGIC):
        raise FileError(source, "it is compressed: unpack it into a pipe and give - as the file")
    if line.lstrip().startswith(b"["):
        raise FileError(source, "it is a JSON array: write one event a line, as jq -c '.[]' does")
    if line.lstrip().startswith(b"{"):
        return Format.EVENTS
    if line.split() == CDNOW_HEADER or CDNOW_ROW.fullmatch(line):
        return Format.CDNOW
    if PurePath(source).suffix.lower() in TABLE_SUFFIXES or header_of(line, layout).is_complete:
        return Format.TABLE
    return None


def format_by_more_lines(source: str, lines: Sequence[bytes]) -> Format:
    """Tell events whose first one is broken from a file that holds no events at all.

    Raises:
        FileError: No line looks like an event.
    """
    if any(line.lstrip().startswith(b"{") for line in lines):
        return Format.EVENTS
    raise FileError(
        source,
        "it holds neither JSON events nor a header that names customer, date and amount;"
        " add that header, or end the file's name in .jsonl to send its lines as they stand",
        1,
    )
