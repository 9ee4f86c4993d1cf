"""Bytes of a file or of standard input, line by line, numbered, never all at once."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from streamer.files.errors import FileError

LINE_BYTES_MAX = 16 * 1024 * 1024
"""Far above what Kafka carries; it keeps a file without line ends out of memory."""

BOM = b"\xef\xbb\xbf"


@contextmanager
def open_source(source: str) -> Iterator[BufferedReader]:
    """Open a file for reading bytes; `-` is standard input, which stays open.

    Raises:
        FileError: There is no such file, or it may not be read.
    """
    if source == "-":
        yield _standard_input()
        return
    try:
        stream = Path(source).open("rb")  # noqa: SIM115 - only opening is tried; see below
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        raise FileError(
            source, f"{reason}: check the name, or give - for standard input"
        ) from error
    with stream:
        yield stream


def numbered_lines(stream: BufferedReader, source: str) -> Iterator[tuple[int, bytes]]:
    """Give (line number from 1, line without its end) for each line that is not blank.

    A line is handed on as soon as it has arrived, so a pipe that is still written to can be
    followed. The byte order mark that some programs write first belongs to no line.

    Raises:
        FileError: A line is longer than `LINE_BYTES_MAX`.
    """
    number = 0
    while line := stream.readline(LINE_BYTES_MAX):
        number += 1
        if number == 1:
            line = line.removeprefix(BOM)
        if len(line) == LINE_BYTES_MAX and not line.endswith(b"\n"):
            raise FileError(
                source,
                f"more than {LINE_BYTES_MAX} bytes without a line end; write one event or"
                " transaction a line",
                number,
            )
        if line.strip():
            yield number, line.removesuffix(b"\n").removesuffix(b"\r")


def _standard_input() -> BufferedReader:
    """Give standard input as bytes that can be peeked at; a program may have replaced it."""
    stream = sys.stdin.buffer
    return stream if isinstance(stream, BufferedReader) else BufferedReader(cast("Any", stream))
