"""Puts the site's sources together in build/docs: the pages as they are, and a reference from code.

The reference is made at each build and stands nowhere else, so that it cannot be out of date.
"""

import shutil
import sys
from pathlib import Path

from docs.site.pages import pages
from docs.site.reference import commands, http, metrics, settings, wire

ROOT = Path(__file__).parents[2]
REFERENCE = {
    "commands": commands,
    "settings": settings,
    "wire": wire,
    "metrics": metrics,
    "http": http,
}


def assemble(folder: Path) -> None:
    """Write all sources of the site into ``folder``, in place of what is there."""
    shutil.rmtree(folder, ignore_errors=True)
    for path, text in pages(ROOT).items():
        _write(folder / path, text)
    for name, page in REFERENCE.items():
        _write(folder / "reference" / f"{name}.md", page().encode())


def _write(file: Path, text: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text)


if __name__ == "__main__":
    assemble(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "docs")
