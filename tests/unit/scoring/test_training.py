"""From rows to a model: recovered, checked, versioned; or the formula with its reason."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from streamer.records.instants import from_datetime
from streamer.records.models import ModelParams
from streamer.scoring.fitted import fitted_model
from streamer.scoring.training import Aim, train
from streamer.serdes.models import decode_model_params, encode_model_params
from streamer.serdes.rows import decode_model, encode_model
from streamer.simulate import PurchaseProcess, Shop, simulate
from streamer.state.row import Row
from tests.support.cluster import Cluster
from tests.support.histories import configuration
from tests.support.schemas import validator

START = datetime(2023, 1, 1, tzinfo=UTC)
UNTIL = from_datetime(datetime(2024, 11, 30, tzinfo=UTC))
NOW = datetime(2026, 1, 1, tzinfo=UTC)
TRUTH = {"r": 0.6, "alpha": 30.0, "a": 0.5, "b": 2.0}
AIM = Aim("mbg_nbd", "USD", 365.0, 0.8, 4)


def rows_of(customers: int) -> list[Row]:
    shop = Shop(
        customers=customers,
        start=START,
        days=698,
        acquisition_days=400,
        process=PurchaseProcess("mbg_nbd", **TRUTH),
    )
    cluster = Cluster(configuration())
    for event in simulate(shop, seed=11):
        cluster.send(event)
    cluster.settle()
    return list(cluster.rows().values())


@pytest.fixture(scope="module")
def model() -> ModelParams:
    return train(rows_of(1500), UNTIL, NOW, AIM)


def test_the_parameters_are_those_of_the_shop(model: ModelParams) -> None:
    for name, truth in TRUTH.items():
        assert abs(model.parameters[name] - truth) < 3 * model.standard_errors[name], name
    assert (model.customers, model.generation, model.reason) == (1500, 4, None)
    assert model.model_version.startswith("mbg_nbd-4-")
    assert model.value_parameters is not None


def test_the_forecast_of_a_shop_that_is_as_the_model_says_holds(model: ModelParams) -> None:
    assert model.check is not None
    assert abs(model.check.bias_percent or 100) < 15
    assert 0.78 < (model.check.interval_coverage or 0) < 0.97
    assert (model.check.auc or 0) > (model.check.recency_auc or 1) - 0.02
    assert len(model.check.deciles) == 10


def test_a_model_survives_its_ways_of_being_written(model: ModelParams) -> None:
    value = encode_model_params(model)
    validator("model-params.json").validate(json.loads(value))
    assert decode_model_params(value) == model
    assert decode_model(encode_model(model)) == model
    fitted = fitted_model(model)
    assert fitted.purchases is not None
    assert fitted.purchases.name == "mbg_nbd"
    assert json.loads(msgspec.json.encode(fitted.calibration)) == model.calibration


def test_the_version_follows_from_the_parameters(model: ModelParams) -> None:
    again = train(rows_of(1500), UNTIL, NOW.replace(year=2027), AIM)
    assert again.model_version == model.model_version


@pytest.mark.parametrize("customers", [0, 20])
def test_a_small_shop_stays_with_the_formula(customers: int) -> None:
    rows = rows_of(customers) if customers else []
    small = train(rows, UNTIL, NOW, AIM)
    assert (small.model, small.model_version, small.generation) == ("formula", "formula", 4)
    assert small.reason
    assert fitted_model(small).purchases is None
    validator("model-params.json").validate(json.loads(encode_model_params(small)))


def test_parameters_that_are_none_are_refused() -> None:
    for wrong in ({"r": 1.0}, {"r": -1.0, "alpha": 1.0, "a": 1.0, "b": 1.0}):
        params = ModelParams(
            model_version="mbg_nbd-1-x",
            generation=1,
            model="mbg_nbd",
            parameters=wrong,
            currency="USD",
            customers=1,
            repeat_customers=1,
            data_until=NOW,
            fitted_at=NOW,
        )
        with pytest.raises(ValueError, match=r"parameters|r must be"):
            fitted_model(params)
