"""F9: disks are dirty, locked or full. Rows live in memory and their truth in the changelog."""

import asyncio
import resource
from collections.abc import Callable
from pathlib import Path
from time import time

from streamer.broker import EmbeddedKafka
from tests.support.scenario import Scenario, scenario
from tests.support.worker import Worker

SEED = 9
EVENTS_PER_SECOND = 300
SHORT_SECONDS = 30
MOVED_SECONDS_MAX = 60
HALT_SECONDS_MAX = 60
LEFTOVERS = ("LOCK", "CURRENT", "000042.sst", "customers-0.checkpoint")


def leave_behind(data_dir: Path) -> dict[Path, bytes]:
    """Put into a worker's folder what a store of another worker, killed, might leave there."""
    folder = data_dir / "faust" / "tables" / "customers-0.db"
    folder.mkdir(parents=True)
    files = {folder / name: f"phantom of {name}".encode() * 100 for name in LEFTOVERS}
    for file, content in files.items():
        file.write_bytes(content)
    return files


def fill_the_disk_of(pid: int) -> None:
    """Let the process write to no file any more, as if the disk were full."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, 0))


async def test_disks_change_no_row(
    tmp_path: Path, soak_seconds: float, summary: Callable[..., None]
) -> None:
    with EmbeddedKafka(tmp_path / "kafka") as kafka:
        seconds = soak_seconds or SHORT_SECONDS
        async with scenario(kafka.bootstrap, tmp_path, SEED, seconds, EVENTS_PER_SECOND) as plot:
            data_dir = Path(str(plot.corner.settings["data_dir"]))
            leftovers = leave_behind(data_dir)
            one, two = plot.corner.worker("one"), plot.corner.worker("two")  # in one folder
            one.start()
            await one.ready()
            two.start()
            async with plot.load():
                await moved(plot)
                fill_the_disk_of(one.pid)
                await moved(plot)
                one.kill()
                one.start()
                await one.ready()  # a worker that starts while Kafka is away ends and says so
                await moved(plot)
                await full_broker(kafka)
                await moved(plot)
            await end(plot, one, two)
    assert {file: file.read_bytes() for file in data_dir.rglob("*") if file.is_file()} == leftovers
    summary("F9 disks", **plot.figures())
    plot.check()


async def moved(plot: Scenario) -> None:
    await plot.audit.moved(time(), MOVED_SECONDS_MAX)


async def full_broker(kafka: EmbeddedKafka) -> None:
    """Fill the broker's disk, which makes it halt, and start it with room again."""
    fill_the_disk_of(kafka.pid)
    async with asyncio.timeout(HALT_SECONDS_MAX):
        while kafka.is_running():
            await asyncio.sleep(0.1)
    await asyncio.to_thread(kafka.start)


async def end(plot: Scenario, *workers: Worker) -> None:
    for worker in workers:
        assert await worker.stop() == 0, worker.told("did not end well")
    await plot.audit.read()
