import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from streamer.files import FileError, read_events

needs_pyarrow = pytest.mark.skipif(
    find_spec("pyarrow") is None, reason="pyarrow, the extra `parquet`, is not installed"
)


def write(path: Path, columns: dict[str, list[Any]]) -> str:
    table = import_module("pyarrow").table(columns)
    import_module("pyarrow.parquet").write_table(table, path, row_group_size=2)
    return str(path)


@needs_pyarrow
def test_rows_become_purchases_whatever_their_types(tmp_path: Path) -> None:
    moments = [
        datetime(2025, 1, 3, 4, tzinfo=UTC),
        datetime.fromisoformat("2025-01-02"),
        date(2025, 1, 1),
    ]
    for moment in moments:
        columns: dict[str, list[Any]] = {
            "customer": [17],
            "date": [moment],
            "amount": [Decimal("1.50")],
            "cost": [0.1],
        }
        (event,) = read_events(write(tmp_path / "shop", columns))
        assert event["occurred_at"].startswith(moment.isoformat()[:10])
        assert (event["customer_id"], event["amount"], event["cost"]) == ("17", "1.50", "0.1")


@needs_pyarrow
def test_rows_of_all_groups_are_ordered(tmp_path: Path) -> None:
    columns: dict[str, list[Any]] = {
        "user_id": list("abcde"),
        "date": ["20250101"] * 5,
        "value": [5, 4, 3, 2, 1],
    }
    events = list(read_events(write(tmp_path / "shop.parquet", columns)))
    assert [event["amount"] for event in events] == ["5", "4", "3", "2", "1"]


@needs_pyarrow
@pytest.mark.parametrize("piped", [False, True])
def test_parquet_comes_from_standard_input(tmp_path: Path, piped: bool) -> None:
    path = write(tmp_path / "shop", {"user": ["a"], "date": ["20250101"], "value": [5]})
    script = (
        "from streamer.files import read_events; print(*(e['amount'] for e in read_events('-')))"
    )
    command = [sys.executable, "-c", script]
    with Path(path).open("rb") as file:
        given: dict[str, Any] = {"input": file.read()} if piped else {"stdin": file}
        done = subprocess.run(command, capture_output=True, check=True, **given)
    assert done.stdout == b"5\n"


@needs_pyarrow
@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user": ["a"], "date": ["20250101"]}, "lacks amount"),
        ({"user": ["a"], "date": ["soon"], "value": [5]}, "line 1: cannot read 'soon' as date"),
        ({"user": ["a"], "date": [None], "value": [5]}, "line 1: cannot read '' as date"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, columns: dict[str, list[Any]], message: str
) -> None:
    with pytest.raises(FileError, match=message):
        list(read_events(write(tmp_path / "shop.parquet", columns)))


@needs_pyarrow
def test_a_file_that_is_no_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shop.parquet"
    path.write_text("customer,date,amount")
    with pytest.raises(FileError, match="cannot be read as Parquet"):
        list(read_events(str(path)))


def test_without_pyarrow_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    path = tmp_path / "shop.bin"
    path.write_bytes(b"PAR1...")
    with pytest.raises(FileError, match=r"streamer\[parquet\]"):
        list(read_events(str(path)))
