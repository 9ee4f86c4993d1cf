"""A new model is adopted between units of work, and the base is scored anew, once each."""

from collections import Counter
from datetime import timedelta
from itertools import cycle, islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Partition
from streamer.records.instants import DAY, from_datetime
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.records.models import ModelParams
from tests.support.cluster import Cluster, processed
from tests.support.histories import START, Happening, as_arrived, configuration, histories
from tests.support.load import BusyShop
from tests.support.models import model_params

ALL = settings(max_examples=60, deadline=None)
FAR = from_datetime(START) + 9_000 * DAY
OTHER = {"r": 2.0, "alpha": 100.0, "a": 0.3, "b": 3.0}
MODELS = st.sampled_from(
    [
        model_params(),
        model_params(parameters=OTHER),
        model_params(model="bg_nbd", parameters=OTHER),
        model_params(
            model="pareto_nbd", parameters={"r": 0.5533, "alpha": 74.0, "s": 0.6062, "beta": 81.7}
        ),
        model_params(value_parameters=None),
        model_params(model="formula", model_version="formula", parameters={}, reason="too few"),
        model_params(
            calibration={
                "purchases": {"predicted": [0.001, 0.01], "corrected": [0.0012, 0.011]},
                "activity": {"predicted": [0.002], "corrected": [0.0026]},
            }
        ),
    ]
)
LASTING = ("model_version", "risk_band", "win_back_by", "next_band_crossing_at", "orders")
"""What does not depend on the instant of the last score: one who has lapsed has no further one."""


def run(
    history: list[Happening],
    model: ModelParams | None,
    adopted_after: int,
    rescore_max: int,
    fates: list[bool] | None = None,
) -> Cluster:
    """Play ``history``, with ``model`` from its n-th unit on; a fate may be to crash."""
    cluster = Cluster(configuration())
    for event in as_arrived(history):
        cluster.send(event)
    crashes = cycle(fates or [False])
    unit = 0
    while cluster.waiting(0) or (model and unit < adopted_after + 30):
        known = model if unit >= adopted_after else None
        waiting = cluster.waiting(0)[:2]
        made = cluster.attempt(0, waiting, model=known, rescore_max=rescore_max)
        if next(crashes):
            cluster.crash(0)
            if next(crashes):
                continue
            made = cluster.attempt(0, waiting, model=known, rescore_max=rescore_max)
        cluster.write(made)
        cluster.partition(0).commit(made)
        unit += 1
    return cluster


def lasting(cluster: Cluster) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        place: {name: score[name] for name in LASTING if name in score}
        for place, score in cluster.last_scores().items()
    }


def all_scores(cluster: Cluster, topic: str) -> list[dict[str, Any]]:
    return list(cluster.scores(topic))


@ALL
@given(histories(referrals=1), MODELS, st.integers(0, 6), st.integers(1, 3))
def test_a_model_ends_in_the_same_whenever_it_comes(
    history: list[Happening], model: ModelParams, adopted_after: int, rescore_max: int
) -> None:
    late, early = (run(history, model, after, rescore_max) for after in (adopted_after, 0))
    for cluster in (late, early):
        cluster.tell_silence(FAR)
    assert lasting(late) == lasting(early)
    generations = {row.generation for row in late.rows().values() if row.as_of >= 0}
    assert generations <= {model.generation}


@ALL
@given(
    histories(referrals=1),
    MODELS,
    st.integers(0, 6),
    st.integers(1, 3),
    st.lists(st.booleans(), min_size=1, max_size=12).filter(lambda fates: not all(fates)),
)
def test_the_revision_rises_strictly_through_models_and_crashes(
    history: list[Happening],
    model: ModelParams,
    adopted_after: int,
    rescore_max: int,
    fates: list[bool],
) -> None:
    cluster = run(history, model, adopted_after, rescore_max, fates)
    cluster.tell_silence(FAR)
    for topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
        last: dict[str, tuple[int, str]] = {}
        for score in all_scores(cluster, topic):
            customer = score["customer_id"]
            place = score["revision"], score["as_of"]
            assert customer not in last or place[0] > last[customer][0], (last[customer], place)
            last[customer] = place


@ALL
@given(histories(), MODELS, st.integers(1, 3))
def test_each_customer_is_scored_anew_once_and_so_many_at_a_time(
    history: list[Happening], model: ModelParams, rescore_max: int
) -> None:
    cluster = Cluster(configuration())
    for event in as_arrived(history):
        cluster.send(event)
    cluster.settle()
    customers = {name for name, row in cluster.rows().items() if row.as_of >= 0}
    before = len(all_scores(cluster, LTV_UPDATES))
    while not cluster.partition(0).scoring.generation or cluster.partition(0).rescoring:
        unit = cluster.step(0, 0, model=model, rescore_max=rescore_max)
        assert unit.counts["rescored"] <= rescore_max
    again = Counter(s["customer_id"] for s in all_scores(cluster, LTV_UPDATES)[before:])
    assert again == Counter(customers)
    causes = {s["cause"]["kind"] for s in all_scores(cluster, LTV_UPDATES)[before:]}
    assert causes <= {"model"}


def test_an_older_model_is_not_adopted() -> None:
    partition = Partition(0, configuration())
    new, old = model_params(2), model_params(1, parameters=OTHER)
    for model in (new, old):
        unit = processed(partition, [], Cluster(configuration()).now, model=model)
        partition.commit(unit)
    assert partition.scoring.model_version == new.model_version


@pytest.mark.parametrize("restart", [False, True])
def test_silence_is_told_by_the_new_model(restart: bool) -> None:
    """The old model's timer must not tell what the new one has told or does not know."""
    cluster = Cluster(configuration())
    event = {"event_id": "e", "type": "purchase", "customer_id": "ann", "order_id": "o"}
    event |= {"occurred_at": START.isoformat(), "amount": "10", "currency": "USD"}
    cluster.send(event)
    cluster.settle()
    cluster.tell_silence(from_datetime(START) + 30 * DAY)
    while not cluster.partition(0).scoring.generation or cluster.partition(0).rescoring:
        cluster.step(0, 0, model=model_params(), rescore_max=5)
    if restart:
        cluster.crash(0)
    for days in (200, 9_000):  # one score a unit of work
        cluster.tell_silence(from_datetime(START) + days * DAY)
    told = [
        (s["cause"]["kind"], s["risk_band"], s["churn_probability"])
        for s in cluster.scores(CHURN_RISK_UPDATES)
    ]
    assert [kind for kind, _, _ in told] == ["event", "model", "silence", "silence"]
    assert [band for _, band, _ in told] == ["low", "medium", "high", "lapsed"]
    assert [round(churn, 6) for _, _, churn in told[2:]] == [0.8, 0.95]


def test_everyone_is_scored_by_the_new_model_whatever_messages_come_between() -> None:
    """Some messages about others change a row, but no score of it."""
    cluster = Cluster(configuration(partitions=3, lateness_days=400))
    shop = BusyShop(3, START, timedelta(days=300), 1_500, 60, partitions=3)
    for wire in islice(shop, 1_500):
        if wire.event is not None:
            cluster.send(wire.event)
    cluster.settle(200)
    for number in cluster.numbers:
        cluster.step(number, 0, model=model_params())
    while any(cluster.partition(number).rescoring for number in cluster.numbers):
        for number in cluster.numbers:
            cluster.step(number, rescore_max=20)
    cluster.settle()
    told = {score["customer_id"]: score["model_version"] for score in cluster.scores(LTV_UPDATES)}
    assert set(told.values()) == {model_params().model_version}
    assert len(told) > len(cluster.rows()) / 2
