"""A partition is prepared anew while an earlier preparation, overtaken by a rebalance, ends."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from streamer.engine.app import create_app
from streamer.engine.standby import Copy
from streamer.engine.task import PartitionTask
from streamer.settings import Settings


async def test_a_rebalance_that_overtakes_another_prepares_its_partitions_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovered = asyncio.Event()

    async def recover(task: PartitionTask, _: Copy | None = None) -> None:
        task.remaining = 7
        await recovered.wait()
        task.partition.restored()

    monkeypatch.setattr(PartitionTask, "recover", recover)
    app = create_app(Settings(_env_file=None, data_dir=tmp_path), "test", lambda _: [])
    earlier = asyncio.create_task(app._prepare(0))
    await turns(lambda: app.recovering == {0: 7})
    later = asyncio.create_task(app._prepare(0))
    await asyncio.sleep(0)
    earlier.cancel()
    with pytest.raises(asyncio.CancelledError):
        await earlier
    assert app.recovering == {0: 7}
    assert not app.ready
    recovered.set()
    await later
    assert app.recovering == {}
    assert list(app.tasks) == [0]


async def turns(holds: Callable[[], bool]) -> None:
    for _ in range(10):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it has not begun")
