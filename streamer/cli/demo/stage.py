"""What the demo runs: Kafka and one worker, and their end with it."""

import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from aiokafka.admin import AIOKafkaAdminClient

from streamer.broker.leash import Leash
from streamer.broker.ports import free_ports
from streamer.engine.clients import connection
from streamer.errors import StreamerError
from streamer.security import UNSECURED
from streamer.settings import Settings

HOST = "127.0.0.1"
PREFIX = "demo-"
READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
ANSWER_SECONDS_MAX = 5.0
POLL_SECONDS = 0.05
LOG_LINES_SHOWN = 8


class DemoError(StreamerError):
    """The demo cannot go on."""


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second demo out of ``folder``, which is made if absent."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("wb")
    except OSError as error:
        raise DemoError(
            f"{folder} cannot be written ({error.strerror}): set STREAMER_DATA_DIR."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise DemoError(
                f"a demo runs in {folder} already: wait for its end, or set STREAMER_DATA_DIR."
            ) from None
        yield


CDNOW: Mapping[str, object] = {"referral_programme": True, "reporting_currency": "USD"}
"""What the demo sets for the shop that comes with it; for a shop's own file its settings hold."""


def overrides(bootstrap: str) -> dict[str, object]:
    """Return the settings that one run has of its own: topics, group, port, time by the events."""
    run = f"{PREFIX}{datetime.now(UTC):%Y%m%d-%H%M%S}"
    (port,) = free_ports(HOST, 1)
    return {
        **UNSECURED,
        "brokers": bootstrap,
        "topic_prefix": f"{run}.",
        "group_id": run,
        "instance_id": "",
        "processes": 1,
        "replication_factor": 1,
        "create_topics": True,
        "http_host": HOST,
        "http_port": port,
        # By the wall clock all customers of an old file are long gone; CDNOW's ends in June 1998.
        "clock": "stream",
        "emit": "latest",
        "rescore_per_second": 50_000,
    }


async def delete_old_topics(settings: Settings) -> int:
    """Delete the topics of earlier runs and return how many there were."""
    admin = AIOKafkaAdminClient(**connection(settings))
    try:
        await admin.start()
        old = [
            topic
            for topic in await admin.list_topics()
            if topic.startswith(PREFIX) and not topic.startswith(settings.topic_prefix)
        ]
        if old:
            await admin.delete_topics(old)
        return len(old)
    finally:
        await admin.close()


def remove_deleted(data_dir: Path) -> None:
    """Remove what topics deleted by the last run have left in ``data_dir``.

    Kafka does so a minute after it deletes a topic, or starts: no run of the demo lasts so long.
    """
    for folder in data_dir.glob(f"storage/{PREFIX}*-delete"):
        shutil.rmtree(folder)


class DemoWorker:
    """A worker in a process of its own that ends with this one; a context manager.

    Args:
        settings: what it has of its own, by name.
        folder: where its log goes.
    """

    def __init__(self, settings: Mapping[str, object], folder: Path) -> None:
        self._settings = {
            f"STREAMER_{name.upper()}": str(value) for name, value in settings.items()
        }
        self.address = f"http://{settings['http_host']}:{settings['http_port']}"
        self.log_file = folder / "worker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None

    def __enter__(self) -> Self:
        command = [sys.executable, "-c", "from streamer.cli import main; main()", "worker"]
        with self.log_file.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this very program, no shell
                command,
                env={**os.environ, **self._settings},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A Ctrl-C in the terminal is for this process, which then stops the worker.
                start_new_session=True,
            )
        self._leash = Leash(self._process.pid)
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._leash is not None:
            self._leash.release()

    def wait_until_ready(self) -> None:
        """Block until it has its partitions.

        Raises:
            DemoError: it ended, or takes too long.
        """
        deadline = time.monotonic() + READY_SECONDS_MAX
        while True:
            self.check()
            try:
                self._get("/readyz")
            except (URLError, OSError):
                time.sleep(POLL_SECONDS)
            else:
                return
            if time.monotonic() > deadline:
                raise self._failure(f"is not ready within {READY_SECONDS_MAX:.0f} s")

    def metrics(self) -> str:
        """Return what it tells Prometheus.

        Raises:
            DemoError: it has ended.
        """
        try:
            return self._get("/metrics")
        except (URLError, OSError):
            self.check()
            raise self._failure("does not answer") from None

    def check(self) -> None:
        """Raise DemoError if the process has ended."""
        if self._process is None or self._process.poll() is not None:
            raise self._failure("ended by itself")

    def _get(self, path: str) -> str:
        with urlopen(self.address + path, timeout=ANSWER_SECONDS_MAX) as answer:  # noqa: S310 - http, our own
            return str(answer.read().decode())

    def _failure(self, what: str) -> DemoError:
        lines = self.log_file.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
        return DemoError(
            f"the worker {what}: put right what its log says, {self.log_file}, and start again.\n"
            + "\n".join(lines)
        )
