from pathlib import Path

import pytest

from streamer.broker import BrokerError, EmbeddedKafka
from streamer.broker.node import cluster_id


def test_nodes_kept_in_one_folder_agree_on_the_cluster() -> None:
    assert cluster_id(Path("/a/b")) == cluster_id(Path("/a/b"))
    assert cluster_id(Path("/a/b")) != cluster_id(Path("/a/c"))
    assert len(cluster_id(Path("/a/b"))) == 22


def test_a_broker_not_started_has_no_process(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path)
    assert not broker.is_running()
    with pytest.raises(BrokerError, match=r"start\(\)"):
        _ = broker.pid


def test_stopping_what_does_not_run_is_no_error(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path)
    broker.stop()
    broker.kill()
