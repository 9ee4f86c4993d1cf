"""`streamer ideal`, of the file that a replay has written."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamer.cli import app
from streamer.cli.measuring import NoMeasureError
from tests.support.schemas import load

EXAMPLE = next(
    example
    for example in load("programme-measure.json")["examples"]
    if example["measure"] == "ideal_profile"
)


def run(folder: Path, measure: dict[str, Any], *arguments: str) -> str:
    file = folder / "programme-measures.jsonl"
    file.write_text(json.dumps(measure) + "\n")
    result = CliRunner().invoke(app, ("ideal", "--file", str(file), *arguments))
    if result.exception:
        raise result.exception
    return result.output


def test_lifts_are_shown_with_their_intervals(tmp_path: Path) -> None:
    text = run(tmp_path, EXAMPLE)
    lines = [line.split() for line in text.splitlines()]
    assert "100 customers worth 812.75 USD or more" in text
    assert ["channel", "640", "64.0%"] in lines
    assert ["email", "40", "4.0%", "12.0%", "3.00", "1.81", "to", "4.54", "more", "often"] in lines
    assert [
        "search",
        "600",
        "60.0%",
        "30.0%",
        "0.50",
        "0.35",
        "to",
        "0.70",
        "less",
        "often",
    ] in lines


def test_lines_fit_a_terminal(tmp_path: Path) -> None:
    assert max(map(len, run(tmp_path, EXAMPLE).splitlines())) <= 80


def test_without_a_profile_the_reason_is_said(tmp_path: Path) -> None:
    fields = ("top_customers", "top_value", "traits")
    nulls = dict.fromkeys(fields, "too_few_customers")
    text = run(tmp_path, {**EXAMPLE, **dict.fromkeys(fields), "null_reasons": nulls})
    assert "no profile: the top tenth has fewer than 10 customers" in text


def test_json_is_what_was_published(tmp_path: Path) -> None:
    assert json.loads(run(tmp_path, EXAMPLE, "--json")) == EXAMPLE


def test_what_is_not_published_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoMeasureError, match="no ideal customer profile"):
        run(tmp_path, load("programme-measure.json")["examples"][1])
