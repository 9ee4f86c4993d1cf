"""A replay's tables hold what its JSON lines hold."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamer import cli
from streamer.files import records
from streamer.files.outputs import FORMS, OUTPUTS, Form, output_file
from streamer.files.records import RECORDS, NoParquetError
from streamer.replay import replay_file
from streamer.settings import Settings
from streamer.simulate import Basket, Profiles, Ratings, Shop, simulate

pytestmark = pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs the extra `parquet`")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
BAD = (b'{"cut', b"", "\u2603".encode("utf-16"))


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shop = Shop(
        customers=30,
        basket=Basket(0.5, categories=3, coupon_rate=0.3),
        referral_rate=0.3,
        follow_ups=(Ratings(0.4), Profiles(0.4)),
    )
    file = tmp_path_factory.mktemp("shop") / "events.jsonl"
    values = [*(json.dumps(event).encode() for event in simulate(shop, 3)), *BAD]
    file.write_bytes(b"".join(value + b"\n" for value in values))
    return file


def replayed(events: Path, out: Path, form: Form) -> Path:
    replay_file(str(events), out, Settings(partitions=2), now=NOW, version="1", form=form)
    return out


def alike(told: Any, kept: Any) -> bool:
    """Return whether a value of a table is what JSON tells."""
    if isinstance(kept, dict):
        return all(alike((told or {}).get(name), one) for name, one in kept.items())
    if isinstance(kept, list) and isinstance(told, dict):  # a map
        return told.keys() == {name for name, _ in kept} and all(
            alike(told[name], one) for name, one in kept
        )
    if isinstance(kept, list):
        return len(told) == len(kept) and all(map(alike, told, kept))
    if isinstance(kept, Decimal):
        return bool(Decimal(told) == kept)
    if isinstance(kept, datetime):
        return datetime.fromisoformat(told) == kept
    return bool(told == kept)


def test_a_table_tells_what_the_lines_tell(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "ROWS_MAX", 100)  # several row groups
    lines = replayed(events, tmp_path / "lines", "jsonl")
    tables = replayed(events, tmp_path / "tables", "parquet")
    for name in RECORDS:
        told = [json.loads(line) for line in output_file(lines, name).read_bytes().splitlines()]
        file = output_file(tables, name, "parquet")
        kept = import_module("pyarrow.parquet").read_table(file).to_pylist()
        assert len(kept) == len(told) > 0, name
        for one, row in zip(told, kept, strict=True):
            assert one.keys() <= row.keys()
            assert {field for field in row if not alike(one.get(field), row[field])} == set(), name
    assert output_file(tables, "programme-measures", "parquet").suffix == ".jsonl"


def test_amounts_are_exact_and_texts_are_texts(events: Path, tmp_path: Path) -> None:
    out = replayed(events, tmp_path / "out", "parquet")
    table = import_module("pyarrow.parquet").read_table(output_file(out, "ltv-updates", "parquet"))
    types = {field.name: str(field.type) for field in table.schema}
    assert types["historic_clv"] == types["predicted_clv_low"] == "decimal128(38, 6)"
    assert types["customer_id"] == types["next_category"] == types["loyalty_tier"] == "string"
    assert types["as_of"] == "timestamp[us, tz=UTC]"
    assert types["categories"] == "list<element: string>"


def test_what_an_earlier_replay_left_in_another_form_is_gone(events: Path, tmp_path: Path) -> None:
    for form in (*FORMS, *FORMS):
        out = replayed(events, tmp_path / "out", form)
        assert sorted(out.iterdir()) == sorted(output_file(out, name, form) for name in OUTPUTS)


def test_without_the_library_it_is_told_what_to_install(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(records, "import_module", absent)
    arguments = [str(events), "--out", str(tmp_path / "out"), "--format", "parquet"]
    with pytest.raises(NoParquetError, match=r"pip install 'streamer\[parquet\]'"):
        CliRunner().invoke(cli.app, ["replay", *arguments], catch_exceptions=False)
    assert not (tmp_path / "out").exists()
