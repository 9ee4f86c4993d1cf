"""From a simulated shop's events to its profile and everyone's closeness, checked on the wire."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from math import exp, log
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from streamer.records.models import ModelParams
from streamer.replay import replay_file
from streamer.scoring.ideal.fitting import with_profile
from streamer.settings import Settings
from streamer.simulate import Basket, Shop, simulate
from tests.support.cluster import Cluster
from tests.support.models import model_params

NOW = datetime(2030, 1, 1, tzinfo=UTC)
SETTINGS = Settings(partitions=1)
TRAITS = ("first_category", "channel", "location", "rhythm")
Updates = dict[str, dict[str, Any]]


class Told(NamedTuple):
    """What a replay by a model with a profile has written."""

    model: ModelParams
    first_categories: dict[str, str]
    last: Updates
    measure: dict[str, Any]
    lines: bytes


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    folder = tmp_path_factory.mktemp("shop")
    shop = Shop(customers=400, days=200, basket=Basket(categories=4), channels=3, locations=30)
    events = list(simulate(shop, seed=5))
    cluster = Cluster(SETTINGS.configuration("1"))
    for one in events:
        cluster.send(one)
    cluster.settle()
    partition = cluster.partition(0)
    rows = list(cluster.rows().values())
    model = with_profile(model_params(), rows, partition.time, SETTINGS.scoring())
    (folder / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in events))
    lines = replayed(folder, model)
    measures = (folder / "out" / "programme-measures.jsonl").read_text().splitlines()
    (measure,) = [one for one in map(json.loads, measures) if one["measure"] == "ideal_profile"]
    last = {one["customer_id"]: one for one in map(json.loads, lines.splitlines())}
    return Told(model, first_categories(events), last, measure, lines)


def replayed(folder: Path, model: ModelParams) -> bytes:
    out = folder / "out"
    replay_file(str(folder / "events.jsonl"), out, SETTINGS, now=NOW, version="1", model=model)
    return (out / "ltv-updates.jsonl").read_bytes()


def first_categories(events: list[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, tuple[str, str]] = {}
    for event in events:
        for item in event.get("items", ()) if event["type"] == "purchase" else ():
            one = event["occurred_at"][:10], item["category"]
            found[event["customer_id"]] = min(one, found.get(event["customer_id"], one))
    return {customer: category for customer, (_, category) in found.items()}


def traits_of(told: Told, customer: str) -> Iterator[tuple[str, str]]:
    update = told.last[customer]
    if category := told.first_categories.get(customer):
        yield "first_category", category
    if "acquisition_channel" in update:
        yield "channel", update["acquisition_channel"]
    if "location" in update:
        yield "location", update["location"]


def test_the_measure_is_a_count_of_the_last_updates(told: Told) -> None:
    worth = sorted((float(one["total_clv"]) for one in told.last.values()), reverse=True)
    measure = told.measure
    assert measure["customers"] == len(worth) == 400
    assert 35 <= measure["top_customers"] <= 45
    assert worth[measure["top_customers"]] < float(measure["top_value"]) + 0.01
    assert worth[measure["top_customers"] - 1] >= float(measure["top_value"]) - 0.01
    top = {
        customer
        for customer, one in told.last.items()
        if float(one["total_clv"]) >= worth[measure["top_customers"] - 1]
    }
    everyone = Counter(pair for customer in told.last for pair in traits_of(told, customer))
    of_top = Counter(pair for customer in top for pair in traits_of(told, customer))
    checked = 0
    for trait in measure["traits"]:
        if trait["trait"] in TRAITS[:3]:
            for value in trait["values"]:
                pair = trait["trait"], value["value"]
                assert (value["customers"], value["top_customers"]) == (
                    everyone[pair],
                    of_top[pair],
                )
                share, top_share = everyone[pair] / 400, of_top[pair] / len(top)
                assert value["lift"] == pytest.approx(top_share / share)
                checked += 1
    assert checked == 4 + 3 + 20
    location = measure["traits"][2]
    assert location["other_customers"] == 400 - sum(one["customers"] for one in location["values"])


def test_the_model_carries_what_the_measure_says(told: Told) -> None:
    assert told.model.profile is not None
    assert told.model.model_version.startswith("mbg_nbd-1-")
    assert told.model.model_version != model_params().model_version, "it stands for the profile"
    for trait in told.measure["traits"]:
        counts = {one["value"]: (one["customers"], one["top_customers"]) for one in trait["values"]}
        assert told.model.profile.traits[trait["trait"]] == counts


def test_closeness_is_naive_bayes_over_the_traits(told: Told) -> None:
    profile = told.model.profile
    assert profile is not None
    share = profile.top_customers / profile.customers
    for customer, update in told.last.items():
        known = dict(traits_of(told, customer))
        rhythm = [one for one in update["profile_traits"] if one["trait"] == "rhythm"]
        assert bool(rhythm) == (update["purchase_frequency"] is not None)
        known |= {"rhythm": rhythm[0]["value"]} if rhythm else {}
        odds, named = share / (1 - share), set()
        for trait, value in known.items():
            if value in profile.traits[trait]:
                customers, top = profile.traits[trait][value]
                shrunk = (top + 20 * share) / (customers + 20)
                odds *= shrunk / (1 - shrunk) / (share / (1 - share))
                named.add((trait, value))
        assert update["profile_closeness"] == pytest.approx(odds / (1 + odds), abs=2e-6)
        traits = update["profile_traits"]
        assert {(one["trait"], one["value"]) for one in traits} == named
        weights = [abs(one["contribution"]) for one in traits]
        assert weights == sorted(weights, reverse=True)
        total = log(share / (1 - share)) + sum(one["contribution"] for one in traits)
        assert update["profile_closeness"] == pytest.approx(1 / (1 + exp(-total)), abs=2e-6)


def test_the_same_model_gives_the_same_closeness_again(told: Told, tmp_path: Path) -> None:
    shop = Shop(customers=400, days=200, basket=Basket(categories=4), channels=3, locations=30)
    (tmp_path / "events.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in simulate(shop, seed=5))
    )
    assert replayed(tmp_path, told.model) == told.lines


def test_without_customers_enough_the_model_is_as_it_was() -> None:
    assert with_profile(model_params(), [], 0, SETTINGS.scoring()) == model_params()
    formula = model_params(model="formula", parameters={})
    assert with_profile(formula, [], 0, SETTINGS.scoring()) == formula
