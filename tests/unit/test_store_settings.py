"""Where rows are kept, and who keeps them once more."""

from pathlib import Path

import pytest

from streamer.settings import ConfigurationError, load_settings


def test_standbys_are_not_of_a_local_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMER_STORE", "rocksdb")
    assert load_settings().store == "rocksdb"
    monkeypatch.setenv("STREAMER_STANDBY_REPLICAS", "1")
    with pytest.raises(ConfigurationError, match="leave store at memory"):
        load_settings()
