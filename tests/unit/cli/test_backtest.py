import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from streamer import cli
from streamer.errors import StreamerError
from streamer.files import cdnow_sample

START = date(2024, 1, 1)


def backtest(*arguments: object) -> Any:
    return CliRunner().invoke(cli.app, ["backtest", *map(str, arguments)])


def figures(*arguments: object) -> dict[str, Any]:
    result = backtest(*arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


# -- CDNOW, 39 weeks and 39 weeks -----------------------------------------------------------------

PUBLISHED = {
    "bg_nbd": (1653, 0.786, 1.608, 0.773),
    "mbg_nbd": (1577, 0.765, 1.607, 0.773),
    "pareto_nbd": (1666, 0.755, 1.603, 0.779),
}
"""Forecast total, MAE, RMSE and AUC of expected purchases."""


@pytest.fixture(scope="module", params=PUBLISHED)
def cdnow(request: pytest.FixtureRequest) -> dict[str, Any]:
    ends = ("--calibration-end", "1997-09-30", "--holdout-end", "1998-06-30")
    return figures(cdnow_sample(), *ends, "--model", request.param)


def test_the_published_holdout_figures(cdnow: dict[str, Any]) -> None:
    total, mae, rmse, auc = PUBLISHED[cdnow["model"]]
    assert cdnow["actual_total"] == 1882
    assert round(cdnow["forecast_total"]) == total
    assert cdnow["bias_percent"] == pytest.approx(100 * (total / 1882 - 1), abs=0.03)
    assert cdnow["mae"] == pytest.approx(mae, abs=0.0006)
    assert cdnow["rmse"] == pytest.approx(rmse, abs=0.0006)
    assert cdnow["auc"] == pytest.approx(auc, abs=0.0006)


def test_the_published_baselines(cdnow: dict[str, Any]) -> None:
    found = {name: round(of["auc"], 3) for name, of in cdnow["baselines"].items()}
    assert found["recency"] == 0.771
    assert found["recency_repeat_customers"] == pytest.approx(0.712, abs=0.0011)
    assert found["hiatus"] == 0.669
    assert cdnow["baselines"]["hiatus"]["customers"] == 946


def test_intervals_cover_what_they_should(cdnow: dict[str, Any]) -> None:
    assert cdnow["interval_level"] == 0.8
    for forecast in (cdnow, cdnow["calibrated"]):
        assert 0.78 <= forecast["interval_coverage"] <= 0.90


def test_walking_forward_the_total_is_within_five_percent(cdnow: dict[str, Any]) -> None:
    walk = cdnow["walk_forward"]
    assert walk["windows"] == 3
    assert abs(walk["calibrated_bias_percent"]) <= 5


def test_the_tables_add_up(cdnow: dict[str, Any]) -> None:
    for table in (cdnow["by_frequency"], cdnow["by_decile"]):
        assert sum(group["customers"] for group in table) == 2357
        for mean, total in (("predicted_mean", "forecast_total"), ("actual_mean", "actual_total")):
            added = sum(group["customers"] * group[mean] for group in table)
            assert added == pytest.approx(cdnow[total])
    last = cdnow["cumulative"][-1]
    assert last["date"] == "1998-06-30"
    assert last["actual_total"] == 1882
    assert last["forecast_total"] == pytest.approx(cdnow["forecast_total"])


# -- a small shop ---------------------------------------------------------------------------------


def shop(file: Path, *, days: int, fading: bool) -> Path:
    """Write a shop of 400 customers of different rates; if ``fading``, rates halve each quarter."""
    rng = np.random.default_rng(7)
    rows = []
    for customer in range(400):
        first, rate = int(rng.integers(0, 60)), rng.gamma(1, 1 / 30)
        chance = np.full(days, rate) * (0.5 ** (np.arange(days) / 91) if fading else 1)
        bought = np.flatnonzero(rng.random(days) < chance)
        days_bought = [first, *bought[bought > first].tolist()]
        rows += [(f"c{customer}", START + timedelta(day), "10.00") for day in days_bought]
    with file.open("w", newline="") as out:
        csv.writer(out).writerows([("customer", "date", "amount"), *rows])
    return file


@pytest.fixture(scope="module")
def fading(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shop(tmp_path_factory.mktemp("shop") / "fading.csv", days=480, fading=True)


def test_the_map_helps_where_the_model_is_wrong_for_long(fading: Path) -> None:
    found = figures(fading, "--calibration-end", "2025-01-24")
    assert found["calibration"]["purchases_version"] != "identity"
    assert abs(found["calibrated"]["bias_percent"]) < abs(found["bias_percent"])
    assert found["calibrated"]["poisson_deviance"] < found["poisson_deviance"]
    assert found["calibrated"]["spearman"] == pytest.approx(found["spearman"])


def test_nothing_of_the_forecast_or_the_map_comes_from_the_holdout(
    fading: Path, tmp_path: Path
) -> None:
    lines = fading.read_text().splitlines()
    known = [line for line in lines[1:] if line.split(",")[1] <= "2025-01-24"]
    other = tmp_path / "other.csv"
    other.write_text("\n".join([lines[0], *known, f"{known[0].split(',')[0]},2025-03-01,10.00"]))
    ends = ("--calibration-end", "2025-01-24", "--holdout-end", "2025-04-20")
    one, two = figures(fading, *ends), figures(other, *ends)
    assert one["actual_total"] > two["actual_total"] == 1
    for name in ("parameters", "calibration", "forecast_total"):
        assert one[name] == two[name]
    assert one["calibrated"]["forecast_total"] == two["calibrated"]["forecast_total"]


def test_the_time_unit_changes_nothing_but_the_parameters(fading: Path) -> None:
    ends = ("--calibration-end", "2025-01-24")
    weeks = figures(fading, *ends)
    days = figures(fading, *ends, "--time-unit", "day")
    assert days["horizon"] == pytest.approx(7 * weeks["horizon"])
    assert days["forecast_total"] == pytest.approx(weeks["forecast_total"], rel=1e-4)
    assert days["calibrated"]["forecast_total"] == pytest.approx(
        weeks["calibrated"]["forecast_total"], rel=1e-4
    )


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".svg", b"<?xml")])
def test_people_get_text_of_80_columns_and_a_picture(
    fading: Path, tmp_path: Path, suffix: str, magic: bytes
) -> None:
    picture = tmp_path / f"backtest{suffix}"
    result = backtest(fading, "--calibration-end", "2025-01-24", "--picture", picture)
    assert result.exit_code == 0
    assert picture.read_bytes().startswith(magic)
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
    for words in ("with the map", "recency", "normalised Gini", "Walking forward", "7+"):
        assert words in result.stdout


