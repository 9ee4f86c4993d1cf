"""The examples in the pages of V1 to V4 and V6 are what a replay says."""

import json
from datetime import UTC, datetime

import pytest

from streamer.records.models import ModelParams
from streamer.scoring.nulls import null_reason
from tests.support.models import model_params
from tests.support.pages import blocks, lines, replayed

THEN = datetime(2027, 1, 1, tzinfo=UTC)
AT_ONCE = datetime(2000, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("page", "model"),
    [("v1.md", None), ("v2.md", None), ("v3.md", model_params())],
)
def test_the_example_of_a_page_is_right(page: str, model: ModelParams | None) -> None:
    (events,), (expected,) = blocks(page, "jsonl"), blocks(page, "json")
    told = replayed(events, AT_ONCE, model)
    assert not told.get("dead-letters")
    last = {update["customer_id"]: update for update in told["ltv-updates"]}
    for customer, figures in json.loads(expected).items():
        reasons = figures.pop("null_reasons", {})
        for field, figure in figures.items():
            near = pytest.approx(figure, abs=1e-6) if isinstance(figure, float) else figure
            assert last[customer][field] == near, (customer, field)
        found = last[customer]["null_reasons"]
        assert {field: null_reason(found, field) for field in reasons} == reasons


def test_the_example_of_churn_risk_is_told_as_silence_goes_on() -> None:
    events, expected = blocks("v4.md", "jsonl")
    told = replayed(events, THEN)["churn-risk-updates"]
    for found, wanted in zip(told, lines(expected), strict=True):
        shown = {name: found[name] for name in wanted}
        shown["churn_probability"] = round(shown["churn_probability"], 6)
        assert shown == wanted
