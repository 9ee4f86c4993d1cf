"""Records of output topics as Parquet, for notebooks: a column a field, with its type."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from types import NoneType
from typing import Any, BinaryIO, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Raw, Struct

from streamer.errors import StreamerError
from streamer.records.announcements import RecommendedActions, SegmentChange
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    LTV_UPDATES,
    RECOMMENDED_ACTIONS,
    SEGMENT_CHANGES,
)
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate
from streamer.scoring.expressions.fields import TOLD
from streamer.serdes.dead_letters import ReadableDeadLetter

RECORDS: Mapping[str, type[Struct]] = {
    LTV_UPDATES: LtvUpdate,
    CHURN_RISK_UPDATES: ChurnRiskUpdate,
    SEGMENT_CHANGES: SegmentChange,
    RECOMMENDED_ACTIONS: RecommendedActions,
    DEAD_LETTERS: ReadableDeadLetter,
}
"""Topics whose records are rows of a table; what others carry is nested, and few."""

ROWS_MAX = 20_000
"""In memory at once: a row group."""

_MONEY = {"revenue", "change", "money_at_stake"} | {
    name for name, kind in TOLD.items() if kind == "number"
}
"""Texts of these names are amounts; others of them are no texts."""

_MONEY_DIGITS, _MONEY_DECIMALS = 38, 6

Convert = Callable[[Any], Any]


class NoParquetError(StreamerError):
    """The library that writes Parquet is not installed."""


class RecordTable:
    """Writes records, each a line of JSON, into one Parquet file.

    Args:
        file: is closed with it.
        kind: what a record is.

    Raises:
        NoParquetError: the extra `parquet` is not installed.
    """

    def __init__(self, file: BinaryIO, kind: type[Struct]) -> None:
        self._arrow = arrow()
        columns = {name: _column(self._arrow, name, hint) for name, hint in _hints(kind).items()}
        self._convert = {name: convert for name, (_, convert) in columns.items()}
        self._schema = self._arrow.schema([(name, kind) for name, (kind, _) in columns.items()])
        self._file = file
        self._writer = import_module("pyarrow.parquet").ParquetWriter(
            file, self._schema, compression="zstd"
        )
        self._rows: list[dict[str, Any]] = []

    def write(self, line: bytes) -> None:
        """Add a record; a deletion is none."""
        row = msgspec.json.decode(line)
        if row is None:
            return
        self._rows.append(row)
        if len(self._rows) >= ROWS_MAX:
            self._flush()

    def _flush(self) -> None:
        arrays = []
        for field in self._schema:
            convert = self._convert[field.name]
            values = [_given(convert, row.get(field.name)) for row in self._rows]
            arrays.append(self._arrow.array(values, field.type))
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))
        self._rows.clear()

    def close(self) -> None:
        """Write what is left, and close the file."""
        with self._file:
            self._flush()
            self._writer.close()


def arrow() -> Any:
    """Return the library that writes Parquet.

    Raises:
        NoParquetError: it is not installed.
    """
    try:
        return import_module("pyarrow")
    except ImportError:
        raise NoParquetError(
            "Parquet needs pyarrow: install it with pip install 'streamer[parquet]'."
        ) from None


def _hints(kind: type[Struct]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {name: hints[name] for name in kind.__struct_fields__}


def _given(convert: Convert, value: Any) -> Any:
    return None if value is None else convert(value)


def _same(value: Any) -> Any:
    return value


def _column(pa: Any, name: str, hint: Any) -> tuple[Any, Convert]:
    """Return Arrow's type for a field, and how its JSON becomes a value of that type."""
    options = [one for one in get_args(hint) if one is not NoneType]
    origin = get_origin(hint)
    if origin is Literal:
        return (pa.int64() if isinstance(options[0], int) else pa.string()), _same
    if origin in {tuple, list}:
        inner, convert = _column(pa, name, options[0])
        return pa.list_(inner), lambda values: [_given(convert, one) for one in values]
    if origin is dict or hint is Raw:  # reasons by field
        return _map(pa, name, options[1] if options else str)
    if options:  # or null
        return _column(pa, name, options[0])
    if isinstance(hint, type) and issubclass(hint, Struct):
        return _struct(pa, hint)
    return _plain(pa, name, hint)


def _map(pa: Any, name: str, hint: Any) -> tuple[Any, Convert]:
    inner, convert = _column(pa, name, hint)
    return (
        pa.map_(pa.string(), inner),
        lambda value: [(key, _given(convert, one)) for key, one in value.items()],
    )


def _struct(pa: Any, kind: type[Struct]) -> tuple[Any, Convert]:
    columns = {name: _column(pa, name, hint) for name, hint in _hints(kind).items()}

    def converted(value: dict[str, Any]) -> dict[str, Any]:
        return {name: _given(convert, value.get(name)) for name, (_, convert) in columns.items()}

    return pa.struct([(name, kind) for name, (kind, _) in columns.items()]), converted


def _plain(pa: Any, name: str, hint: Any) -> tuple[Any, Convert]:
    if hint is str and name in _MONEY:
        return pa.decimal128(_MONEY_DIGITS, _MONEY_DECIMALS), Decimal
    plain: dict[Any, tuple[Any, Convert]] = {
        bool: (pa.bool_(), _same),
        int: (pa.int64(), _same),
        float: (pa.float64(), float),
        str: (pa.string(), _same),
        datetime: (pa.timestamp("us", "UTC"), datetime.fromisoformat),
    }
    return plain[hint]
