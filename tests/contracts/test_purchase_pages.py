"""The examples in the pages of V5, V7, V11 and V12 are what streamer says."""

import json
import tomllib

import pytest

from streamer.records.kafka import LTV_UPDATES
from streamer.settings import Settings
from tests.support.pages import blocks, lines
from tests.support.play import play


@pytest.mark.parametrize("name", ["v5", "v7", "v11", "v12"])
def test_the_example_of_a_page_is_right(name: str) -> None:
    page = f"{name}.md"
    shop = Settings(**tomllib.loads("".join(blocks(page, "toml")))).configuration()
    events, foretold = blocks(page, "jsonl")[0], json.loads(blocks(page, "json")[0])
    cluster = play(lines(events), shop)
    assert not cluster.refused
    scores = cluster.last_scores()
    assert foretold
    for customer, figures in foretold.items():
        score = scores[LTV_UPDATES, customer]
        reasons = figures.pop("null_reasons", {})
        for field, figure in figures.items():
            near = figure if isinstance(figure, list) else pytest.approx(figure, abs=1e-5)
            assert score[field] == near, field
        assert {field: score.null_reason(field) for field in reasons} == reasons
