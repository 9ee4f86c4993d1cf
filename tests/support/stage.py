"""One test's own corner of a shared Kafka: its topics, its workers, their settings."""

import json
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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

    def worker(self, name: str, **settings: object) -> Worker:
        """Return a worker, not started, that keeps its partitions over restarts."""
        worker = Worker(name, {**self.settings, "instance_id": name, **settings}, self.folder)
        self._workers.append(worker)
        return worker

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
        corner.create_topics()
        yield corner
    finally:
        corner.close()
