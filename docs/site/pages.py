"""The pages that people write, with their links as the site needs them."""

import posixpath
import re
from pathlib import Path, PurePosixPath

FROM_ROOT = ("ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")
KINDS = (".md", ".png")
LINK = re.compile(r"(?<!`)(!?\[[^\]]*\])\(([^)#\s]*)(#[^)\s]*)?\)")
SCHEME = re.compile(r"^[a-z]+:")


def pages(root: Path) -> dict[str, bytes]:
    """Return path on the site → content, of docs/ and of the pages at the top."""
    docs = root / "docs"
    found = {name: root / name for name in FROM_ROOT}
    found |= {
        file.relative_to(docs).as_posix(): file
        for file in sorted(docs.rglob("*"))
        if file.suffix in KINDS
    }
    return {path: _content(path, file, root, found) for path, file in found.items()}


def _content(path: str, file: Path, root: Path, found: dict[str, Path]) -> bytes:
    if file.suffix != ".md":
        return file.read_bytes()
    places = {known.relative_to(root).as_posix(): on_site for on_site, known in found.items()}
    here = file.relative_to(root).parent.as_posix()

    def linked(match: re.Match[str]) -> str:
        label, target, anchor = match[1], match[2], match[3] or ""
        if not target or SCHEME.match(target):
            return match[0]
        aim = posixpath.normpath(posixpath.join(here, target))
        if aim in places:
            start = str(PurePosixPath(path).parent)
            return f"{label}({posixpath.relpath(places[aim], start)}{anchor})"
        if (root / aim).exists():  # code, which the site does not hold
            return f"{label.strip('![]')} (`{aim}`)"
        return match[0]  # for the builder to complain about

    return LINK.sub(linked, file.read_text(encoding="utf-8")).encode()
