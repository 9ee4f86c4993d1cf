"""The oracle: tuples in a set."""

import numpy as np
import pytest

from streamer.scoring.models.histories import distinct


@pytest.mark.parametrize("number", [0, 1, 2, 12, 64, 65, 3000])
@pytest.mark.parametrize("kinds", [1, 3, 10_000])
def test_each_customer_is_served_by_one_of_the_same_history(number: int, kinds: int) -> None:
    rng = np.random.default_rng(number)
    columns = rng.integers(0, kinds, (3, number)).astype(np.float64)
    some, places = distinct(*columns)
    assert (columns[:, some[places]] == columns).all()
    assert len(some) == len(set(zip(*columns.tolist(), strict=True)))
