import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.scoring.calibration import (
    LEVEL_PRIOR,
    Calibration,
    Correction,
    Outcome,
    activity_improves,
    calibrate,
    fit_activity_correction,
    fit_correction,
    purchases_improve,
)
from streamer.scoring.models.histories import Floats

LENGTH = 13.0


def window(rng: np.random.Generator, distort: float, n: int = 4000) -> Outcome:
    """Return a window of Poisson customers whose rates are ``distort`` times those foretold."""
    expected = rng.gamma(0.5, 1.0, n)
    purchases = rng.poisson(distort * expected).astype(np.float64)
    inactive = (purchases == 0).astype(np.float64)
    return Outcome(expected, np.exp(-expected), purchases, inactive, np.ones(n))


def relative_bias(forecast: Floats, outcome: Outcome) -> float:
    return float(forecast.sum() / outcome.purchases.sum() - 1)


# -- what a map does ------------------------------------------------------------------------------


def test_a_map_is_linear_between_its_knots_through_0_and_proportional_beyond() -> None:
    bent = Correction(predicted=(1.0, 3.0), corrected=(2.0, 3.0))
    assert bent.apply(np.array([0.0, 0.25, 1.0, 2.0, 3.0, 30.0])).tolist() == pytest.approx(
        [0, 0.5, 2, 2.5, 3, 30]
    )


def test_without_knots_nothing_changes() -> None:
    values = np.array([0.0, 0.1, 5e300])
    assert Correction().apply(values).tolist() == values.tolist()
    assert Correction().version == "identity"


def test_a_map_is_small_json_and_its_version_follows_from_its_knots() -> None:
    rng = np.random.default_rng(1)
    outcome = window(rng, 1.4)
    fitted = fit_correction(outcome.expected_purchases, outcome.purchases, outcome.customers)
    text = msgspec.json.encode(fitted)
    assert len(text) < 500
    again = msgspec.json.decode(text, type=Correction)
    assert again == fitted
    assert again.version == fitted.version != fitted.per(2).version


def test_the_rate_of_a_quarter_serves_a_year() -> None:
    half_more = Calibration(
        purchases=Correction((0.1, 0.2), (0.15, 0.3)), activity=Correction((0.1,), (0.15,))
    )
    for horizon in (13.0, 52.0):
        expected = half_more.expected_purchases(np.array([0.05 * horizon]), horizon)
        assert expected.tolist() == pytest.approx([0.075 * horizon])
        churn = half_more.no_purchase_probability(np.exp([-0.05 * horizon]), horizon)
        assert churn.tolist() == pytest.approx([np.exp(-0.075 * horizon)])


def test_certainty_stays_certain_and_probabilities_stay_so() -> None:
    with np.errstate(all="raise", under="ignore"):
        activity = Calibration(activity=Correction((0.1,), (0.3,)))
        certain = activity.no_purchase_probability(np.array([1.0, 0.5, 1e-300, 0.0]), LENGTH)
    assert certain[0] == 1
    assert np.all(np.diff(certain) <= 0)
    assert np.all(certain >= 0)


FORECASTS = st.lists(st.tuples(st.floats(0, 50), st.integers(0, 60)), min_size=1, max_size=40)


@settings(max_examples=200, deadline=None)
@given(FORECASTS)
def test_the_order_of_customers_stays_strictly_as_it_was(rows: list[tuple[float, int]]) -> None:
    predicted, actual = np.array(rows, dtype=np.float64).T
    one = np.ones_like(predicted)
    probability = -np.expm1(-predicted)
    with np.errstate(all="raise", under="ignore"):
        for fitted in (
            fit_correction(predicted, actual, one),
            fit_activity_correction(probability, (actual > 0).astype(np.float64), one),
        ):
            values = np.sort(np.array([0, *fitted.predicted, 1e-3, 0.7, 60]))
            values = values[np.diff(values, prepend=-1) > 1e-6]
            mapped = fitted.apply(values)
            assert mapped[0] == 0
            assert np.all(np.diff(mapped) > 0)


# -- what a map learns ----------------------------------------------------------------------------


def test_the_total_is_shrunk_by_a_window_in_which_the_forecast_came_true() -> None:
    """(2·1500 + P + prior)/(2·1000 + P + prior) for two windows of 1000 that came to 1500."""
    predicted = np.repeat([0.5, 1.5], 1000)
    fitted = fit_correction(predicted, 1.5 * predicted, np.ones(2000), windows=2)
    prior = 1000 + LEVEL_PRIOR
    level = (3000 + prior) / (2000 + prior)
    assert fitted.apply(predicted).sum() == pytest.approx(2000 * level)


def test_low_deciles_that_are_foretold_too_low_are_raised_above_the_high() -> None:
    predicted = np.repeat([0.1, 2.0], 20_000)
    fitted = fit_correction(predicted, np.repeat([0.2, 2.0], 20_000), np.ones(40_000), windows=50)
    low, high = (fitted.apply(np.array([0.1, 2.0])) / [0.1, 2.0]).tolist()
    assert low == pytest.approx(2, abs=0.15)
    assert high == pytest.approx(1, abs=0.05)


def test_deciles_serve_as_well_as_their_customers() -> None:
    rng = np.random.default_rng(5)
    whole = window(rng, 1.3, n=1000)
    order = np.argsort(whole.expected_purchases)
    tenths = order.reshape(10, 100)
    grouped = fit_correction(
        whole.expected_purchases[tenths].mean(axis=1),
        whole.purchases[tenths].mean(axis=1),
        np.full(10, 100.0),
    )
    alone = fit_correction(whole.expected_purchases, whole.purchases, whole.customers)
    assert grouped.predicted == pytest.approx(alone.predicted, rel=0.02)
    assert grouped.corrected == pytest.approx(alone.corrected, rel=0.02)


def test_nothing_expected_teaches_nothing() -> None:
    with np.errstate(all="raise"):
        none = np.zeros(5)
        assert fit_correction(none, none, np.ones(5)) == Correction()
        assert fit_activity_correction(none, none, np.ones(5)) == Correction()
        assert fit_correction(none[:0], none[:0], none[:0]) == Correction()


# -- when a map is used ---------------------------------------------------------------------------


@pytest.mark.parametrize("distort", [0.7, 1.3])
def test_a_lasting_error_is_put_right(distort: float) -> None:
    rng = np.random.default_rng(2)
    *past, later = [window(rng, distort) for _ in range(5)]
    found = calibrate(past, LENGTH)
    before = relative_bias(later.expected_purchases, later)
    after = relative_bias(found.expected_purchases(later.expected_purchases, LENGTH), later)
    assert abs(after) < abs(before) / 2
    assert purchases_improve(found, later, LENGTH)
    assert activity_improves(found, later, LENGTH)


def test_an_error_that_turns_round_is_left_alone() -> None:
    rng = np.random.default_rng(3)
    assert calibrate([window(rng, 1.3), window(rng, 0.8)], LENGTH) == Calibration()


def test_one_window_convinces_nobody() -> None:
    rng = np.random.default_rng(4)
    assert calibrate([], LENGTH) == Calibration()
    assert calibrate([window(rng, 1.5)], LENGTH) == Calibration()


def test_forecasts_that_come_true_are_moved_by_less_than_their_noise() -> None:
    rng = np.random.default_rng(6)
    for _ in range(20):
        *past, later = [window(rng, 1, n=1000) for _ in range(4)]
        found = calibrate(past, LENGTH)
        moved = found.expected_purchases(later.expected_purchases, LENGTH)
        assert abs(moved.sum() / later.expected_purchases.sum() - 1) < 0.05
