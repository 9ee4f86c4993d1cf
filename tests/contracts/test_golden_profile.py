"""Profiles that earlier versions wrote are read, and made, as then."""

import json
from pathlib import Path
from typing import Any

import pytest

from streamer.pipeline import Shop
from streamer.records.kafka import LTV_UPDATES, PROGRAMME_MEASURES, PROGRAMME_PARTIALS
from streamer.records.measures import key_of
from streamer.scoring.fitted import fitted_model
from streamer.serdes.measures import decode_shop_measure
from streamer.serdes.models import decode_model_params
from tests.support.counting import measures_of
from tests.support.schemas import validator

GOLDEN = Path(__file__).parent / "golden"
VERSIONS = pytest.mark.parametrize(
    "version", sorted(path.name for path in GOLDEN.glob("profile-*"))
)


def lines(version: str, name: str) -> list[dict[str, Any]]:
    text = (GOLDEN / version / f"{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@VERSIONS
def test_the_profile_of_then_is_read_and_made_as_then(version: str) -> None:
    (then,) = lines(version, PROGRAMME_MEASURES)
    validator("programme-measure.json").validate(then)
    assert key_of(decode_shop_measure(json.dumps(then).encode())) == "profile:ideal"
    assert then["traits"] is not None
    shop = Shop("USD", {})
    for line in lines(version, PROGRAMME_PARTIALS):
        value = line["value"] and line["value"].encode()
        shop.take(line["partition"], line["key"].encode(), value)
    assert measures_of(shop)["profile:ideal"] == then


@VERSIONS
def test_closeness_of_then_follows_from_the_model_of_then(version: str) -> None:
    params = (GOLDEN / version / "model-params.json").read_bytes()
    validator("model-params.json").validate(json.loads(params))
    ideal = fitted_model(decode_model_params(params)).ideal
    assert ideal is not None
    updates = lines(version, LTV_UPDATES)
    assert updates
    for update in updates:
        validator("ltv-update.json").validate(update)
        by_trait = {one["trait"]: one["value"] for one in update["profile_traits"]}
        traits = ("first_category", "channel", "location", "rhythm")
        closeness, made_by, _ = ideal.told(tuple(by_trait.get(trait, "") for trait in traits))
        assert closeness == pytest.approx(update["profile_closeness"], abs=1e-6)
        assert [one.trait for one in made_by or ()] == list(by_trait)
