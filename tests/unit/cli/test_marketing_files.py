from pathlib import Path

import pytest

from streamer.cli.worker import worker
from streamer.errors import StreamerError
from streamer.scoring.actions import NO_ACTIONS
from streamer.scoring.segments import NO_SEGMENTS
from streamer.settings import Settings


@pytest.mark.parametrize(
    ("setting", "text", "why"),
    [
        (
            "SEGMENTS",
            "[segments]\nvip = 'orderz > 1'",
            "segment vip: `orderz > 1`: line 1, column 1",
        ),
        ("SEGMENTS", "[segments", "cannot be read: "),
        ("ACTIONS", "version = 1", "missing required field `cap`"),
        ("ACTIONS", None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_right_stops_the_worker_before_it_begins(
    setting: str, text: str | None, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "marketing.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    monkeypatch.setenv(f"STREAMER_{setting}_FILE", str(file))
    monkeypatch.setenv("STREAMER_BROKERS", "nowhere:1")
    with pytest.raises(StreamerError) as refused:
        worker()
    assert why in str(refused.value)


def test_a_shop_that_wants_no_announcements_has_none() -> None:
    quiet = Settings(announcements=False).configuration()
    assert (quiet.segmentation, quiet.playbook) == (NO_SEGMENTS, NO_ACTIONS)
    assert Settings().configuration().playbook.rules
