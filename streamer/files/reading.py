"""The way from a file to its events: open, tell the format, read, order, number.

Events in JSON lines pass untouched and in the order they stand in. Transactions are put into
event-time order first, each as a `purchase` event.
"""

from collections.abc import Iterator
from io import BufferedReader
from itertools import chain, islice
from pathlib import PurePath

import msgspec

from streamer.files.errors import FileError
from streamer.files.formats import (
    Format,
    format_by_first_line,
    format_by_more_lines,
    format_without_lines,
)
from streamer.files.layout import USUAL, Layout
from streamer.files.lines import numbered_lines, open_source
from streamer.files.order_lines import whole_orders
from streamer.files.ordering import in_event_time_order
from streamer.files.tables import NumberedLines, cdnow_rows, parquet_rows, table_rows
from streamer.files.transactions import Event, Transaction, to_events

FILE_NAME_MAX = 200
"""An event's `source` holds 256 characters."""

DOUBTFUL_LINES = 20
"""How far to look for an event when the first line is none."""


def read_lines(source: str, currency: str = "USD", layout: Layout = USUAL) -> Iterator[bytes]:
    """Give the wire values of a file of events or transactions, one by one.

    Lines of a file of events are not looked into: what is broken there is for the dead letters.
    Blank lines are left out.

    Args:
        source: The file's name; `-` is standard input.
        currency: ISO 4217 code for transactions that name none.
        layout: How a table writes what it says; CDNOW's own files need none.

    Raises:
        FileError: The file cannot be opened or read as it stands; it names the line.
    """
    encode = msgspec.json.Encoder().encode
    with open_source(source) as stream:
        kind, lines = _tell_format(stream, source, layout)
        if kind is Format.EVENTS:
            yield from (line for _, line in lines)
            return
        rows = _transactions(kind, stream, lines, source, layout)
        yield from map(encode, _ordered(rows, source, currency))


def read_events(source: str, currency: str = "USD", layout: Layout = USUAL) -> Iterator[Event]:
    """Give the events of a file of events or transactions as dictionaries.

    Args:
        source: The file's name; `-` is standard input.
        currency: ISO 4217 code for transactions that name none.
        layout: How a table writes what it says; CDNOW's own files need none.

    Raises:
        FileError: As `read_lines`, and where a line of events is no JSON object.
    """
    with open_source(source) as stream:
        kind, lines = _tell_format(stream, source, layout)
        if kind is Format.EVENTS:
            yield from (_event(line, source, number) for number, line in lines)
            return
        rows = _transactions(kind, stream, lines, source, layout)
        yield from _ordered(rows, source, currency)


def _tell_format(
    stream: BufferedReader, source: str, layout: Layout
) -> tuple[Format, NumberedLines]:
    """Tell the format; the lines looked at are given back in front of the rest.

    No line is read that the answer does not need: the next one of a pipe may be a day away.
    """
    kind = format_without_lines(source, stream.peek(4))
    lines = numbered_lines(stream, source)
    if kind is not None:
        return kind, lines
    head = list(islice(lines, 1))
    if not head:
        return Format.EVENTS, lines
    kind = format_by_first_line(source, head[0][1], layout)
    if kind is None:
        head += islice(lines, DOUBTFUL_LINES)
        kind = format_by_more_lines(source, [line for _, line in head])
    return kind, chain(head, lines)


def _ordered(rows: Iterator[Transaction], source: str, currency: str) -> Iterator[Event]:
    name = "standard input" if source == "-" else PurePath(source).name[-FILE_NAME_MAX:]
    return to_events(whole_orders(in_event_time_order(rows)), currency, name)


def _transactions(
    kind: Format, stream: BufferedReader, lines: NumberedLines, source: str, layout: Layout
) -> Iterator[Transaction]:
    if kind is Format.PARQUET:
        return parquet_rows(stream, source, layout)
    if kind is Format.CDNOW:
        return cdnow_rows(lines, source)
    return table_rows(lines, source, layout)


def _event(line: bytes, source: str, number: int) -> Event:
    try:
        return msgspec.json.decode(line, type=Event)
    except msgspec.DecodeError as error:
        raise FileError(
            source, f"it is no JSON object ({error}): correct or remove it", number
        ) from error
