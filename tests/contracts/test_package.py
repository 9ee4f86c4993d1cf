"""The wheel, installed where nothing else of this repository is: all that it needs is in it."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from email import message_from_string
from email.message import Message
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
EVENT = {
    "event_id": "e1",
    "type": "purchase",
    "customer_id": "ann",
    "occurred_at": "2026-08-01T10:00:00Z",
    "order_id": "o1",
    "amount": "40.00",
    "currency": "USD",
}


class Installed(NamedTuple):
    """A virtual environment with the wheel; its dependencies are those of this one."""

    wheel: Path
    python: Path
    elsewhere: Path
    """A folder from which nothing of the repository can be reached."""

    def run(self, *arguments: object) -> str:
        """Return what ``streamer`` says, called as its script is."""
        return self._output(self.python.with_name("streamer"), *arguments)

    def say(self, code: str) -> str:
        return self._output(self.python, "-c", code)

    def _output(self, *command: object) -> str:
        variables = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            [*map(str, command)],
            cwd=self.elsewhere,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--quiet", "--no-input", *map(str, arguments)]
    subprocess.run(command, check=True, cwd=ROOT)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("package")
    offline = ("--no-deps", "--no-index")  # the build backend is here, too: nothing is asked for
    pip("wheel", *offline, "--no-build-isolation", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    pip("--python", python, "install", *offline, wheel)
    # Behind the wheel's own: a .pth file's folder is searched, but its .pth files are not, so the
    # editable install of this repository stays out.
    (packages,) = (folder / "venv").glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "elsewhere").mkdir()
    return Installed(wheel, python, folder / "elsewhere")


def metadata(installed: Installed) -> Message:
    with ZipFile(installed.wheel) as wheel:
        (name,) = (one for one in wheel.namelist() if one.endswith(".dist-info/METADATA"))
        return message_from_string(wheel.read(name).decode())


def test_it_is_the_wheel_that_runs_and_it_knows_its_version(installed: Installed) -> None:
    place = installed.say("import streamer; print(streamer.__file__)").strip()
    assert Path(place).is_relative_to(installed.python.parents[1])
    assert installed.run("--version") == f"streamer {version('streamer')}\n"
    assert " replay " in installed.run("--help")


def test_it_scores_a_file(installed: Installed) -> None:
    events = installed.elsewhere / "events.jsonl"
    events.write_text(json.dumps(EVENT) + "\n")
    told = json.loads(installed.run("replay", events, "--out", "scores", "--json"))
    assert (told["events"], told["scores"], told["dead_letters"]) == (1, 1, 0)
    updates = installed.elsewhere / "scores" / "ltv-updates.jsonl"
    assert '"historic_clv":"40.00"' in updates.read_text()


def files_of(folder: Path) -> set[str]:
    """Return the paths of all below ``folder`` that git would keep."""
    kept = (
        path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )
    return {str(path.relative_to(folder.parent)) for path in kept}


def test_the_page_the_schemas_and_all_other_files_are_in_it(installed: Installed) -> None:
    with ZipFile(installed.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    schemas = {f"streamer/{path}" for path in files_of(ROOT / "schemas")}
    assert held == files_of(ROOT / "streamer") | schemas
    assert "streamer/py.typed" in held


def test_it_serves_the_page_and_describes_the_api(installed: Installed) -> None:
    code = """
import json
from aiohttp import web
from streamer.web import page
from streamer.web.openapi import document
from streamer.web.site import ROUTES
application = web.Application()
page.mount(application.router)
paths = [resource.canonical for resource in application.router.resources()]
print(json.dumps([paths, document(ROUTES, "1", guarded=False)]))
"""
    paths, described = json.loads(installed.say(code))
    static = ROOT / "streamer" / "web" / "page" / "static"
    assert len(paths) == len(files_of(static))
    assert {"/", "/page/main.js", "/page/vendor/uPlot.js"} <= set(paths)
    assert "/v1/customers/{customer_id}" in described["paths"]


def test_what_it_says_of_itself_is_true_and_of_no_machine(installed: Installed) -> None:
    told = metadata(installed)
    assert told["License-Expression"] == "Apache-2.0"
    assert "LICENSE" in told.get_all("License-File", [])
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    assert "Typing :: Typed" in told.get_all("Classifier", [])
    assert str(ROOT) not in told.as_string()
    assert not [need for need in told.get_all("Requires-Dist", []) if "@" in need or "/" in need]
    with ZipFile(installed.wheel) as wheel:
        entries = wheel.namelist()
        assert not [name for name in entries if str(ROOT).encode() in wheel.read(name)]
