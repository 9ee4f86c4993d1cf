import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamer import cli
from streamer.errors import StreamerError
from streamer.files import cdnow_sample, read_lines


def run(*arguments: object, stdin: bytes | None = None) -> Any:
    return CliRunner().invoke(cli.app, ["fit", *map(str, arguments)], input=stdin)


def fitted(*arguments: object, stdin: bytes | None = None) -> Any:
    result = run(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.exception
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # no .env and no streamer.toml of the developer's


def test_a_fit_is_given_as_json() -> None:
    fit = fitted(cdnow_sample(), "--model", "bg_nbd", "--calibration-end", "1997-09-30")
    assert list(fit["parameters"]) == list(fit["standard_errors"]) == ["r", "alpha", "a", "b"]
    assert fit["parameters"]["alpha"] == pytest.approx(4.4136, abs=5e-5)
    assert fit["log_likelihood"] == pytest.approx(-9582.429, abs=5e-4)
    rest = {name: fit[name] for name in fit if name not in ("parameters", "standard_errors")}
    del rest["log_likelihood"]
    assert rest == {
        "model": "bg_nbd",
        "time_unit": "week",
        "calibration_end": "1997-09-30",
        "customers": 2357,
        "repeat_customers": 946,
        "undetermined": [],
        "scored_by": "bg_nbd",
        "reason": None,
        "refused": {},
    }


def test_events_on_standard_input_give_the_same_as_transactions() -> None:
    options = "--model", "gamma_gamma", "--calibration-end", "1997-09-30"
    events = b"\n".join(read_lines(str(cdnow_sample())))
    fit = fitted("-", *options, stdin=events)
    assert fit == fitted(cdnow_sample(), *options)
    assert (fit["customers"], fit["repeat_customers"]) == (2357, 946)


def test_the_time_unit_is_that_of_the_parameters() -> None:
    weeks = fitted(cdnow_sample(), "--calibration-end", "1997-09-30")
    days = fitted(cdnow_sample(), "--calibration-end", "1997-09-30", "--time-unit", "day")
    assert days["parameters"]["alpha"] == pytest.approx(7 * weeks["parameters"]["alpha"])


def test_people_are_told_too() -> None:
    result = run(cdnow_sample(), "--model", "pareto_nbd", "--calibration-end", "1997-09-30")
    words = " ".join(result.stdout.split())
    assert "pareto_nbd of 2,357 customers, 946 of them repeat, up to 1997-09-30" in words
    assert "alpha 10.578 0.84" in words
    assert "log-likelihood -9,594.976" in words


def test_too_few_repeat_customers_and_refused_events_are_told(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("customer,date,amount\na,2026-01-02,5\na,2026-01-09,5\nb,2026-01-03,-1\n")
    reason = "a fit needs 30 repeat customers, there are 1"
    fit = fitted(file)
    assert (fit["scored_by"], fit["reason"]) == ("formula", reason)
    assert fit["refused"] == {"invalid": 1}
    words = " ".join(run(file).stdout.split())
    assert f"scores stay by formula: {reason}" in words
    assert "refused, invalid: 1 event" in words


def test_no_value_to_fit_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "shop.csv"
    file.write_text("customer,date,amount\na,2026-01-02,5\n")
    error = run(file, "--model", "gamma_gamma").exception
    assert isinstance(error, StreamerError)
    assert "wait for" in str(error)
