"""One test's own corner of a shared Kafka: its topics, its workers, their settings."""

import asyncio
import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from streamer.engine.topics import create_topics
from streamer.settings import load_settings
from tests.support.worker import STREAMER, Worker, environment

COMMAND_SECONDS_MAX = 120


class Stage:
    """Names, settings and processes of one test; all workers end with it."""

    def __init__(self, bootstrap: str, folder: Path, settings: dict[str, object]) -> None:
        self.bootstrap = bootstrap
        self.folder = folder
        self.prefix = str(settings.get("topic_prefix", f"t{uuid.uuid4().hex[:8]}."))
        self.partitions = int(str(settings.get("partitions", 4)))
        self.settings: dict[str, object] = {
            "brokers": bootstrap,
            "topic_prefix": self.prefix,
            "group_id": f"{self.prefix}group",
            "partitions": self.partitions,
            "data_dir": folder / "data",
            "session_timeout_seconds": 6,
            **settings,
        }
        self._workers: list[Worker] = []

    def command(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of `streamer` with these settings to its end."""
        return subprocess.run(
            [STREAMER, *arguments],
            cwd=self.folder,
            env=environment(self.settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    def told(self, *arguments: str) -> Any:
        """Return what a command says as JSON."""
        result = self.command(*arguments, "--json")
        assert result.returncode == 0, result.stdout + result.stderr
        return json.loads(result.stdout)

    def create_topics(self) -> str:
        """Make the topics and return what the command says."""
        done = self.command("topics", "create")
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def make_topics(self) -> None:
        """Make the topics as the command does, without the second that a process takes to start."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in [name for name in os.environ if name.startswith("STREAMER_")]:
                patch.delenv(name)
            for name, value in environment(self.settings).items():
                patch.setenv(name, value)
            settings = load_settings()
        with ThreadPoolExecutor(1) as thread:  # the test has an event loop of its own
            thread.submit(asyncio.run, create_topics(settings)).result()

    def worker(self, name: str, **settings: object) -> Worker:
        """Return a worker, not started, that keeps its partitions over restarts."""
        worker = Worker(name, {**self.settings, "instance_id": name, **settings}, self.folder)
        self._workers.append(worker)
        return worker

    def teller(self, name: str = "teller") -> Worker:
        """Return a process that delivers webhooks, not started."""
        teller = self.worker(name)
        teller.command = [STREAMER, "webhooks", "run"]
        return teller

    @property
    def workers(self) -> tuple[Worker, ...]:
        """All that were made."""
        return tuple(self._workers)

    def check_alive(self) -> None:
        """Fail if a worker has died: no waiting helps then."""
        for worker in self._workers:
            assert not worker.has_died, worker.told(f"died with {worker.exit_code}")

    def close(self) -> None:
        for worker in self._workers:
            worker.close()


@contextmanager
def stage(bootstrap: str, folder: Path, **settings: object) -> Iterator[Stage]:
    """Give a stage with its topics made."""
    corner = Stage(bootstrap, folder, settings)
    try:
        corner.make_topics()
        yield corner
    finally:
        corner.close()
