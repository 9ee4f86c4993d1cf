"""The oracle: draws of what customers spend, see ``tests.support.posterior``."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import Floats, Histories, histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.pareto_nbd import ParetoNbd
from streamer.scoring.models.predictive import value_interval
from tests.support.posterior import Model, draw_purchases, draw_values

MODELS: list[Model] = [
    MbgNbd(0.525, 6.183, 0.891, 1.614),
    BgNbd(0.2426, 4.4136, 0.7929, 2.4259),
    ParetoNbd(0.5533, 10.578, 0.6062, 11.669),
]
CDNOW = GammaGamma(6.25, 3.74, 15.44)
CUSTOMERS = histories(
    x=[0, 0, 1, 2, 4, 6, 10, 12, 29, 70, 300, 700],
    t_x=[0, 0, 30, 20, 38, 10, 39, 36, 38, 38, 38, 38],
    T=[2, 39, 39, 38.86, 39, 38, 39, 39, 39, 39, 39, 39],
)
MEAN_VALUES = np.array([0.0, 0, 20, 90, 35, 12, 44, 30, 31, 400, 8, 25])
DRAWS = 20_000
ERROR = 4 * 0.5 / np.sqrt(DRAWS)


def interval(
    model: Model,
    spend: GammaGamma = CDNOW,
    *,
    customers: Histories = CUSTOMERS,
    horizon: float = 39.0,
    level: float = 0.8,
    discount: float = 1.0,
    correction: Floats | float = 1.0,
    values: Floats = CUSTOMERS.x,
    mean_value: Floats = MEAN_VALUES,
) -> tuple[Floats, Floats]:
    return value_interval(
        model,
        spend,
        customers,
        values,
        mean_value,
        horizon,
        level,
        discount=discount,
        correction=correction,
    )


def assert_tails(
    model: Model, spend: GammaGamma, horizon: float, level: float, *, correction: float = 1.0
) -> None:
    rng = np.random.default_rng(1)
    bought = draw_purchases(model, CUSTOMERS, horizon, rng, DRAWS, correction=correction)
    drawn = draw_values(spend, bought, CUSTOMERS.x, MEAN_VALUES, rng)
    low, high = interval(model, spend, horizon=horizon, level=level, correction=correction)
    tail, none = (1 - level) / 2, (drawn == 0).mean(axis=0)
    above = np.clip(none, tail, 1 - level)
    off = ERROR + 0.006
    assert (np.abs((drawn < low).mean(axis=0) - tail)[low > 0] < off).all()
    assert (np.abs((drawn > high).mean(axis=0) - above)[high > 0] < off).all()
    assert (none[low == 0] >= tail - ERROR).all()
    assert (none[high == 0] >= 1 - above[high == 0] - ERROR).all()


@pytest.mark.parametrize(
    ("horizon", "level"), [(4.0, 0.8), (39.0, 0.5), (39.0, 0.8), (520.0, 0.98)]
)
@pytest.mark.parametrize("model", MODELS)
def test_bounds_are_the_quantiles_of_what_customers_spend(
    model: Model, horizon: float, level: float
) -> None:
    assert_tails(model, CDNOW, horizon, level)


@pytest.mark.parametrize("spend", [GammaGamma(2.5, 0.9, 8), GammaGamma(0.6, 2.2, 100)])
def test_values_may_vary_without_a_mean_or_more_than_exponentially(spend: GammaGamma) -> None:
    assert_tails(MODELS[0], spend, 39.0, 0.8)


@pytest.mark.parametrize("correction", [0.6, 1.5])
@pytest.mark.parametrize("model", MODELS)
def test_a_correction_multiplies_the_rates_to_come(model: Model, correction: float) -> None:
    assert_tails(model, CDNOW, 39.0, 0.8, correction=correction)


def test_without_a_known_value_the_population_stands_in() -> None:
    nothing = np.zeros_like(CUSTOMERS.x)
    unknown = interval(MODELS[0], values=nothing, mean_value=MEAN_VALUES)
    assert np.array_equal(unknown, interval(MODELS[0], values=nothing, mean_value=nothing))


def test_value_is_in_the_unit_of_the_money() -> None:
    cents = GammaGamma(CDNOW.p, CDNOW.q, CDNOW.gamma * 100)
    in_cents = interval(MODELS[0], cents, mean_value=MEAN_VALUES * 100)
    assert np.array(in_cents) / 100 == pytest.approx(np.array(interval(MODELS[0])), rel=1e-9)


def test_discounting_takes_the_same_share_of_both_bounds() -> None:
    discounted = interval(MODELS[0], discount=0.9)
    assert np.array(discounted) == pytest.approx(0.9 * np.array(interval(MODELS[0])), rel=1e-12)


def test_losses_count_as_no_value() -> None:
    low, high = interval(MODELS[0], mean_value=-MEAN_VALUES)
    assert np.array_equal((low, high), interval(MODELS[0], mean_value=0 * MEAN_VALUES))


@pytest.mark.parametrize("model", MODELS)
def test_a_higher_level_holds_a_lower_one(model: Model) -> None:
    bounds = np.array([interval(model, level=level) for level in np.linspace(0.02, 0.99, 40)])
    assert (np.diff(bounds[:, 0], axis=0) <= 0).all()
    assert (np.diff(bounds[:, 1], axis=0) >= 0).all()
    assert (bounds[:, 0] <= bounds[:, 1]).all()


@pytest.mark.parametrize("model", MODELS)
def test_a_customer_has_the_same_bounds_alone_and_among_others(model: Model) -> None:
    together = np.array(interval(model))
    for row in range(len(CUSTOMERS.x)):
        one = slice(row, row + 1)
        alone = Histories(CUSTOMERS.x[one], CUSTOMERS.t_x[one], CUSTOMERS.T[one])
        low, high = interval(model, customers=alone, values=alone.x, mean_value=MEAN_VALUES[one])
        assert [low[0], high[0]] == together[:, row].tolist()


SHAPES = st.floats(-3, 3).map(lambda exponent: 10.0**exponent)
SCALES = st.floats(-4, 6).map(lambda exponent: 10.0**exponent)


@st.composite
def models(draw: st.DrawFn) -> Model:
    r, alpha, third = draw(SHAPES), draw(SCALES), draw(SHAPES)
    if draw(st.booleans()):
        return ParetoNbd(r, alpha, third, draw(SCALES))
    family: type[MbgNbd | BgNbd] = MbgNbd if draw(st.booleans()) else BgNbd
    return family(r, alpha, third, draw(SHAPES))


@settings(max_examples=100, deadline=None)
@given(
    model=models(),
    spend=st.builds(GammaGamma, SHAPES, SHAPES, SCALES),
    x=st.integers(0, 5000),
    recency=st.floats(0, 1),
    age=st.floats(1 / 168, 1565),
    horizon=st.floats(0, 522),
    level=st.floats(0.01, 0.99),
    correction=st.floats(0.2, 5),
)
def test_bounds_are_finite_and_in_order_for_any_customer(
    *,
    model: Model,
    spend: GammaGamma,
    x: int,
    recency: float,
    age: float,
    horizon: float,
    level: float,
    correction: float,
) -> None:
    customers = histories(x, recency * age if x else 0, age)
    with np.errstate(all="raise"):
        low, high = interval(
            model,
            spend,
            customers=customers,
            horizon=horizon,
            level=level,
            correction=correction,
            values=customers.x,
            mean_value=np.array([25.0]),
        )
    assert np.isfinite(high).all()
    assert (low >= 0).all()
    assert (low <= high).all()
