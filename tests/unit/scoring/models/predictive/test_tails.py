import numpy as np
import pytest

from streamer.scoring.models.predictive.tails import lower_tail, upper_tail


def test_tails_are_equal_until_zero_fills_the_lower_one() -> None:
    none = np.array([0.0, 0.1, 0.15, 0.2, 0.9])
    assert lower_tail(0.8) == pytest.approx(0.1)
    assert upper_tail(none, 0.8) == pytest.approx([0.1, 0.1, 0.15, 0.2, 0.2])
