"""`streamer programme` and `streamer experiments`, of the file that a replay has written."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from streamer.cli import app
from streamer.cli.measuring import NoMeasureError
from streamer.serdes.measures import UnreadableMeasureError
from tests.support.schemas import load

EXAMPLES = load("programme-measure.json")["examples"][1:]
RATED = next(example for example in EXAMPLES if example["measure"] == "ratings")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "programme-measures.jsonl"
    path.write_text("".join(json.dumps(example) + "\n" for example in EXAMPLES))
    return path


def run(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments, catch_exceptions=True)
    if result.exception:
        raise result.exception
    return result.output


def test_the_base_is_shown_by_month_and_cohort(file: Path) -> None:
    lines = [line.split() for line in run("programme", "--file", str(file)).splitlines()]
    assert ["all", "4", "75.0%", "8", "50.00", "812.50"] in lines
    assert ["2026-02", "2", "1", "33.3%", "66.7%", "2", "100.00", "50.00"] in lines
    assert ["2026-03*", "3", "0", "100.0%", "0.0%", "3", "150.00", "50.00"] in lines
    assert ["2026-01", "3", "66.7%", "50.00", "850.00", "33.3%", "66.7%*"] in lines
    assert ["all", "4", "900.00", "225.00", "3.61", "270.83", "45.83"] in lines
    assert not any(line[:1] == ["2025-04"] for line in lines), "nothing happened then"


def test_a_channel_below_the_target_is_said(file: Path) -> None:
    dear = {**EXAMPLES[0]["acquisition"], "ltv_to_cac": 2.5, "ltv_below_target": True}
    file.write_text(json.dumps({**EXAMPLES[0], "acquisition": dear}))
    assert "2.50" in run("programme", "--file", str(file))
    assert "below target" in run("programme", "--file", str(file))
    file.write_text(json.dumps({**EXAMPLES[0], "acquisition": None}))
    assert "acquisition" not in run("programme", "--file", str(file))


def test_what_needs_a_review_is_shown_first(file: Path) -> None:
    fine = {**RATED, "rated": "product:a", "low_share_low": 0.1, "needs_review": False}
    file.write_text(json.dumps(fine) + "\n" + json.dumps(RATED))
    lines = [
        line.split() for line in run("programme", "--ratings", "--file", str(file)).split("\n")
    ]
    worst = ["p-1", "20", "2.90", "9", "45%", "26%", "to", "66%", "needs", "review"]
    assert lines[1:3] == [worst, ["a", "20", "2.90", "9", "45%", "10%", "to", "66%"]]
    told = json.loads(run("programme", "--ratings", "--json", "--file", str(file)))
    assert told == [fine, RATED]
    file.write_text(json.dumps(EXAMPLES[0]))
    with pytest.raises(NoMeasureError, match="no rating"):
        run("programme", "--ratings", "--file", str(file))


def test_experiments_say_what_is_not_significant(file: Path) -> None:
    text = run("experiments", "free-shipping", "--file", str(file))
    lines = [line.split() for line in text.splitlines()]
    assert ["retention", "30.00", "%", "36.00", "%", "+6.00", "-0.56", "to", "+12.56", "not",
            "significant"] in lines  # fmt: skip
    assert ["LTV", "14,", "12", "customers", "too", "little", "data"] in lines


def test_arms_that_cannot_be_believed_are_said_first(file: Path) -> None:
    measure = {**EXAMPLES[1], "trustworthy": False, "unplanned_arms": {"other": 7}}
    file.write_text(json.dumps(measure))
    text = run("experiments", "--file", str(file))
    assert "not of the sizes they should be (control 2,000, offer 2,000)" in text
    assert "not planned, so not compared: other 7" in text


@pytest.mark.parametrize(("command", "place"), [("programme", 0), ("experiments", 1)])
def test_json_is_what_was_published(file: Path, command: str, place: int) -> None:
    assert json.loads(run(command, "--file", str(file), "--json")) == [EXAMPLES[place]]


@pytest.mark.parametrize(
    "arguments", [("programme", "--group", "nobody"), ("experiments", "nothing")]
)
def test_what_is_not_there_is_said(file: Path, arguments: tuple[str, ...]) -> None:
    with pytest.raises(NoMeasureError, match=r"nobody|nothing"):
        run(*arguments, "--file", str(file))


def test_files_that_are_no_measures_are_refused(file: Path) -> None:
    with pytest.raises(NoMeasureError, match="cannot be read"):
        run("programme", "--file", str(file) + "x")
    file.write_text("{}\n")
    with pytest.raises(UnreadableMeasureError, match="no measure"):
        run("programme", "--file", str(file))
    file.write_text("")
    with pytest.raises(NoMeasureError, match="no programme measure"):
        run("programme", "--file", str(file))
