import json
from typing import Any

import pytest
from typer.testing import CliRunner

from streamer import cli
from streamer.errors import StreamerError

CUSTOMER = ["--x", "2", "--recency", "30.43", "--age", "38.86", "--horizon", "39"]
BG = ["--model", "bg_nbd", "--params", "r=.2426,alpha=4.4136,a=.7929,b=2.4259"]
PARETO = ["--model", "pareto_nbd", "--params", "r=.5533,alpha=10.578,s=.6062,beta=11.669"]
VALUE = ["--model", "gamma_gamma", "--params", "p=6.25,q=3.74,gamma=15.44"]


def predict(*arguments: str) -> Any:
    return CliRunner().invoke(cli.app, ["predict", *arguments])


def figures(*arguments: str) -> dict[str, Any]:
    result = predict(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_the_published_customer() -> None:
    found = figures(*BG, *CUSTOMER)
    assert round(found["expected_purchases"], 3) == 1.226
    assert found.keys() == {
        "expected_purchases",
        "probability_alive",
        "churn_probability",
        "expected_purchases_low",
        "expected_purchases_high",
    }
    assert 0 <= found["expected_purchases_low"] <= found["expected_purchases_high"]


def test_the_default_is_mbg_nbd_and_the_unit_does_not_matter() -> None:
    weeks = figures("--params", "r=.525,alpha=6.183,a=.891,b=1.614", *CUSTOMER)
    times = ["--x", "2", "--recency", "213.01", "--age", "272.02", "--horizon", "273"]
    days = figures("--params", "r=.525,alpha=43.281,a=.891,b=1.614", *times)
    for name, figure in weeks.items():
        assert days[name] == pytest.approx(figure, rel=1e-9)


def test_a_wider_level_gives_a_wider_interval() -> None:
    narrow, wide = (figures(*PARETO, *CUSTOMER, "--level", level) for level in ("0.3", "0.99"))
    assert wide["expected_purchases_high"] > narrow["expected_purchases_high"]


def test_a_discount_rate_adds_what_is_ever_to_come() -> None:
    name = "discounted_expected_residual_transactions"
    cautious, patient = (
        figures(*PARETO, *CUSTOMER, "--discount-rate", rate)[name] for rate in ("0.1", "0.0027")
    )
    # Within about 1/rate: less than the 39 weeks' purchases, and more than them.
    assert 0 < cautious < figures(*PARETO, *CUSTOMER)["expected_purchases"] < patient
    assert figures(*BG, *CUSTOMER, "--discount-rate", "0.1")[name] > 0


def test_the_value_of_a_purchase() -> None:
    known = 6.25 * (15.44 + 4 * 50) / (6.25 * 4 + 3.74 - 1)
    assert figures(*VALUE, "--x", "4", "--mean-value", "50") == {
        "expected_value": pytest.approx(known)
    }
    mean = 6.25 * 15.44 / 2.74
    assert figures(*VALUE, "--x", "0") == {"expected_value": pytest.approx(mean)}


def test_an_infinite_mean_is_null() -> None:
    endless = ["--model", "gamma_gamma", "--params", "p=2,q=1,gamma=15", "--x", "0"]
    reason = "with p·x + q up to 1 there is no finite mean"
    assert figures(*endless) == {
        "expected_value": None,
        "null_reasons": {"expected_value": reason},
    }
    assert "unknown" in predict(*endless).stdout


def test_people_get_a_table() -> None:
    told = predict(*BG, *CUSTOMER).stdout
    assert "1.2259  purchases expected within the horizon" in told
    assert "at most, in 80% of cases" in told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*BG[:2], *CUSTOMER], "bg_nbd also needs r, alpha, a, b: give --params r=…,alpha=…"),
        ([*BG[:3], "r=1,alpha=1,a=1", *CUSTOMER], "also needs b"),
        ([*BG[:3], "r=1,alpha=1,a=1,s=1", *CUSTOMER], "bg_nbd has no parameter 's'"),
        ([*BG[:3], "r=1,alpha=1,a=1,b=x", *CUSTOMER], "parameter b is no number"),
        ([*BG[:3], "r=1,alpha=1,a=1,b=1,b=2", *CUSTOMER], "b is given twice"),
        ([*BG[:3], "r=1,alpha=1,a=1,b=-1", *CUSTOMER], "b must be above 0"),
        ([*BG[:3], "r=nan,alpha=1,a=1,b=1", *CUSTOMER], "r must be above 0"),
        ([*BG, *CUSTOMER[:-2]], "bg_nbd also needs --horizon"),
        ([*BG, *CUSTOMER[:-1], "inf"], "--horizon must be a finite number"),
        ([*BG, *CUSTOMER[:-1], "-1"], "--horizon must be a finite number, 0 or more"),
        ([*BG, "--x", "1.5", *CUSTOMER[2:]], "--x counts purchases"),
        ([*BG, "--x", "0", *CUSTOMER[2:]], "without a second purchase"),
        ([*BG, *CUSTOMER, "--age", "3"], "recency is counted from the first purchase"),
        ([*BG, *CUSTOMER, "--level", "80"], "--level must be between 0 and 1"),
        ([*BG, *CUSTOMER, "--discount-rate", "0"], "--discount-rate must be a finite number above"),
        ([*BG, *CUSTOMER, "--mean-value", "5"], "bg_nbd makes nothing of --mean-value"),
        ([*VALUE, "--x", "3"], "gamma_gamma also needs --mean-value"),
        ([*VALUE, *CUSTOMER, "--mean-value", "5"], "gamma_gamma makes nothing of --recency"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(arguments: list[str], words: str) -> None:
    result = predict(*arguments)
    assert isinstance(result.exception, StreamerError)
    assert words in str(result.exception)
    assert str(result.exception).endswith(".")
