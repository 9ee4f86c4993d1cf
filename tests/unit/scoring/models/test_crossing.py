"""The oracle: roots that are known beforehand."""

import numpy as np
import pytest

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.crossing import BY_NEWTON, Rows, falls_to_zero, newton_step
from streamer.scoring.models.histories import Floats, histories
from streamer.scoring.models.mbg_nbd import MbgNbd

ROOTS = np.array([-2.0, 0.0, 1e-9, 0.7, 3.0, 40.0])
END = np.array([-1.0, 5.0, 5.0, 0.7, 5.0, 41.0])
NEAR = np.full(len(END), BY_NEWTON)


def falling(y: Floats, rows: Rows) -> tuple[Floats, Floats]:
    return 1 - np.exp(y - ROOTS[rows]), -np.exp(y - ROOTS[rows])


def test_steps_come_down_to_the_root_or_to_zero() -> None:
    def by_newton(y: Floats, rows: Rows) -> tuple[Floats, Floats]:
        value, slope = falling(y, rows)
        return value, newton_step(value, slope)

    found = falls_to_zero(by_newton, END, NEAR)
    assert found == pytest.approx(np.maximum(ROOTS, 0), abs=1e-12)


@pytest.mark.parametrize("step", [0.0, 100.0, -100.0, np.nan])
def test_whoever_steps_astray_is_halved(step: float) -> None:
    """A step of 0 stands still: that counts as having arrived."""
    found = falls_to_zero(lambda y, rows: (falling(y, rows)[0], np.full_like(y, step)), END, NEAR)
    expected = np.maximum(END, 0) if step == 0 else np.maximum(ROOTS, 0)
    assert found == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("kind", [MbgNbd, BgNbd])
def test_few_looks_find_the_crossings_of_any_shop(
    kind: type[MbgNbd | BgNbd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search that ends by going in circles in the last digit would take a hundred."""
    looks: list[int] = []

    def counted(excess: object, *others: object) -> Floats:
        def look(y: Floats, rows: Rows) -> tuple[Floats, Floats]:
            looks[-1] += 1
            return excess(y, rows)  # type: ignore[operator, no-any-return]

        looks.append(0)
        return falls_to_zero(look, *others)  # type: ignore[arg-type]

    monkeypatch.setattr("streamer.scoring.models.beta_geometric.falls_to_zero", counted)
    rng = np.random.default_rng(1)
    for _ in range(100):
        model = kind(*np.exp(rng.uniform(np.log(1e-3), np.log(1e3), 4)))
        x, T = np.floor(np.exp(rng.uniform(0, np.log(5001), 100))) - 1, np.exp(rng.uniform(-3, 9))
        t_x = np.where(x > 0, T * rng.random(100), 0)
        model.age_at(histories(x, t_x, T), 365.0, rng.choice([0.01, 0.5, 0.8, 0.95, 0.999], 100))
    assert max(looks) <= 8
