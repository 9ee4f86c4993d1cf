"""The pages for SREs name settings, commands and files that there are."""

import re
from pathlib import Path

import pytest

from streamer.cli import COMMANDS
from streamer.settings import Settings

ROOT = Path(__file__).parents[3]
PAGES = {name: (ROOT / "docs" / name).read_text() for name in ("operations.md", "runbooks.md")}


@pytest.mark.parametrize("page", PAGES)
def test_settings_are_ours(page: str) -> None:
    named = set(re.findall(r"\bSTREAMER_([A-Z_]+)\b", PAGES[page]))
    assert named
    assert named <= {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_files_are_there(page: str) -> None:
    code = re.findall(r"`([^`]+)`", PAGES[page])
    commands = {span.split()[1] for span in code if span.startswith("streamer ")}
    assert commands
    assert commands <= COMMANDS.keys()
    paths = {
        span for span in code if re.fullmatch(r"(deploy|docs|streamer|tests|schemas)/\S*", span)
    }
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path
