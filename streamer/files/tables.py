"""Rows of the three kinds of transaction files: CSV, CDNOW's own text, Parquet."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from io import BufferedReader
from shutil import copyfileobj
from tempfile import TemporaryFile
from typing import Any, BinaryIO

from streamer.files.columns import Header, find_columns, header_of
from streamer.files.errors import FileError
from streamer.files.formats import CDNOW_HEADER, CDNOW_ROW
from streamer.files.layout import USUAL, Layout
from streamer.files.transactions import Transaction, UnreadableError, from_cells

NumberedLines = Iterable[tuple[int, bytes]]

FAULTS_TOLD = 5
"""Lines at fault that are told in full; the others are counted."""

FAULTS_MAX = 1_000
"""Then the whole column is meant: nothing is learned by reading on."""


def table_rows(lines: NumberedLines, source: str, layout: Layout = USUAL) -> Iterator[Transaction]:
    """Read comma-separated values (also semicolon, tab, bar) below a header.

    Raises:
        FileError: A required column is missing, or rows cannot be read: raised after the last
            row, it names their lines.
    """
    numbered = iter(lines)
    number, first = next(numbered)
    header = header_of(first, layout)
    if not header.is_complete:
        raise FileError(source, header.complaint(), number)
    yield from _parsed(_cells(numbered, header, source), header, source, layout)


def _cells(
    lines: Iterator[tuple[int, bytes]], header: Header, source: str
) -> Iterator[tuple[int, list[str]]]:
    texts = _Texts(lines, source)
    try:
        for cells in csv.reader(texts, delimiter=header.delimiter, strict=True):
            yield texts.number, cells
    except csv.Error as error:
        raise FileError(source, f"{error}: check the quotes", texts.number) from error


def _parsed(
    rows: Iterable[tuple[int, Sequence[Any]]], header: Header, source: str, layout: Layout
) -> Iterator[Transaction]:
    faults = _Faults(source)
    for number, cells in rows:
        try:
            row = _transaction(header, cells, layout, number)
        except UnreadableError as error:
            faults.note(number, error)
        else:
            yield row
    faults.tell()


class _Faults:
    """What is wrong in a file's rows, gathered: who has to correct a file wants to do so once."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._told: list[tuple[int, str]] = []
        self._advised: set[str] = set()
        self._count = 0

    def note(self, number: int, error: UnreadableError) -> None:
        """Take down what is wrong in a line; the same advice is given once."""
        self._count += 1
        if self._count <= FAULTS_TOLD:
            known = error.advice in self._advised
            self._advised.add(error.advice)
            self._told.append((number, error.what if known else str(error)))
        if self._count >= FAULTS_MAX:
            self.tell()

    def tell(self) -> None:
        """Raise FileError if there was any."""
        if not self._told:
            return
        (line, message), *others = self._told
        message += "".join(f"; line {number}: {text}" for number, text in others)
        more = self._count - len(self._told)
        if more:
            at_least = "at least " if self._count >= FAULTS_MAX else ""
            message += f"; and {at_least}{more:,} more"
        raise FileError(self._source, message, line)


class _Texts:
    """Lines as text for the csv module, which takes several for a row with a quoted line end.

    Attributes:
        number: That of the line given last, for messages.
    """

    def __init__(self, lines: Iterator[tuple[int, bytes]], source: str) -> None:
        self._lines = lines
        self._source = source
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for number, line in self._lines:
            self.number = number
            try:
                yield line.decode() + "\n"
            except UnicodeDecodeError as error:
                message = "it is not UTF-8: save the file as UTF-8, say by iconv -f cp1252 -t utf-8"
                raise FileError(self._source, message, number) from error


def _transaction(header: Header, cells: Sequence[Any], layout: Layout, number: int) -> Transaction:
    """Make a transaction of a row; an UnreadableError says what is wrong."""
    if len(cells) != len(header.names):
        what = f"{len(cells)} columns where the header has {len(header.names)}"
        raise UnreadableError(what, "quote values that hold the delimiter")
    named = {field: _stripped(cells[index]) for field, index in header.places.items()}
    return from_cells(named, layout, number)


def _stripped(cell: object) -> object:
    return cell.strip() if isinstance(cell, str) else cell


def cdnow_rows(lines: NumberedLines, source: str) -> Iterator[Transaction]:
    """Read CDNOW's columns: customer, date as YYYYMMDD, number of CDs, dollars.

    The file of the 1/10 sample has the customer's number within the sample as second column; the
    first column is the number in the master file, and that is the customer in both.

    Raises:
        FileError: A row is not of these columns; it names the line.
    """
    for number, line in lines:
        columns = line.split()
        if columns == CDNOW_HEADER:
            continue
        if not CDNOW_ROW.fullmatch(line):
            raise FileError(
                source, "expected the columns customer, YYYYMMDD, number of CDs, dollars", number
            )
        customer, day, amount = columns[0].decode(), columns[-3].decode(), columns[-1].decode()
        try:
            yield from_cells({"customer_id": customer, "occurred_at": day, "amount": amount})
        except ValueError as error:
            raise FileError(source, str(error), number) from error


def parquet_rows(
    stream: BufferedReader, source: str, layout: Layout = USUAL
) -> Iterator[Transaction]:
    """Read the rows of a Parquet file in batches; a pipe is first put into a temporary file.

    Raises:
        FileError: pyarrow is not installed, the file is no Parquet, a column is missing, or a
            row cannot be read; it names the row.
    """
    try:
        parquet = import_module("pyarrow.parquet")
    except ImportError as error:
        raise FileError(
            source, "Parquet needs pyarrow: install the extra, pip install 'streamer[parquet]'"
        ) from error
    with _seekable(stream) as file:
        yield from _batches(parquet, file, source, layout)


def _batches(parquet: Any, file: BinaryIO, source: str, layout: Layout) -> Iterator[Transaction]:
    arrow_error = import_module("pyarrow").ArrowException
    try:
        table = parquet.ParquetFile(file)
        header = find_columns(table.schema_arrow.names, layout=layout)
        if not header.is_complete:
            raise FileError(source, header.complaint())
        rows = (row for batch in table.iter_batches() for row in _rows(batch))
        yield from _parsed(enumerate(rows, start=1), header, source, layout)
    except arrow_error as error:
        message = f"it cannot be read as Parquet ({error}): write it anew"
        raise FileError(source, message) from error


def _rows(batch: Any) -> Iterator[list[Any]]:
    return map(list, zip(*(column.to_pylist() for column in batch.columns), strict=True))


def _seekable(stream: BufferedReader) -> AbstractContextManager[BinaryIO]:
    if stream.seekable():
        return nullcontext(stream)
    file = TemporaryFile()  # noqa: SIM115 - it is the context that the caller enters
    copyfileobj(stream, file)
    return file
