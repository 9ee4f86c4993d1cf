import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from streamer.files import FileError, cdnow_master, cdnow_sample, read_events, read_lines
from streamer.records.events import Purchase
from streamer.serdes.events import EventDecoder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STREAMER_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def without_pip(monkeypatch: pytest.MonkeyPatch, answer: Exception) -> None:
    def refuse(*_args: object, **_options: object) -> None:
        raise answer

    monkeypatch.setattr(subprocess, "run", refuse)


def test_the_data_is_fetched_once_and_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = cdnow_sample()
    assert path == cache / "cdnow" / "CDNOW_sample.txt"
    assert sorted(file.name for file in path.parent.iterdir()) == [
        "CDNOW_master.txt",
        "CDNOW_sample.txt",
    ]
    without_pip(monkeypatch, AssertionError("fetched twice"))
    assert cdnow_sample() == path
    assert cdnow_master().is_file()


def test_a_damaged_file_is_fetched_again(cache: Path) -> None:
    damaged = cache / "cdnow" / "CDNOW_sample.txt"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("half a fi")
    assert cdnow_sample().stat().st_size == 228_327


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (subprocess.CalledProcessError(1, "pip", stderr="a\nno network\n"), "no network"),
        (subprocess.CalledProcessError(1, "pip", stderr=""), "pip gave no reason"),
        (subprocess.TimeoutExpired("pip", 1), "does not answer"),
        (OSError(28, "No space left on device"), "STREAMER_CACHE_DIR"),
    ],
)
def test_a_failed_fetch_says_why_and_leaves_nothing(
    cache: Path, monkeypatch: pytest.MonkeyPatch, answer: Exception, message: str
) -> None:
    without_pip(monkeypatch, answer)
    with pytest.raises(FileError, match=message):
        cdnow_master()
    assert list((cache / "cdnow").iterdir()) == []


def test_the_master_file_is_read_whole() -> None:
    path = cdnow_master()
    rows = [line.split() for line in path.read_text().splitlines()[1:]]
    decode = EventDecoder().decode
    events = [decode(line) for line in read_lines(str(path))]
    purchases = [event for event in events if isinstance(event, Purchase)]
    assert len(events) == len(purchases) == len(rows) == 69_659
    assert len({event.event_id for event in events}) == 69_659
    assert len({event.customer_id for event in events}) == 23_570
    total = sum(event.amount for event in purchases)
    # The second figure is awk's: { s += $4 } END { printf "%.2f", s }
    assert total == sum(Decimal(row[3]) for row in rows) * 1_000_000 == 2_500_315_630_000
    assert Counter(event.customer_id for event in events) == Counter(row[0] for row in rows)
    instants = [event.occurred_at for event in events]
    assert instants == sorted(instants)


def test_the_sample_names_customers_as_the_master_does() -> None:
    sample = list(read_events(str(cdnow_sample())))
    assert len(sample) == 6_919
    assert len({event["customer_id"] for event in sample}) == 2_357
    master = {event["event_id"]: event for event in read_events(str(cdnow_master()))}
    assert all(master[event["event_id"]] == event for event in sample)


def test_it_is_read_from_standard_input() -> None:
    script = "from streamer.files import read_lines; print(sum(1 for _ in read_lines('-')))"
    with cdnow_sample().open("rb") as file:
        counted = subprocess.run(
            [sys.executable, "-c", script], stdin=file, capture_output=True, check=True
        )
    assert counted.stdout == b"6919\n"
