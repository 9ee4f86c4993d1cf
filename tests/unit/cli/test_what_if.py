import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from streamer import cli
from streamer.errors import StreamerError

EXAMPLE = ["--more-per-order", "5", "--orders-per-year", "18", "--years", "5"]
SHOP = ["--order-value", "40", "--orders-per-year", "18", "--margin", "0.3"]


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a settings file nor the environment of whoever runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("RETENTION_RATE", "DISCOUNT_RATE", "LIFESPAN_YEARS", "REPORTING_CURRENCY"):
        monkeypatch.delenv(f"STREAMER_{name}", raising=False)


def what_if(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, ["what-if", *arguments])


def figures(*arguments: str) -> dict[str, Any]:
    result = what_if(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_the_worked_example() -> None:
    assert figures(*EXAMPLE, "--target", "100000")["sizing"] == {
        "value_per_customer": "450.00",
        "target": "100000.00",
        "customers_for_target": 222,
        "customers_to_reach_target": 223,
    }
    told = what_if(*EXAMPLE, "--target", "100000").stdout
    assert "450.00 USD per customer: 222 customers for 100,000.00 USD (223 to have" in told


def test_money_is_exact() -> None:
    found = figures("--more-per-order", "0.005", "--orders-per-year", "3.1", "--years", "1")
    assert found["sizing"]["value_per_customer"] == "0.0155"


def test_the_settings_are_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_RETENTION_RATE", "0.6")
    monkeypatch.setenv("STREAMER_DISCOUNT_RATE", "0.2")
    monkeypatch.setenv("STREAMER_LIFESPAN_YEARS", "2")
    monkeypatch.setenv("STREAMER_REPORTING_CURRENCY", "JPY")
    found = figures("--more-per-order", "5", "--orders-per-year", "18")
    assert found["currency"] == "JPY"
    assert found["sizing"]["value_per_customer"] == "180"
    assert found["retention"]["margin_multiple"] == 1  # 0.6 / 0.6
    assert found["retention"]["changed_margin_multiple"] == pytest.approx(0.65 / 0.55)


def test_retention_and_levers_with_a_margin() -> None:
    found = figures(*SHOP, "--acquisition-cost", "50")
    assert found["basis"] == "margin"
    assert found["retention"]["profit_per_customer"] == "412.86"
    assert found["retention"]["changed_profit_per_customer"] == "526.00"
    assert next(lever["lever"] for lever in found["levers"]) == "retention_rate"
    assert found["null_reasons"].keys() == {"sizing"}
    told = what_if(*SHOP, "--acquisition-cost", "50").stdout
    assert "share of customers kept a year" in told
    assert "profit per customer 412.86 → 526.00 USD, +27.4 %" in told


def test_sizing_is_of_margin_where_that_is_given() -> None:
    asked = "--order-value 50 --orders-per-year 4 --margin .4 --more-per-order 5 --years 3 --target"
    found = figures(*asked.split(), "1000")["sizing"]  # 5 × 4 × 3 × 0.4
    assert (found["value_per_customer"], found["customers_for_target"]) == ("24.00", 42)
    assert "24.00 USD of margin per customer" in what_if(*asked.split(), "1000").stdout


def test_a_lever_that_cannot_be_moved_so_far_says_where_it_stops() -> None:
    told = what_if("--order-value", "50", "--orders-per-year", "4", "--retention-rate", ".98")
    assert "2,000.00 (at 1)" in told.stdout


def paths_of_nulls(figure: Any, path: str = "") -> set[str]:
    if isinstance(figure, list):
        return {null for one in figure for null in paths_of_nulls(one, path)}
    if isinstance(figure, dict):
        parts = {name: f"{path}.{name}".strip(".") for name in figure}
        return {null for name in figure for null in paths_of_nulls(figure[name], parts[name])}
    return set() if figure is not None else {path}


@pytest.mark.parametrize(
    "asked",
    [
        "",
        "--more-per-order 5 --orders-per-year 18 --years 5 --target 100000",
        "--order-value 50 --orders-per-year 4 --margin .4 --more-orders 1",
        "--order-value 50 --orders-per-year 4 --acquisition-cost 9000 --more-orders -1 --target 9",
    ],
)
def test_every_null_has_its_reason(asked: str) -> None:
    found = figures(*asked.split())
    assert paths_of_nulls(found) == found["null_reasons"].keys()


def test_what_is_not_known_is_null_with_its_reason() -> None:
    found = figures("--retention-rate", "0.97")
    assert found["sizing"] is found["retention"] is found["levers"] is None
    assert found["null_reasons"]["levers"] == "needs --order-value and --orders-per-year"
    assert "out of 0 to 1" in found["null_reasons"]["retention"]
    assert "no sizing: no change" in what_if().stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--more-per-order", "1"], "--orders-per-year is needed."),
        (["--margin", "2"], "--margin must be a share, 0 to 1."),
        ([*EXAMPLE, "--more-years", "-9"], "--order-value is needed"),
        ([*EXAMPLE, "--target", "-1"], "--target must be a finite number, 0 or more."),
        (["--retention-rate", "1", "--discount-rate", "0"], "--discount-rate must be above 0"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments: list[str], words: str) -> None:
    result = what_if(*arguments)
    assert isinstance(result.exception, StreamerError)
    assert words in str(result.exception)


@pytest.mark.parametrize("text", ["x", "nan", "1e12", "1" * 65])
def test_what_is_no_number_is_refused_by_its_option(text: str) -> None:
    result = what_if("--order-value", text)
    assert result.exit_code == 2
    assert "--order-value" in result.output


def test_the_page_s_example() -> None:
    page = Path(__file__).parents[3] / "docs" / "rows" / "v17.md"
    command, told = page.read_text().split("$ streamer what-if ")[1].splitlines()[:2]
    assert told in what_if(*command.split()).stdout.splitlines()
