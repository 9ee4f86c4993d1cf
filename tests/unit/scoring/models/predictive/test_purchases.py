"""The oracle: draws of what customers do, see ``tests.support.posterior``."""

import numpy as np
import pytest

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.histories import Histories, histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive import purchase_interval
from tests.support.posterior import Model, draw_purchases

MODELS: list[Model] = [
    MbgNbd(0.525, 6.183, 0.891, 1.614),
    BgNbd(0.2426, 4.4136, 0.7929, 2.4259),
    ParetoNbd(0.5533, 10.578, 0.6062, 11.669),
]
CUSTOMERS = histories(
    x=[0, 0, 1, 2, 4, 6, 10, 12, 29, 70, 300, 700],
    t_x=[0, 0, 30, 20, 38, 10, 39, 36, 38, 38, 38, 38],
    T=[2, 39, 39, 38.86, 39, 38, 39, 39, 39, 39, 39, 39],
)
DRAWS = 20_000
ERROR = 4 * 0.5 / np.sqrt(DRAWS)


def assert_quantiles(
    model: Model, customers: Histories, horizon: float, level: float, correction: float = 1.0
) -> None:
    """Each bound is the smallest that leaves no more than its tail on its far side."""
    rng = np.random.default_rng(1)
    drawn = draw_purchases(model, customers, horizon, rng, DRAWS, correction=correction)
    low, high = purchase_interval(model, customers, horizon, level, correction)
    tail = (1 - level) / 2
    above = np.clip((drawn == 0).mean(axis=0), tail, 1 - level)
    assert ((drawn < low).mean(axis=0) <= tail + ERROR).all()
    assert ((drawn <= low).mean(axis=0) >= tail - ERROR).all()
    assert ((drawn > high).mean(axis=0) <= above + ERROR).all()
    assert (((drawn >= high).mean(axis=0) > above - ERROR) | (high == 0)).all()
    assert (((drawn >= low) & (drawn <= high)).mean(axis=0) >= level - ERROR).all()


@pytest.mark.parametrize(
    ("horizon", "level"), [(4.0, 0.8), (39.0, 0.5), (39.0, 0.8), (520.0, 0.98)]
)
@pytest.mark.parametrize("model", MODELS)
def test_bounds_are_the_quantiles_of_what_customers_do(
    model: Model, horizon: float, level: float
) -> None:
    assert_quantiles(model, CUSTOMERS, horizon, level)


@pytest.mark.parametrize("correction", [0.6, 1.5])
@pytest.mark.parametrize("model", MODELS)
def test_a_correction_multiplies_the_rates_to_come(model: Model, correction: float) -> None:
    assert_quantiles(model, CUSTOMERS, 39.0, 0.8, correction)


@pytest.mark.parametrize("model", MODELS)
def test_each_customer_has_a_correction_of_its_own(model: Model) -> None:
    factors = np.linspace(0.5, 2, len(CUSTOMERS.x))
    bounds = np.stack(purchase_interval(model, CUSTOMERS, 39.0, 0.8, factors))
    for row, factor in enumerate(factors.tolist()):
        alone = np.stack(purchase_interval(model, CUSTOMERS, 39.0, 0.8, factor))
        assert np.array_equal(bounds[:, row], alone[:, row])


@pytest.mark.parametrize("model", MODELS)
def test_a_higher_level_holds_a_lower_one(model: Model) -> None:
    levels = np.linspace(0.01, 0.999, 50)
    bounds = np.array([purchase_interval(model, CUSTOMERS, 39.0, level) for level in levels])
    assert (np.diff(bounds[:, 0], axis=0) <= 0).all()
    assert (np.diff(bounds[:, 1], axis=0) >= 0).all()
    assert (bounds[:, 0] <= bounds[:, 1]).all()


@pytest.mark.parametrize("model", MODELS)
def test_there_is_nothing_to_buy_in_no_time(model: Model) -> None:
    low, high = purchase_interval(model, CUSTOMERS, 0.0, 0.8)
    assert not low.any()
    assert not high.any()


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 80.0, float("nan")])
def test_a_level_is_a_share(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        purchase_interval(MODELS[0], CUSTOMERS, 39.0, level)


@pytest.mark.parametrize("model", MODELS)
def test_the_keenest_of_customers_over_ten_years(model: Model) -> None:
    """5,000 purchases in an hour, or in 30 years, in weeks."""
    customers = histories(x=[5000, 5000], t_x=[1 / 168, 1565], T=[1 / 168, 1565])
    with np.errstate(all="raise", under="ignore"):
        assert_quantiles(model, customers, 522.0, 0.8)
