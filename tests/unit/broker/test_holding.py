import os
import subprocess
import time
from pathlib import Path

import pytest

from streamer.broker import BrokerError, EmbeddedKafka
from streamer.broker.holding import held


def test_a_second_start_is_refused_before_anything_is_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("streamer.broker.holding.WAIT_SECONDS_MAX", 0.0)
    (tmp_path / "kafka.log").write_text("of the first one")
    with held(tmp_path), pytest.raises(BrokerError, match=r"runs on .* already: .*--data-dir"):
        EmbeddedKafka(tmp_path).start()
    assert {file.name for file in tmp_path.iterdir()} == {"kafka.log", "node.lock"}
    assert (tmp_path / "kafka.log").read_text() == "of the first one"


def test_the_folder_is_held_as_long_as_the_child_lives(tmp_path: Path) -> None:
    with held(tmp_path) as lock:
        child = subprocess.Popen(["sleep", "60"], pass_fds=(lock,))
    with child:
        with pytest.raises(BrokerError, match="already"), held(tmp_path, 0.0):
            pass
        child.kill()
    with held(tmp_path, 0.0):
        pass


def test_one_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    with held(tmp_path) as lock:
        child = subprocess.Popen(["sleep", "0.3"], pass_fds=(lock,))
    started = time.monotonic()
    with child, held(tmp_path):
        assert time.monotonic() - started > 0.1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(BrokerError, match="cannot be written"), held(tmp_path / "kafka"):
        pass


def test_a_file_in_the_folders_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "kafka").touch()
    with pytest.raises(BrokerError, match="cannot be written"), held(tmp_path / "kafka"):
        pass
