"""The table of docs/rows/README.md names what is there, and all of it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from streamer.cli import COMMANDS

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "rows"
ROWS = [f"V{number}" for number in range(1, 20)]
SCHEMA_OF = {
    "ltv-updates": "ltv-update.json",
    "churn-risk-updates": "churn-risk-update.json",
    "segment-changes": "segment-change.json",
    "recommended-actions": "recommended-actions.json",
    "programme-measures": "programme-measure.json",
}
CHECK = "modelCheck"
"""The part of common.json that has figures of its own: how good a model was."""
COMMON = {
    "score_id", "customer_id", "as_of", "scored_at", "model_version", "schema_version", "cause",
    "events_seen", "revision", "reasons", "null_reasons", "currency", "horizon_days",
    "interval_level", "measure", "measured_at",
}  # fmt: skip


def table() -> dict[str, list[str]]:
    """Return the cells of each row but the first, by row."""
    lines = (PAGES / "README.md").read_text(encoding="utf-8").splitlines()
    cells = [line.strip("| ").split(" | ") for line in lines if re.match(r"\| \[?V\d", line)]
    return {first.strip("[]").partition("]")[0]: rest for first, *rest in cells}


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def wire(cell: str) -> dict[str, set[str]]:
    """Return the fields that a cell names, by topic."""
    found = {}
    for part in filter(lambda part: "`:" in part, cell.split("; ")):
        topic, *fields = quoted(part)
        found[topic] = set(fields)
    return found


def properties(schema: Any) -> set[str]:
    """Return the names of all properties in ``schema``, however deep."""
    if isinstance(schema, list):
        return set().union(*map(properties, schema))
    if not isinstance(schema, dict):
        return set()
    own = schema.get("properties", {})
    inner = [part for name, part in schema.items() if name != "examples"]
    if schema.get("$ref") == f"common.json#/$defs/{CHECK}":
        inner.append(read("common.json")["$defs"][CHECK])
    return set(own).union(*map(properties, inner))


def read(file: str) -> Any:
    return json.loads((ROOT / "schemas" / file).read_text(encoding="utf-8"))


def fields_of(topic: str) -> set[str]:
    schema = read(SCHEMA_OF[topic])
    inputs = {"input"} if topic in {"ltv-updates", "churn-risk-updates"} else set()
    return properties(schema) | inputs


def test_every_row_is_in_the_table_once() -> None:
    assert list(table()) == ROWS


@pytest.mark.parametrize("row", ROWS)
def test_what_the_table_names_is_there(row: str) -> None:
    _, code, fields, command, tests = table()[row]
    text = (PAGES / f"{row.lower()}.md").read_text(encoding="utf-8")
    assert text.startswith(f"# {row}")
    assert f"({row.lower()}.md)" in (PAGES / "README.md").read_text(encoding="utf-8")
    for path in [*quoted(code), *quoted(tests)]:
        assert (ROOT / path).exists(), path
    assert quoted(code)
    assert quoted(tests)
    for name in quoted(command):
        assert name.removeprefix("streamer ") in COMMANDS, name
    for topic, named in wire(fields).items():
        assert named <= fields_of(topic), (topic, named - fields_of(topic))


@pytest.mark.parametrize("topic", SCHEMA_OF)
def test_every_field_of_a_topic_is_in_the_table(topic: str) -> None:
    named = set().union(*(wire(cells[2]).get(topic, set()) for cells in table().values()))
    assert fields_of(topic) - COMMON - named == set()
