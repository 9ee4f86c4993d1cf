"""Every command of README and docs, typed as a reader would, page by page, on a broker of its own.

Only ports differ, and what is set up once (`make setup`). Blocks that say in a comment why they
are not run, or where else, are left to `tests/unit/docs/test_shell_blocks.py`.
"""

import csv
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from streamer.broker.leash import Leash
from streamer.broker.ports import free_ports
from tests.support.shell import PAGES, ROOT, Block, blocks
from tests.support.worker import STREAMER, environment

SECONDS_MAX = 150
STAYS = re.compile(r"^streamer (broker|worker)\b.*$", re.MULTILINE)
LISTENS = re.compile(r"^curl -N (.*)$", re.MULTILINE)
ORDER = ("docs/tutorial.md", "docs/http.md", "docs/adapters.md", "README.md")
"""A reader's way; the other pages come in any order after it."""

SHOP = "streamer simulate --customers 300 --days 320 --experiment-rate 0.8 --channels 2"
CUSTOMERS = 300
DAYS_AGO = 330
"""Where the live shop begins: experiments are told of exposures of the last twelve months."""


class Terminal:
    """A reader's shell in a folder of its own."""

    def __init__(self, folder: Path, opened: ExitStack) -> None:
        self.folder = folder
        self._opened = opened
        self._kafka, self._http = free_ports("127.0.0.1", 2)
        self._running: dict[str, ExitStack] = {}
        self._variables = environment({"brokers": f"127.0.0.1:{self._kafka}"})
        self._variables["PATH"] = f"{STREAMER.parent}:/usr/local/bin:/usr/bin:/bin"
        self.typed: list[str] = []

    def type(self, block: Block) -> str:
        """Run a block and return what it prints; what stays is left running, once it is ready."""
        text = self._local(block.text)
        self.typed.append(text)
        stays = STAYS.search(text)
        if stays:
            self._start(stays[1], text)
            return ""
        if "streamer ideal" in text:  # published some seconds after all are scored anew
            until(lambda: int(str(self.get("overview")["predicted_customers"])) > CUSTOMERS)
            until(self._valued)
            return self._run_when_told(text)
        return self.run(LISTENS.sub(r"(curl -sSN --max-time 2 \1) || test $? = 28", text))

    def run(self, text: str) -> str:
        """Run commands to their end."""
        done = self._done(text)
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def _run_when_told(self, text: str) -> str:
        """Run commands again until what they show is there: a fit takes it back for a while."""
        told: list[str] = []

        def works() -> bool:
            done = self._done(text)
            told.append(done.stdout)
            return done.returncode == 0

        until(works)
        return told[-1]

    def _valued(self) -> bool:
        return " of 0 customers" not in " ".join(self.run("streamer programme").split())

    def _done(self, text: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["sh", "-euc", text], cwd=self.folder, env=self._variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS_MAX, check=False,
        )  # fmt: skip

    def _local(self, text: str) -> str:
        """Return commands with the ports of this test, and without what has been set up."""
        text = text.replace("make setup\n", "").replace('export PATH="$PWD/.venv/bin:$PATH"\n', "")
        text = text.replace("127.0.0.1:9092", f"127.0.0.1:{self._kafka}")
        text = text.replace("127.0.0.1:6066", f"127.0.0.1:{self._http}")
        text = text.replace("streamer broker ", f"streamer broker --port {self._kafka} ")
        return text.replace("streamer erase ", "streamer erase --yes ")  # it asks at a terminal

    def _start(self, what: str, text: str) -> None:
        """Leave the block's last command running."""
        if what in self._running:  # with other settings: a reader would stop it with Ctrl-C
            self._running.pop(what).close()
        log = self.folder / f"{what}-{len(self.typed)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                ["sh", "-euc", STAYS.sub(lambda found: f"exec {found[0]}", text)],
                cwd=self.folder, env={**self._variables, "STREAMER_HTTP_PORT": str(self._http)},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        self._running[what] = self._opened.enter_context(ExitStack())
        self._running[what].callback(self._end, process, Leash(process.pid))

        def is_up() -> bool:
            assert process.poll() is None, log.read_text()
            return "ready " in log.read_text() if what == "broker" else self._answers("/readyz")

        until(is_up)

    def _end(self, process: "subprocess.Popen[bytes]", leash: Leash) -> None:
        process.terminate()
        process.wait(30)
        leash.release()

    def _answers(self, path: str) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._http}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def get(self, path: str) -> dict[str, object]:
        """Return what the API answers."""
        with urlopen(f"http://127.0.0.1:{self._http}/v1/{path}", timeout=5) as answer:
            found: dict[str, object] = json.load(answer)
            return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS_MAX
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@contextmanager
def terminal(folder: Path) -> Iterator[Terminal]:
    with ExitStack() as opened:
        yield Terminal(folder, opened)


def open_shop(reader: Terminal) -> None:
    """Give the reader the shop that the README takes for granted, on Kafka and as a file."""
    start = datetime.now(UTC).date() - timedelta(DAYS_AGO)
    reader.run(f"{SHOP} --start {start} | sed s/channel-0/email/g | streamer send -")
    reader.run(f"{SHOP} > shop.jsonl")  # of 2025, as the days of the README
    events = map(json.loads, (reader.folder / "shop.jsonl").read_text().splitlines())
    with (reader.folder / "orders.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer", "date", "amount"])
        rows.writerows(
            (event["customer_id"], event["occurred_at"], event["amount"])
            for event in events
            if event["type"] == "purchase"
        )
    until(lambda: int(str(reader.get("overview")["customers"])) > CUSTOMERS)
    until(lambda: bool(reader.get("experiments").get("experiments")))


@pytest.mark.timeout(900)
def test_every_command_of_the_documentation_works(tmp_path: Path) -> None:
    pages = {page.relative_to(ROOT).as_posix(): blocks(page) for page in PAGES}
    told: dict[str, str] = {}
    with terminal(tmp_path) as reader:
        for name in [*ORDER, *sorted(pages.keys() - set(ORDER))]:
            if name == "README.md":
                open_shop(reader)
            told[name] = "".join(reader.type(block) for block in pages[name] if not block.note)
    assert "60.00 USD" in told["docs/tutorial.md"]
    assert '"risk_band"' in told["docs/tutorial.md"]
    assert '"historic_clv":"60.00"' in told["docs/http.md"].replace(" ", "")
    assert '"accepted":1,"refused":1' in told["docs/http.md"].replace(" ", "")
    assert "450.00 USD per customer: 222 customers" in told["README.md"]
    assert "free-shipping" in told["README.md"]
    assert "published" in told["README.md"]
    assert (tmp_path / "backtest.png").stat().st_size > 10_000
    assert (tmp_path / "scores" / "ltv-updates.jsonl").read_text().count("1034.50")
    assert "erased" in told["docs/erasure.md"]
