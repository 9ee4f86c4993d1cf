from math import exp, log

import mpmath
import numpy as np
import pytest

from streamer.scoring.evaluation import accuracy

PREDICTED = np.array([0.5, 1.0, 4.0])
ACTUAL = np.array([0.0, 3.0, 3.0])


def test_errors_by_hand() -> None:
    assert accuracy.bias_percent(PREDICTED, ACTUAL) == pytest.approx(100 * (5.5 - 6) / 6)
    assert accuracy.mean_absolute_error(PREDICTED, ACTUAL) == pytest.approx((0.5 + 2 + 1) / 3)
    assert accuracy.root_mean_squared_error(PREDICTED, ACTUAL) == pytest.approx(
        ((0.25 + 4 + 1) / 3) ** 0.5
    )


def test_there_is_no_bias_without_purchases() -> None:
    assert accuracy.bias_percent(PREDICTED, np.zeros(3)) is None


def test_deviance_is_twice_the_log_likelihood_lost_to_a_perfect_forecast() -> None:
    def log_likelihood(mean: float, count: float) -> float:
        return float(count * log(mean) - mean) if mean else 0.0

    lost = [
        log_likelihood(float(y), float(y)) - log_likelihood(float(mu), float(y))
        for mu, y in zip(PREDICTED, ACTUAL, strict=True)
    ]
    assert accuracy.poisson_deviance(PREDICTED, ACTUAL) == pytest.approx(2 * sum(lost) / 3)


def test_what_was_called_impossible_costs_much_but_not_infinitely() -> None:
    with np.errstate(all="raise"):
        cost = accuracy.poisson_deviance(np.zeros(1), np.ones(1))
        assert cost == pytest.approx(2 * (-1 - log(accuracy.TINY)))
        for certain, outcome in ((0.0, 1.0), (1.0, 0.0)):
            loss = accuracy.log_loss(np.array([certain]), np.array([outcome]))
            assert 36 < loss < 709


def test_scores_of_probabilities_by_hand() -> None:
    probability, happened = np.array([0.9, 0.2, 0.0]), np.array([1.0, 1.0, 0.0])
    assert accuracy.brier_score(probability, happened) == pytest.approx((0.01 + 0.64) / 3)
    assert accuracy.log_loss(probability, happened) == pytest.approx(-log(0.9 * 0.2) / 3)


def test_log_loss_keeps_its_digits_near_certainty() -> None:
    happened = np.ones(1)
    for distance in (1e-3, 1e-9):
        probability = np.array([1 - distance])
        exact = float(-mpmath.log(mpmath.mpf(float(probability[0]))))
        assert accuracy.log_loss(probability, happened) == pytest.approx(exact, rel=1e-12)


def test_groups_tell_what_their_customers_tell_of_two_forecasts() -> None:
    """A group's scores differ from its customers' by what no forecast changes."""
    outcomes = np.array([1.0, 0.0, 0.0, 1.0, 1.0])
    group, customers = np.array([0, 0, 0, 1, 1]), np.array([3.0, 2.0])
    shares = np.array([1 / 3, 1.0])
    first, second = np.array([0.2, 0.7]), np.array([0.4, exp(-0.1)])
    for score in (accuracy.brier_score, accuracy.log_loss, accuracy.poisson_deviance):
        alone = score(first[group], outcomes) - score(second[group], outcomes)
        together = score(first, shares, customers) - score(second, shares, customers)
        assert together == pytest.approx(alone)


def test_coverage_counts_the_ends_in() -> None:
    low, high = np.array([0.0, 1.0, 2.0, 0.0]), np.array([0.0, 2.0, 3.0, 1.0])
    assert accuracy.interval_coverage(low, high, np.array([0.0, 2.0, 1.0, 2.0])) == 0.5
    assert accuracy.interval_coverage(low[:0], high[:0], low[:0]) is None
