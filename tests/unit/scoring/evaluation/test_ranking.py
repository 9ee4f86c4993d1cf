from itertools import pairwise, permutations

import numpy as np
import pytest
from scipy import stats

from streamer.scoring.evaluation import ranking
from streamer.scoring.models.histories import Floats


def tied(seed: int, n: int, kinds: int) -> tuple[Floats, Floats]:
    """Return forecasts and purchases of n customers with many ties."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, kinds, n) / 4, rng.poisson(0.8, n).astype(np.float64)


@pytest.mark.parametrize("seed", range(5))
def test_ranks_and_spearman_are_scipys(seed: int) -> None:
    predicted, actual = tied(seed, 60, 9)
    assert ranking.mid_ranks(predicted).tolist() == stats.rankdata(predicted).tolist()
    expected = stats.spearmanr(predicted, actual).statistic
    assert ranking.spearman(predicted, actual) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(5))
def test_auc_counts_the_pairs_that_are_put_right(seed: int) -> None:
    score, actual = tied(seed, 40, 6)
    active = actual > 0
    pairs = [
        (p > n) + (p == n) / 2 for p in score[active].tolist() for n in score[~active].tolist()
    ]
    assert ranking.auc(score, active) == pytest.approx(sum(pairs) / len(pairs))


def orders(predicted: Floats) -> list[list[int]]:
    """Return every order in which the forecasts do not rise."""
    return [
        list(order)
        for order in permutations(range(len(predicted)))
        if all(predicted[a] >= predicted[b] for a, b in pairwise(order))
    ]


def area(actual: Floats, order: list[int]) -> float:
    """Return the area between the curve of cumulative shares and the diagonal."""
    shares = np.cumsum(actual[order]) / actual.sum()
    return float((shares - np.arange(1, len(order) + 1) / len(order)).sum() / len(order))


@pytest.mark.parametrize("seed", range(4))
def test_gini_is_the_mean_area_over_the_orders_of_the_tied(seed: int) -> None:
    predicted, actual = tied(seed, 7, 4)
    mean = np.mean([area(actual, order) for order in orders(predicted)])
    best = area(actual, orders(actual)[0])
    assert ranking.normalised_gini(predicted, actual) == pytest.approx(mean / best)


@pytest.mark.parametrize("seed", range(4))
def test_capture_is_the_mean_share_over_the_orders_of_the_tied(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranking, "TOP", 0.4)  # three of seven, so that ties fall on the edge
    predicted, actual = tied(seed, 7, 3)
    shares = [actual[order[:3]].sum() / actual.sum() for order in orders(predicted)]
    assert ranking.top_decile_capture(predicted, actual) == pytest.approx(np.mean(shares))


def test_a_perfect_order_and_its_reverse() -> None:
    actual = np.array([0.0, 0.0, 1.0, 5.0])
    assert ranking.normalised_gini(actual, actual) == 1
    assert ranking.normalised_gini(-actual, actual) == pytest.approx(-1)
    assert ranking.auc(actual, actual > 0) == 1
    assert ranking.top_decile_capture(actual, actual) == pytest.approx(5 / 6)


def test_what_the_data_do_not_define_is_none() -> None:
    with np.errstate(all="raise"):
        same, some = np.ones(4), np.array([0.0, 1.0, 2.0, 3.0])
        assert ranking.spearman(same, some) is None
        assert ranking.spearman(some, same) is None
        assert ranking.normalised_gini(some, same) is None
        assert ranking.auc(some, same > 0) is None
        assert ranking.auc(some, same > 1) is None
        assert ranking.top_decile_capture(some, np.zeros(4)) is None
        assert ranking.normalised_gini(same, some) == 0
