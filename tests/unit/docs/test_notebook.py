"""The commands and the code of docs/notebook.md, run one after the other as a reader would."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.support.worker import STREAMER, environment

PAGE = Path(__file__).parents[3] / "docs" / "notebook.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@pytest.mark.skipif(
    not (find_spec("polars") and find_spec("pyarrow")), reason="polars or pyarrow is not installed"
)
def test_what_the_page_shows_works(tmp_path: Path) -> None:
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert [kind for kind, _ in blocks] == ["sh", "python", "python", "python"]
    path = f"{STREAMER.parent}:/usr/bin:/bin"
    shell = ["sh", "-euc", "".join(text for kind, text in blocks if kind == "sh")]
    code = [sys.executable, "-c", "".join(text for kind, text in blocks if kind == "python")]
    variables = environment({}) | {"PATH": path, "POLARS_FMT_MAX_COLS": "10"}
    assert "programme-measures.jsonl" in run(shell, tmp_path, variables)
    tables = run(code, tmp_path, variables).split("shape: ")[1:]
    assert len(tables) == 3
    assert "worth so far" in tables[0]
    assert "low" in tables[0]
    assert "win_back_by" in tables[1]
    assert "silence" in tables[2]
    assert "event" in tables[2]


def run(command: list[str], folder: Path, variables: dict[str, str]) -> str:
    """Return what a command prints."""
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
