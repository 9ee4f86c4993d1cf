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
from streamer.files.transactions import Transaction, from_cells

NumberedLines = Iterable[tuple[int, bytes]]


def table_rows(lines: NumberedLines, source: str) -> Iterator[Transaction]:
    """Read comma-separated values (also semicolon, tab, bar) below a header.

    Raises:
        FileError: A required column is missing, or a row cannot be read; it names the line.
    """
    numbered = iter(lines)
    number, first = next(numbered)
    header = header_of(first)
    if not header.is_complete:
        raise FileError(source, header.complaint(), number)
    texts = _Texts(numbered, source)
    try:
        for cells in csv.reader(texts, delimiter=header.delimiter, strict=True):
            yield _transaction(header, cells, source, texts.number)
    except csv.Error as error:
        raise FileError(source, f"{error}: check the quotes", texts.number) from error


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
                message = "it is not UTF-8: save the file as UTF-8"
                raise FileError(self._source, message, number) from error


def _transaction(header: Header, cells: Sequence[Any], source: str, number: int) -> Transaction:
    if len(cells) != len(header.names):
        raise FileError(
            source,
            f"{len(cells)} columns where the header has {len(header.names)}:"
            " quote values that hold the delimiter",
            number,
        )
    named = {field: _stripped(cells[index]) for field, index in header.places.items()}
    try:
        return from_cells(named)
    except ValueError as error:
        raise FileError(source, str(error), number) from error


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


def parquet_rows(stream: BufferedReader, source: str) -> Iterator[Transaction]:
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
        yield from _batches(parquet, file, source)


def _batches(parquet: Any, file: BinaryIO, source: str) -> Iterator[Transaction]:
    arrow_error = import_module("pyarrow").ArrowException
    try:
        table = parquet.ParquetFile(file)
        header = find_columns(table.schema_arrow.names)
        if not header.is_complete:
            raise FileError(source, header.complaint())
        rows = (row for batch in table.iter_batches() for row in _rows(batch))
        for number, cells in enumerate(rows, start=1):
            yield _transaction(header, cells, source, number)
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
