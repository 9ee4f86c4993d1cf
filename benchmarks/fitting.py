"""How long fits take: CDNOW's master file, and a million simulated customers.

    python -m benchmarks.fitting [--customers 1000000] [--lifetimes PYTHON]

PYTHON is that of an environment with `lifetimes` 0.11.3, which then fits the same customers.
"""

import json
import subprocess
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import this_machine
from streamer.files import cdnow_master
from streamer.files.histories import read_histories
from streamer.scoring.fitting import PURCHASE_LIKELIHOODS, fit_purchases
from streamer.scoring.models.histories import Floats, Histories
from streamer.scoring.time_unit import TimeUnit

CONTENDER = Path(__file__).parent / "contenders" / "lifetimes_fit.py"
CONTENDER_MODELS = ("mbg_nbd", "bg_nbd")
CONTENDER_SECONDS_MAX = 1800
TRUTH = {"r": 0.525, "alpha": 6.183, "a": 0.891, "b": 1.614}
SEED = 1


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    parser.add_argument("--lifetimes", help="a Python that has lifetimes")
    options = parser.parse_args()
    machine = this_machine()
    print(f"{machine.cpu}, {machine.cores} cores, load average {machine.load_average:.1f}")
    shops = {
        "CDNOW master, by days": cdnow(),
        "simulated, by days": simulated(options.customers, whole_days=True),
        "simulated, continuous": simulated(options.customers, whole_days=False),
    }
    for name, customers in shops.items():
        peers = by_lifetimes(options.lifetimes, customers) if options.lifetimes else {}
        print(f"\n{name}: {len(customers.x):,} customers")
        for model in PURCHASE_LIKELIHOODS:
            began = time.perf_counter()
            fit = fit_purchases(model, customers, TimeUnit.WEEK)
            show(model, "streamer", time.perf_counter() - began, fit.parameters)
            if model in peers:
                show(model, "lifetimes", peers[model]["seconds"], peers[model]["parameters"])


def show(model: str, by: str, seconds: float, parameters: Mapping[str, float]) -> None:
    told = ", ".join(f"{name} {value:.4f}" for name, value in parameters.items())
    print(f"  {model:10}  {by:9}  {seconds:8.3f} s   {told}")


def cdnow() -> Histories:
    found = read_histories(str(cdnow_master()), date(1997, 9, 30))
    return Histories(found.x, found.t_x, found.T)


def simulated(n: int, *, whole_days: bool) -> Histories:
    """Draw customers of an MBG/NBD shop of 78 weeks, acquired in the first 26 of them."""
    rng = np.random.default_rng(SEED)
    rate = rng.gamma(TRUTH["r"], 1 / TRUTH["alpha"], n)
    chance = rng.beta(TRUTH["a"], TRUTH["b"], n)
    age = rng.uniform(52, 78, n)
    x, t_x = np.zeros(n), np.zeros(n)
    active = np.flatnonzero(rng.random(n) >= chance)
    while active.size:
        times = t_x[active] + rng.exponential(size=active.size) / np.maximum(rate[active], 1e-300)
        bought = times <= age[active]
        active = active[bought]
        x[active] += 1
        t_x[active] = times[bought]
        active = active[rng.random(active.size) >= chance[active]]
    return Histories(x, by_days(t_x), by_days(age)) if whole_days else Histories(x, t_x, age)


def by_days(weeks: Floats) -> Floats:
    """Round to whole days, never past one another: all up."""
    return np.ceil(weeks * 7) / 7


def by_lifetimes(python: str, customers: Histories) -> dict[str, Any]:
    """Return the seconds and the parameters that lifetimes takes and finds, by model."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "customers.npz"
        np.savez(file, x=customers.x, t_x=customers.t_x, T=customers.T)
        command = [python, "-W", "ignore", str(CONTENDER), str(file), *CONTENDER_MODELS]
        answer = subprocess.run(
            command, check=True, capture_output=True, timeout=CONTENDER_SECONDS_MAX
        )
    answers: dict[str, Any] = json.loads(answer.stdout)
    return answers


if __name__ == "__main__":
    main()
