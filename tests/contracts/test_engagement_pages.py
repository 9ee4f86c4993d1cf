"""The examples in the pages of V6 and V8 to V10 are what streamer says."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from streamer.records.kafka import LTV_UPDATES
from streamer.settings import Settings
from tests.support.cluster import Cluster
from tests.support.play import play

PAGES = Path(__file__).parents[2] / "docs" / "rows"


def block(page: str, kind: str) -> str:
    """Return what the page's block of a kind, such as json, holds; "" if there is none."""
    match = re.search(rf"^```{kind}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return match[1] if match else ""


def played(name: str) -> tuple[Cluster, dict[str, Any]]:
    """Return the page's events, played one by one under its settings, and what it foretells."""
    page = (PAGES / f"{name}.md").read_text(encoding="utf-8")
    shop = Settings(**tomllib.loads(block(page, "toml"))).configuration()
    events = [json.loads(line) for line in block(page, "jsonl").splitlines()]
    assert events
    return play(events, shop), json.loads(block(page, "json"))


@pytest.mark.parametrize("name", ["v6", "v8", "v9", "v10"])
def test_the_example_of_a_page_is_right(name: str) -> None:
    cluster, foretold = played(name)
    assert not cluster.refused
    scores = cluster.last_scores()
    for customer, figures in foretold.items():
        score = scores[LTV_UPDATES, customer]
        reasons = figures.pop("null_reasons", {})
        assert {field: score[field] for field in figures} == figures
        assert {field: score.null_reason(field) for field in reasons} == reasons


def test_each_change_of_tier_in_the_example_is_told_once() -> None:
    cluster, _ = played("v10")
    told = [
        (score["loyalty_points"], score["loyalty_tier_change"], score["previous_loyalty_tier"])
        for score in cluster.scores(LTV_UPDATES)
        if score["customer_id"] == "anna"
    ]
    assert told == [
        (480, "up", None),  # bronze: the first tier
        (505, "up", "bronze"),
        (505, None, None),
        (605, None, None),
        (485, "down", "silver"),
    ]
