"""The lifetime values that measures of the shop count are those that customers are told."""

import pytest
from hypothesis import given, settings

from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import LTV_UPDATES
from streamer.scoring.lifetime import lifetimes
from streamer.scoring.parameters import ScoringParameters, with_model
from tests.support.histories import START, Happening, as_arrived, configuration, histories
from tests.support.models import model_params
from tests.support.play import play

END = from_datetime(START) + 3000 * DAY


@settings(max_examples=60, deadline=None)
@given(histories(referrals=0))
def test_by_formula_they_are_those_published_last(history: list[Happening]) -> None:
    cluster = play(as_arrived(history), configuration())
    cluster.tell_silence(END)
    rows = cluster.rows()
    values = lifetimes(list(rows.values()), [END] * len(rows), ScoringParameters()).values
    last = {score["customer_id"]: score for score in cluster.scores(LTV_UPDATES)}
    for customer, value in zip(rows, values, strict=True):
        told = last[customer]["formula_margin_ltv"] or last[customer]["formula_ltv"]
        assert (value is None) == (told is None)
        if value is not None:
            assert float(told) == pytest.approx(value / 1_000_000, abs=0.0051)


@settings(max_examples=30, deadline=None)
@given(histories(referrals=0))
def test_by_a_model_they_are_those_published_last(history: list[Happening]) -> None:
    cluster = play([], configuration())
    cluster.step(0, model=model_params())
    for event in as_arrived(history):
        cluster.send(event)
    cluster.settle()
    cluster.tell_silence(END)
    rows = cluster.rows()
    scoring = with_model(ScoringParameters(), model_params())
    values = lifetimes(list(rows.values()), [END] * len(rows), scoring).values
    last = {score["customer_id"]: score for score in cluster.scores(LTV_UPDATES)}
    for customer, value in zip(rows, values, strict=True):
        told = last[customer]["total_clv"]
        assert (value is None) == (told is None)
        if value is not None:
            assert float(told) == pytest.approx(value / 1_000_000, abs=0.0051)


def test_nobody_is_worth_nothing() -> None:
    assert lifetimes([], [], ScoringParameters()) == ([], [])
