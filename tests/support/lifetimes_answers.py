"""Makes `tests/unit/scoring/models/lifetimes_answers.npz`: what `lifetimes` 0.11.3 says.

It needs an environment of its own, as lifetimes wants numpy < 2 and pandas < 2.2:

    python -m venv .lifetimes
    .lifetimes/bin/pip install lifetimes==0.11.3 'numpy<2' 'pandas<2.2'
    .lifetimes/bin/python tests/support/lifetimes_answers.py
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
    import lifetimes  # noqa: PLC0415 - it is not where the tests run

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


def gamma_gamma(generator: Any) -> Any:
    """Return rows of p, q, gamma, x, mean value, expected value."""
    import lifetimes  # noqa: PLC0415 - as above

    blocks = []
    for _ in range(POPULATIONS):
        ranges = (0.5, 20), (1.1, 10), (1, 50)
        p, q, v = (round(draw(generator, *between), 3) for between in ranges)
        fitter = lifetimes.GammaGammaFitter()
        fitter.params_ = {"p": p, "q": q, "v": v}
        x = generator.geometric(0.15, CUSTOMERS) - 1.0
        mean = np.where(x > 0, np.round(generator.gamma(2, 20, CUSTOMERS) + 0.01, 2), 0.0)
        expected = fitter.conditional_expected_average_profit(x, mean)
        blocks.append(np.c_[np.tile([p, q, v], (CUSTOMERS, 1)), x, mean, expected])
    return np.vstack(blocks)


def cdnow() -> Any:
    """Return x, t_x and T, in days, of the 2,357 customers of CDNOW's 1/10 sample."""
    from lifetimes.datasets import load_cdnow_summary  # noqa: PLC0415 - as above

    summary = load_cdnow_summary(index_col=[0])
    weeks = summary[["recency", "T"]].to_numpy()
    return np.c_[summary["frequency"], np.rint(weeks * 7)].astype(np.int16)


def main() -> None:
    """Write the table."""
    warnings.simplefilter("ignore")
    generator = np.random.default_rng(1)
    tables = {model: answers(model, generator) for model in RANGES}
    np.savez_compressed(TARGET, gamma_gamma=gamma_gamma(generator), cdnow=cdnow(), **tables)
    print(TARGET, TARGET.stat().st_size)  # noqa: T201 - a script


if __name__ == "__main__":
    main()
