"""What a replay writes: a file a topic, whole or not there at all."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Literal, Self, get_args

import msgspec

from streamer.errors import StreamerError
from streamer.files.records import RECORDS, RecordTable, arrow
from streamer.records.kafka import (
    CHURN_RISK_UPDATES,
    DEAD_LETTERS,
    LTV_UPDATES,
    PROGRAMME_MEASURES,
    RECOMMENDED_ACTIONS,
    SCORE_TOPICS,
    SEGMENT_CHANGES,
)

OUTPUTS = (
    LTV_UPDATES,
    CHURN_RISK_UPDATES,
    SEGMENT_CHANGES,
    RECOMMENDED_ACTIONS,
    PROGRAMME_MEASURES,
    DEAD_LETTERS,
)
"""Topics whose records a replay gives to its writer."""

Form = Literal["jsonl", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)


class ReplayError(StreamerError):
    """What a replay gives cannot be written."""


class OutputFiles:
    """Takes the records of all topics; a context manager.

    They are written as lines of JSON beside the files to be, and put in their place in the end:
    what was told of a customer before its erasure is left out then, and tables are made of lines.

    Args:
        folder: of the files; what an earlier replay left there is removed.
        form: of those that can be tables.

    Raises:
        NoParquetError: ``form`` needs a library that is not installed.
        ReplayError: the folder cannot be written.
    """

    def __init__(self, folder: Path, form: Form = "jsonl") -> None:
        if form == "parquet":
            arrow()
        self._folder, self._form = folder, form
        self._files: dict[str, BinaryIO] = {}
        self._erased: dict[str, dict[str, int]] = {name: {} for name in SCORE_TOPICS}
        """By topic: where in its file what is left of an erased customer begins."""

    def __enter__(self) -> Self:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for name in OUTPUTS:
                # What an earlier replay left must not pass for the result of one that fails.
                for form in FORMS:
                    output_file(self._folder, name, form).unlink(missing_ok=True)
                self._files[name] = self._partial(name).open("wb")
        except OSError as error:
            raise self._unwritable(error) from error
        return self

    def write(self, name: str, line: bytes) -> None:
        """Add ``line`` to the file of the topic ``name``."""
        try:
            self._files[name].write(line + b"\n")
        except OSError as error:
            raise self._unwritable(error) from error

    def forget(self, customer_id: str) -> None:
        """Leave out what was written of the customer so far."""
        for name, places in self._erased.items():
            places[customer_id] = self._files[name].tell()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            for name, file in self._files.items():
                file.close()
                if exc_type is None:
                    self._put_in_place(name)
        except OSError as error:
            raise self._unwritable(error) from error
        finally:
            for name in self._files:
                self._partial(name).unlink(missing_ok=True)

    def _put_in_place(self, name: str) -> None:
        partial = self._partial(name)
        if places := self._erased.get(name):
            _leave_out(partial, places)
        if self._form == "parquet" and name in RECORDS:
            _tabulate(partial, RECORDS[name])
        partial.replace(output_file(self._folder, name, self._form))

    def _partial(self, name: str) -> Path:
        return self._folder / f".{name}.partial"

    def _unwritable(self, error: OSError) -> ReplayError:
        reason = error.strerror or "it cannot be opened"
        return ReplayError(f"{self._folder} cannot be written ({reason}): name another folder.")


def _rewritten(path: Path, rewrite: Callable[[BinaryIO, BinaryIO], None]) -> None:
    """Put what ``rewrite`` makes of the file at ``path`` in its place."""
    made = path.with_suffix(".made")
    try:
        with path.open("rb") as file, made.open("wb") as out:
            rewrite(file, out)
        made.replace(path)
    finally:
        made.unlink(missing_ok=True)


class _Customer(msgspec.Struct):
    customer_id: str


def _leave_out(path: Path, places: Mapping[str, int]) -> None:
    """Leave out the lines at ``path`` of customers before their places."""
    decode = msgspec.json.Decoder(_Customer).decode

    def rewrite(file: BinaryIO, out: BinaryIO) -> None:
        place = 0
        for line in file:
            if place >= places.get(decode(line).customer_id, 0):
                out.write(line)
            place += len(line)

    _rewritten(path, rewrite)


def _tabulate(path: Path, kind: type[msgspec.Struct]) -> None:
    """Make a table of the lines at ``path``, which are records of a ``kind``."""

    def rewrite(file: BinaryIO, out: BinaryIO) -> None:
        table = RecordTable(out, kind)
        for line in file:
            table.write(line)
        table.close()

    _rewritten(path, rewrite)


def output_file(folder: Path, name: str, form: Form = "jsonl") -> Path:
    """Return the file that holds the records of the topic ``name``."""
    return folder / f"{name}.{form if name in RECORDS else 'jsonl'}"


def is_output(source: str, folder: Path) -> bool:
    """Return whether a replay into ``folder`` would write the file ``source``."""
    outputs = {output_file(folder, name, form).resolve() for name in OUTPUTS for form in FORMS}
    return source != "-" and Path(source).resolve() in outputs
