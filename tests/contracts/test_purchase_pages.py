"""The examples in the pages of V5, V7, V11 and V12 are what streamer says."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from streamer.records.kafka import LTV_UPDATES
from streamer.settings import Settings
from tests.support.play import play

PAGES = Path(__file__).parents[2] / "docs" / "rows"


def block(page: str, kind: str) -> str:
    """Return what the page's block of a kind, such as json, holds; "" if there is none."""
    match = re.search(rf"^```{kind}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return match[1] if match else ""


@pytest.mark.parametrize("name", ["v5", "v7", "v11", "v12"])
def test_the_example_of_a_page_is_right(name: str) -> None:
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    shop = Settings(**tomllib.loads(block(page, "toml"))).configuration()
    cluster = play([json.loads(line) for line in block(page, "jsonl").splitlines()], shop)
    assert not cluster.refused
    scores, foretold = cluster.last_scores(), json.loads(block(page, "json"))
    assert foretold
    for customer, figures in foretold.items():
        score = scores[LTV_UPDATES, customer]
        reasons = figures.pop("null_reasons", {})
        for field, figure in figures.items():
            near = figure if isinstance(figure, list) else pytest.approx(figure, abs=1e-5)
            assert score[field] == near, field
        assert {field: score.null_reason(field) for field in reasons} == reasons
