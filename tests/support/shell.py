"""Shell blocks of the documentation, and what is told about them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r"^(?:<!-- (?P<note>[^\n]*?) -->\n)?```(?P<kind>sh|console)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
RUN_ELSEWHERE = re.compile(r"run by (?P<where>\S+(?:, \S+)*)")
NOT_RUN = re.compile(r"not run: needs [^;]+; (?P<where>tests/\S+) .+")


class Block(NamedTuple):
    """Commands of one page, as a reader would type them."""

    page: str
    text: str
    note: str | None
    """Why they are not run with the others, or where else."""


def blocks(page: Path) -> list[Block]:
    """Return the shell blocks of a page in their order; of a console's the commands only."""
    name = page.relative_to(ROOT).as_posix()
    found = BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(name, _typed(match["kind"], match["text"]), match["note"]) for match in found]


def _typed(kind: str, text: str) -> str:
    if kind == "sh":
        return text
    lines = [line.removeprefix("$ ") for line in text.splitlines() if line.startswith("$ ")]
    return "".join(f"{line}\n" for line in lines)
