"""Makes `tests/unit/scoring/models/lifetimes_answers.npz`: what `lifetimes` 0.11.3 says.

It needs an environment of its own, as lifetimes wants numpy < 2 and pandas < 2.2:

    python -m venv /tmp/lifetimes
    /tmp/lifetimes/bin/pip install lifetimes==0.11.3 'numpy<2' 'pandas<2.2'
    /tmp/lifetimes/bin/python tests/support/lifetimes_answers.py
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).parents[1] / "unit/scoring/models/lifetimes_answers.npz"
POPULATIONS, CUSTOMERS = 20, 50
RANGES = {
    "mbg_nbd": {"r": (0.1, 5), "alpha": (1, 100), "a": (0.1, 5), "b": (0.3, 10)},
    "bg_nbd": {"r": (0.1, 5), "alpha": (1, 100), "a": (0.1, 5), "b": (0.3, 10)},
    "pareto_nbd": {"r": (0.1, 5), "alpha": (1, 100), "s": (0.1, 5), "beta": (1, 100)},
}


def answers(model: str, generator: Any) -> Any:
    """Return rows of four parameters, x, t_x, T, horizon, alive, conditional, unconditional."""
    import lifetimes  # noqa: PLC0415 - not in the environment of the tests that import nothing here

    fitters = {
        "mbg_nbd": lifetimes.ModifiedBetaGeoFitter,
        "bg_nbd": lifetimes.BetaGeoFitter,
        "pareto_nbd": lifetimes.ParetoNBDFitter,
    }
    blocks = []
    for _ in range(POPULATIONS):
        names = list(RANGES[model])
        values = [round(draw(generator, *RANGES[model][name]), 3) for name in names]
        fitter = fitters[model]()
        fitter.params_ = dict(zip(names, values, strict=True))
        horizon = round(draw(generator, 1, 400), 2)
        x = np.minimum(generator.geometric(0.15, CUSTOMERS) - 1.0, 60.0)
        T = np.round(generator.uniform(1, 300, CUSTOMERS), 2)
        t_x = np.where(x > 0, np.round(T * generator.random(CUSTOMERS) ** 0.5, 2), 0.0)
        alive = fitter.conditional_probability_alive(x, t_x, T)
        expected = fitter.conditional_expected_number_of_purchases_up_to_time(horizon, x, t_x, T)
        new = np.full(CUSTOMERS, fitter.expected_number_of_purchases_up_to_time(horizon))
        known = np.tile([*values, horizon], (CUSTOMERS, 1))
        blocks.append(np.c_[known[:, :4], x, t_x, T, known[:, 4], alive, expected, new])
    return np.vstack(blocks)


def draw(generator: Any, low: float, high: float) -> float:
    """Return a number between two, evenly by its logarithm."""
    return float(np.exp(generator.uniform(np.log(low), np.log(high))))


def main() -> None:
    """Write the table."""
    warnings.simplefilter("ignore")
    generator = np.random.default_rng(1)
    np.savez_compressed(TARGET, **{model: answers(model, generator) for model in RANGES})
    print(TARGET, TARGET.stat().st_size)  # noqa: T201 - a script


if __name__ == "__main__":
    main()