def test_too_few_repeat_customers_are_said_to_be_so(tmp_path: Path) -> None:
    file = tmp_path / "few.csv"
    file.write_text(
        "customer,date,amount\n"
        + "".join(f"c{n},2024-01-0{n},5.00\nc{n},2024-03-0{n},5.00\n" for n in range(1, 6))
    )
    found = figures(file, "--calibration-end", "2024-02-20")
    assert "repeat customers" in found["reason"]
    assert found["actual_total"] == 5
    assert found["baselines"]["hiatus"] == {
        "customers": 0,
        "auc": None,
        "spearman": None,
        "normalised_gini": None,
        "top_decile_capture": None,
    }
    assert "by formula" in backtest(file, "--calibration-end", "2024-02-20").stdout


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--calibration-end", "2026-01-01"), "holdout is empty"),
        (("--calibration-end", "2025-01-24", "--picture", "x.pdf"), "end its name in .png"),
        (("--calibration-end", "2025-01-24", "--picture", "/no/x.png"), "cannot be written"),
        (("--calibration-end", "2023-01-01"), "no purchase up to 2023-01-01"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(
    fading: Path, options: tuple[str, ...], words: str
) -> None:
    result = backtest(fading, *options)
    assert isinstance(result.exception, StreamerError)
    assert words in str(result.exception)
