import numpy as np
import pytest

from streamer.scoring.evaluation import baselines
from streamer.scoring.models.histories import histories

CUSTOMERS = histories([1, 3, 4], [10, 30, 20], [40, 36, 60])


def test_recency_and_hiatus_by_hand() -> None:
    assert baselines.recency(CUSTOMERS).tolist() == [-30, -6, -40]
    # mean gaps of 10, 10 and 5
    assert baselines.hiatus(CUSTOMERS).tolist() == pytest.approx([-3, -0.6, -8])


def test_the_shrunk_hiatus_is_the_lomax_survivor_of_the_silence() -> None:
    """P(gap > s) = ((α + t_x) / (α + t_x + s))^(r + x)."""
    expected = [(15 / 45) ** 3, (35 / 41) ** 5, (25 / 65) ** 6]
    found = baselines.shrunk_hiatus(CUSTOMERS, shape=2, scale=5)
    assert found.tolist() == pytest.approx(expected)


def test_shrinking_puts_few_own_gaps_nearer_to_the_shops() -> None:
    """One short gap says little: with a shop of long gaps, its owner is not lost yet."""
    eager, steady = histories([1], [1], [11]), histories([10], [10], [20])
    raw = [float(baselines.hiatus(one)[0]) for one in (eager, steady)]
    shrunk = [float(baselines.shrunk_hiatus(one, 1, 30)[0]) for one in (eager, steady)]
    assert raw[0] == raw[1]
    assert shrunk[0] > 2 * shrunk[1]
    assert np.all(np.array(shrunk) < 1)
