"""The examples of docs/: fenced blocks, played as they stand."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from streamer.records.instants import from_datetime
from streamer.records.models import ModelParams
from streamer.replay import Replay
from streamer.settings import Settings

ROWS = Path(__file__).parents[2] / "docs" / "rows"
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def blocks(page: str, language: str) -> list[str]:
    """Return the page's fenced blocks of a language."""
    text = (ROWS / page).read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def lines(block: str) -> list[dict[str, Any]]:
    """Return the objects of a block of JSON lines."""
    return [json.loads(line) for line in block.splitlines()]


def replayed(
    events: str, until: datetime, model: ModelParams | None = None, **settings: Any
) -> dict[str, list[dict[str, Any]]]:
    """Return what a replay of ``events``, JSON lines, writes."""
    out: dict[str, list[dict[str, Any]]] = {}

    def write(name: str, line: bytes) -> None:
        out.setdefault(name, []).append(json.loads(line))

    replay = Replay(Settings(partitions=1, **settings), NOW, "test", write, model)
    for line in events.splitlines():
        replay.take(line.encode())
    replay.run_silence(from_datetime(until))
    replay.flush()
    return out
