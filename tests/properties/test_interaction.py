"""Who pays when (V5), against a recount."""

from datetime import datetime

import pytest
from hypothesis import given, settings

from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import LTV_UPDATES
from tests.support.histories import (
    LATENESS_DAYS,
    LONG_DAYS,
    RATES,
    START,
    Happening,
    as_arrived,
    configuration,
    histories,
    sizes,
)
from tests.support.payments_oracle import payment_figures
from tests.support.play import play


@pytest.mark.parametrize("lateness_days", [LATENESS_DAYS, LONG_DAYS])
@settings(max_examples=150, deadline=None)
@given(history=histories(referrals=0, size_max=40), units=sizes())
def test_payment_figures_are_the_oracles(
    lateness_days: int, history: list[Happening], units: list[int]
) -> None:
    cluster = play(as_arrived(history), configuration(lateness_days=lateness_days), units)
    cluster.tell_silence(from_datetime(START) + 2 * LONG_DAYS * DAY)
    for (topic, customer), score in cluster.last_scores().items():
        if topic == LTV_UPDATES:
            own = [one.event for one in history if one.event["customer_id"] == customer]
            expected = payment_figures(own, datetime.fromisoformat(score["as_of"]), RATES)
            assert {name: score[name] for name in expected} == pytest.approx(expected)
