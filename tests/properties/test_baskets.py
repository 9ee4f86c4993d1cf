"""What was bought (V7, V11) and how well it paid (V12), against a recount."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from msgspec.structs import replace as with_fields

from streamer.records.kafka import LTV_UPDATES
from tests.support.baskets_oracle import margin_figures, penetration_figures
from tests.support.histories import RATES, Happening, as_arrived, configuration, histories, sizes
from tests.support.play import play

CATALOGUE = ("hats", "shoes", "c1", "gloves")
PLAIN = configuration()
SHOP = replace(
    PLAIN,
    scoring=with_fields(PLAIN.scoring, catalogue_categories=CATALOGUE, low_margin_rate=0.25),
)


@settings(max_examples=150, deadline=None)
@given(history=histories(referrals=0, size_max=40), units=sizes())
def test_figures_of_baskets_are_the_oracles(history: list[Happening], units: list[int]) -> None:
    cluster = play(as_arrived(history), SHOP, units)
    for (topic, customer), score in cluster.last_scores().items():
        if topic == LTV_UPDATES:
            own = [one.event for one in history if one.event["customer_id"] == customer]
            as_of = datetime.fromisoformat(score["as_of"])
            expected = penetration_figures(own, as_of, CATALOGUE)
            expected |= margin_figures(own, RATES, Decimal("0.25"))
            assert score["categories"] == expected.pop("categories")
            assert {name: score[name] for name in expected} == pytest.approx(expected)
