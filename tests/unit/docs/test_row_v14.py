from datetime import UTC, datetime
from pathlib import Path

from tests.support.pages import blocks, lines, replayed

PAGE = "v14.md"
TOLD = ("as_of", "entered", "left")


def test_the_example_of_the_page_is_what_a_replay_tells(tmp_path: Path) -> None:
    (file,) = blocks(PAGE, "toml")
    events, expected = blocks(PAGE, "jsonl")
    own = tmp_path / "segments.toml"
    own.write_text(file, encoding="utf-8")
    told = replayed(events, datetime(2026, 4, 1, tzinfo=UTC), segments_file=own)
    found = [{name: change[name] for name in TOLD} for change in told["segment-changes"]]
    assert found == lines(expected)
