from math import erfc, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from streamer.scoring.experiments.sample_ratio import sample_ratio


@given(st.lists(st.tuples(st.integers(0, 10**6), st.floats(0.1, 10)), min_size=2, max_size=5))
def test_it_is_the_chi_square_test(arms: list[tuple[int, float]]) -> None:
    customers = {str(place): count for place, (count, _) in enumerate(arms)}
    shares = {str(place): share for place, (_, share) in enumerate(arms)}
    found = sample_ratio(customers, shares)
    if not sum(customers.values()):
        assert found is None
        return
    assert found is not None
    oracle = stats.chisquare(list(customers.values()), list(found.expected.values()))
    assert found.chi_square == pytest.approx(oracle.statistic)
    assert found.p == pytest.approx(oracle.pvalue)


def test_by_hand() -> None:
    """821,588 against 815,482: 6106² ÷ 1,637,070 = 22.77, two tails of 4.77 standard deviations."""
    shares = {"a": 1.0, "b": 1.0}
    found = sample_ratio({"a": 821_588, "b": 815_482}, shares)
    assert found is not None
    assert found.chi_square == pytest.approx(6106**2 / 1_637_070)
    assert found.p == pytest.approx(erfc(sqrt(found.chi_square / 2)))
    assert found.mismatch
    sound = sample_ratio({"a": 5_050, "b": 4_950}, shares)
    assert sound is not None
    assert not sound.mismatch
    assert sample_ratio({"a": 5}, {"a": 1.0}) is None


def test_daily_looks_seldom_raise_a_false_alarm() -> None:
    rng = np.random.default_rng(2)
    arrived = rng.binomial(100, 0.5, (2_000, 60)).cumsum(1)
    expected = 50 * np.arange(1, 61)
    chi_square = 2 * (arrived - expected) ** 2 / expected
    least = chi_square.max(1)
    assert (stats.chi2.sf(least, 1) < 0.0005).mean() <= 0.01


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="all of them"):
        sample_ratio({"a": 1}, {"a": 1.0, "b": 1.0})
    with pytest.raises(ValueError, match="above 0"):
        sample_ratio({"a": 1, "b": 1}, {"a": 1.0, "b": 0.0})
