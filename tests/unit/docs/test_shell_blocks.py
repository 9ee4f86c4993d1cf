"""Commands in the documentation: run by a test, or said why not; no option that is not there."""

import re
import shlex
from typing import Any

import pytest

from streamer.cli import COMMANDS, load
from tests.support.shell import NOT_RUN, PAGES, ROOT, RUN_ELSEWHERE, blocks

SPAN = re.compile(r"(?<!`)`(streamer [^`]+)`(?!`)")
MARKED = [block for page in PAGES for block in blocks(page) if block.note is not None]
WORDS_THAT_END = {"|", ">", "&&", "#"}


def test_there_are_blocks_to_look_at() -> None:
    assert sum(len(blocks(page)) for page in PAGES) > 20
    assert len(MARKED) > 5


@pytest.mark.parametrize("block", MARKED, ids=lambda block: f"{block.page}: {block.note}")
def test_a_block_that_is_not_run_says_why_and_what_is_tested_instead(block: Any) -> None:
    told = RUN_ELSEWHERE.fullmatch(block.note) or NOT_RUN.fullmatch(block.note)
    assert told, block.note
    for where in told["where"].split(", "):
        assert (ROOT / where).exists(), where


def commands() -> list[tuple[str, str]]:
    """Return page and text of every command of streamer's that a page names."""
    found = []
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        lines = [line for block in blocks(page) for line in block.text.splitlines()]
        typed = [line for line in lines if line.startswith("streamer ")]
        found += [(page.name, " ".join(one.split())) for one in [*SPAN.findall(text), *typed]]
    return found


@pytest.mark.parametrize(("page", "command"), commands())
def test_a_command_and_its_options_are_there(page: str, command: str) -> None:
    _, name, *rest = shlex.split(command.removesuffix("\\"), comments=True)
    if name.isupper() or name.startswith("-"):
        return
    assert name in COMMANDS
    found = load(name)
    while rest and rest[0] in getattr(found, "commands", {}):
        found = found.commands[rest.pop(0)]
    known = {option for one in found.params for option in [*one.opts, *one.secondary_opts]}
    for word in rest:
        if word in WORDS_THAT_END:
            break
        if word.startswith("--"):
            assert word.partition("=")[0] in known | {"--help"}
