"""`streamer` as a black box: its commands, and workers that can be killed, frozen and awaited."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from streamer.broker.leash import Leash
from streamer.broker.ports import free_ports

STREAMER = Path(sys.executable).with_name("streamer")
POLL_SECONDS = 0.05
# A wait ends with what it waits for: that these are long costs nothing, and a busy machine is slow.
READY_SECONDS_MAX = 90
STOP_SECONDS_MAX = 60
ANSWER_SECONDS_MAX = 20
LOG_LINES_SHOWN = 25


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """Return this process's environment with these settings of streamer's and no others."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("STREAMER_")}
    return own | {f"STREAMER_{name.upper()}": str(value) for name, value in settings.items()}


class Worker:
    """One worker process, which may be started again and again; a context manager.

    Its output goes to a file, all of its lives one after the other.
    """

    def __init__(self, name: str, settings: Mapping[str, object], folder: Path) -> None:
        self.name = name
        (self.port,) = free_ports("127.0.0.1", 1)
        self._settings = {**settings, "http_port": self.port}
        self._folder = folder
        self.log_file = folder / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._leash: Leash | None = None
        self.lives = 0
        """How often it was started."""
        self.started_at = 0.0
        """Unix time of the last start."""
        self.may_leave = False
        """Whether it is no surprise if it ends by itself."""
        self.command: list[str | Path] = [STREAMER, "worker"]
        self._told_to_end = False

    # -- the process ------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self._process, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def has_died(self) -> bool:
        """Whether it ended though nobody told it to."""
        expected = self._told_to_end or self.may_leave
        return self.exit_code is not None and not expected

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    def start(self) -> None:
        assert not self.is_running, f"{self.name} runs already"
        self._let_go()
        self._told_to_end = False
        self.lives += 1
        with self.log_file.open("ab") as log:
            self.started_at = time.time()
            self._process = subprocess.Popen(
                self.command,
                cwd=self._folder,  # no .env or streamer.toml of the repository's
                env=environment(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._leash = Leash(self._process.pid)

    def signal(self, number: signal.Signals) -> None:
        assert self.is_running, self.told("is gone, and it should not be")
        os.kill(self.pid, number)

    def kill(self) -> None:
        """Stop it as a crash or the kernel's memory killer does."""
        self._told_to_end = True
        self.signal(signal.SIGKILL)
        assert self._process
        self._process.wait()
        self._let_go()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    async def stop(self, seconds_max: float = STOP_SECONDS_MAX) -> int:
        """Stop it in order and return its exit code."""
        self._told_to_end = True
        self.signal(signal.SIGTERM)
        return await self.ended(seconds_max)

    async def ended(self, seconds_max: float) -> int:
        """Wait for its end and return its exit code."""
        await self._until(lambda: not self.is_running, seconds_max, "has not ended")
        code = self.exit_code
        assert code is not None
        self._let_go()
        return code

    def close(self) -> None:
        """End it, however it is, and whatever it has started itself."""
        if self._process is None:
            return
        for number in (signal.SIGCONT, signal.SIGKILL):
            with suppress(ProcessLookupError):  # its group is its own: start_new_session
                os.killpg(self._process.pid, number)
        self._process.wait()
        self._let_go()

    def _let_go(self) -> None:
        if self._leash is not None:
            self._leash.release()
            self._leash = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- what it says -----------------------------------------------------------------------

    async def get(self, path: str) -> tuple[int, str]:
        """Return status and text of an HTTP answer; 0 where there is none."""
        return await asyncio.to_thread(self._get, path)

    def _get(self, path: str) -> tuple[int, str]:
        try:
            with urlopen(
                f"http://127.0.0.1:{self.port}{path}", timeout=ANSWER_SECONDS_MAX
            ) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            return error.code, error.read().decode()
        except URLError as error:
            return 0, str(error)
        except (OSError, ValueError) as error:
            return 0, str(error)

    async def figures(self) -> dict[str, float]:
        """Return its metrics, summed over their labels; none where it does not answer."""
        status, text = await self.get("/metrics")
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text if status == 200 else ""):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0) + sample.value
        return sums

    @property
    def resident_bytes(self) -> int:
        """Memory it takes now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    async def ready(self, seconds_max: float = READY_SECONDS_MAX) -> float:
        """Wait for /readyz to say yes and return the seconds since the start."""
        deadline = time.monotonic() + seconds_max
        while (await self.get("/readyz"))[0] != 200:
            assert self.is_running, self.told(f"ended with {self.exit_code} before it was ready")
            assert time.monotonic() < deadline, self.told(f"is not ready in {seconds_max:g} s")
            await asyncio.sleep(POLL_SECONDS)
        return time.time() - self.started_at

    @property
    def log(self) -> str:
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def told(self, what: str) -> str:
        """Return `what` with the end of the log, for failing assertions."""
        lines = "\n".join(self.log.splitlines()[-LOG_LINES_SHOWN:])
        return f"{self.name} {what}; {self.log_file} ends with:\n{lines}"

    async def _until(self, holds: Callable[[], bool], seconds_max: float, complaint: str) -> None:
        deadline = time.monotonic() + seconds_max
        while not holds():
            assert time.monotonic() < deadline, self.told(f"{complaint} in {seconds_max:g} s")
            await asyncio.sleep(POLL_SECONDS)
