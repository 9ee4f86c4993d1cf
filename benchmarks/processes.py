"""Child processes that end with the block they were started in, however it ends.

Each leads a process group of its own: a Ctrl-C in the terminal reaches only the benchmark, which
then ends the groups one by one. A leash ends the child even when the benchmark is killed with -9.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from benchmarks.errors import BenchmarkError
from streamer.broker.leash import Leash

REPOSITORY = Path(__file__).parents[1]
END_SECONDS_MAX = 15.0
_LOG_LINES_SHOWN = 12


class Child:
    """A running child process and its log."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log_file: Path) -> None:
        self.name = name
        self._process = process
        self._log_file = log_file

    @property
    def pid(self) -> int:
        """The process id, which is the process group's too."""
        return self._process.pid

    def cpu_seconds(self) -> float | None:
        """Return the processor time that it and its children that live have used.

        None where the system does not tell it as Linux does.
        """
        if not Path("/proc/self/stat").exists():
            return None
        return sum(map(_ticks, _family(self.pid))) / os.sysconf("SC_CLK_TCK")

    def check_running(self) -> None:
        """Raise `BenchmarkError` if the process has ended."""
        if self._process.poll() is not None:
            raise self.failure(f"ended by itself with exit code {self._process.returncode}")

    def wait(self, seconds_max: float) -> None:
        """Block until the process has ended well; raise `BenchmarkError` if it does not."""
        try:
            code = self._process.wait(seconds_max)
        except subprocess.TimeoutExpired:
            raise self.failure(f"was not done within {seconds_max:.0f} s") from None
        if code != 0:
            raise self.failure(f"ended with exit code {code}")

    def failure(self, what: str) -> BenchmarkError:
        """Return an error that tells what happened and how the log ends."""
        lines = self._log_file.read_text(errors="replace").splitlines()
        # A worker that fails stops in order, with many a word on it.
        telling = [line for line in lines if "[INFO]" not in line][-_LOG_LINES_SHOWN:]
        return BenchmarkError(
            f"{self.name} {what}: put right what the end of its log says, and run the benchmark "
            "again.\n" + "\n".join(telling)
        )

    def end(self) -> None:
        """End the process group in order, or kill what does not end."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS_MAX)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


@contextmanager
def running(
    name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Child]:
    """Run a command in a folder for the length of the block; its output goes to a log there.

    Args:
        name: What errors call it.
        command: The program and its arguments.
        folder: Its working directory; made if absent.
        environment: What it gets besides this process's own, from which settings of streamer's
            are taken away.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log_file = folder / f"{Path(name).name.replace(' ', '-')}.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_inherited() | dict(environment or {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    child, leash = Child(name, process, log_file), Leash(process.pid)
    try:
        yield child
    finally:
        child.end()
        leash.release()


def run(
    name: str,
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    seconds_max: float = 60.0,
) -> None:
    """Run a command to its end; raise `BenchmarkError` unless it ends well."""
    with running(name, command, folder, environment) as child:
        child.wait(seconds_max)


def module(name: str, order: msgspec.Struct) -> list[str]:
    """Return the command that runs a module of this package with an order as its argument."""
    return [sys.executable, "-m", name, msgspec.json.encode(order).decode()]


def _family(pid: int) -> Iterator[int]:
    """Give a process and all that descend from it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # it has ended meanwhile
            for child in children.read_text().split():
                yield from _family(int(child))


def _ticks(pid: int) -> int:
    """Return the processor time of a process in ticks, in user mode and in the system."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:  # it has ended meanwhile
        return 0
    # Behind the name in parentheses, which may hold spaces.
    return sum(map(int, stat.rpartition(")")[2].split()[11:13]))


def _inherited() -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("STREAMER_")}
    paths = filter(None, (str(REPOSITORY), kept.get("PYTHONPATH")))
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
