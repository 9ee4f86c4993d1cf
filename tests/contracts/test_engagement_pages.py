"""The examples in the pages of V6 and V8 to V10 are what streamer says."""

import json
import tomllib
from typing import Any

import pytest

from streamer.records.kafka import LTV_UPDATES
from streamer.settings import Settings
from tests.support.cluster import Cluster
from tests.support.counting import finish, measures_of, shop_of
from tests.support.pages import blocks, lines
from tests.support.play import play


def played(name: str, example: int = 0) -> tuple[Cluster, dict[str, Any]]:
    """Return a page's events, played one by one under its settings, and what it foretells."""
    page = f"{name}.md"
    shop = Settings(**tomllib.loads("".join(blocks(page, "toml")))).configuration()
    events = lines(blocks(page, "jsonl")[example])
    assert events
    return play(events, shop), json.loads(blocks(page, "json")[example])


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


def test_what_the_base_of_the_example_costs_is_right() -> None:
    cluster, foretold = played("v8", 1)
    finish(cluster)
    measures = measures_of(shop_of(cluster))
    found = {key: measure.get("acquisition") for key, measure in measures.items()}
    assert {key: figures for key, figures in found.items() if figures} == foretold


def test_what_is_to_be_reviewed_in_the_example_is_right() -> None:
    cluster, foretold = played("v9", 1)
    finish(cluster)
    found = measures_of(shop_of(cluster))
    assert {key for key in found if key.startswith("ratings:")} == foretold.keys()
    for key, figures in foretold.items():
        assert {name: found[key][name] for name in figures} == figures


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
