"""Fits by `lifetimes`, in a Python of its own: it wants numpy < 2 and pandas < 2.2.

Started by `benchmarks.fitting` with a file of arrays and names of models; answers with JSON.
"""

import json
import sys
import time

import lifetimes
import numpy as np

FITTERS = {"mbg_nbd": "ModifiedBetaGeoFitter", "bg_nbd": "BetaGeoFitter"}


def main() -> None:
    file, *models = sys.argv[1:]
    arrays = np.load(file)
    customers = arrays["x"], arrays["t_x"], arrays["T"]
    answers = {}
    for model in models:
        fitter = getattr(lifetimes, FITTERS[model])()
        began = time.perf_counter()
        fitter.fit(*customers)
        seconds = time.perf_counter() - began
        answers[model] = {"seconds": seconds, "parameters": dict(fitter.params_)}
    print(json.dumps(answers))


main()
