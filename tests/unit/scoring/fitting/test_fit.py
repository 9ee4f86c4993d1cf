"""Fits against published values, simulated shops of known parameters, and shops that say little."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

import numpy as np
import pytest

from streamer.files import cdnow_sample
from streamer.files.histories import PurchaseHistories, read_histories
from streamer.scoring.fitting import (
    PURCHASE_LIKELIHOODS,
    REPEAT_CUSTOMERS_MIN,
    Fit,
    NothingToFitError,
    fit_purchases,
    fit_values,
)
from streamer.scoring.models.histories import Floats, Histories, histories
from streamer.scoring.time_unit import TimeUnit

WEEK = TimeUnit.WEEK


@pytest.fixture(autouse=True)
def _strict() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


@pytest.fixture(scope="module")
def cdnow() -> PurchaseHistories:
    return read_histories(str(cdnow_sample()), date(1997, 9, 30), unit=WEEK)


def customers_of(shop: PurchaseHistories) -> Histories:
    return histories(shop.x, shop.t_x, shop.T)


def finite(fit: Fit) -> bool:
    numbers = *fit.parameters.values(), *fit.standard_errors.values(), fit.log_likelihood
    return all(np.isfinite(numbers))


# -- published values -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "published", "log_likelihood"),
    [
        ("bg_nbd", ["0.2426", "4.4136", "0.7929", "2.4259"], "-9582.429"),
        ("pareto_nbd", ["0.5533", "10.578", "0.6062", "11.669"], "-9594.976"),
        ("mbg_nbd", ["0.525", "6.183", "0.891", "1.614"], None),
    ],
)
def test_cdnow_gives_the_published_parameters(
    cdnow: PurchaseHistories, model: str, published: list[str], log_likelihood: str | None
) -> None:
    fit = fit_purchases(model, customers_of(cdnow), WEEK)
    assert printed_as(fit.parameters.values(), published) == published
    if log_likelihood:
        assert f"{fit.log_likelihood:.3f}" == log_likelihood
    assert (fit.customers, fit.repeat_customers) == (2357, 946)
    assert (fit.undetermined, fit.reason_for_formula) == ((), None)


def test_cdnow_gives_the_published_parameters_of_value(cdnow: PurchaseHistories) -> None:
    fit = fit_values(cdnow.x, cdnow.mean_value)
    published = ["6.25", "3.74", "15.44"]
    assert printed_as(fit.parameters.values(), published) == published
    assert (fit.customers, fit.repeat_customers) == (2357, 946)


def printed_as(values: Iterable[float], published: list[str]) -> list[str]:
    """Print ``values`` with as many decimals as the published ones."""
    decimals = [len(text.partition(".")[2]) for text in published]
    return [f"{value:.{n}f}" for value, n in zip(values, decimals, strict=True)]


LIFETIMES = {
    "bg_nbd": [0.0125574, 0.378224, 0.185734, 0.705414],
    "mbg_nbd": [0.0832681, 0.695620, 0.154790, 0.537495],
    "gamma_gamma": [1.190055, 0.290133, 4.159423],
}
"""Standard errors that lifetimes 0.11.3 gives on the same data (it has none for Pareto/NBD)."""


def test_standard_errors_are_those_of_lifetimes(cdnow: PurchaseHistories) -> None:
    fits = [fit_purchases(model, customers_of(cdnow), WEEK) for model in ("bg_nbd", "mbg_nbd")]
    for fit in (*fits, fit_values(cdnow.x, cdnow.mean_value)):
        errors = list(fit.standard_errors.values())
        assert errors == pytest.approx(LIFETIMES[fit.model], rel=1e-4)


# -- simulated shops --------------------------------------------------------------------------

TRUTH = {
    "mbg_nbd": (0.6, 7.0, 0.8, 1.5),
    "bg_nbd": (0.4, 5.0, 0.8, 2.4),
    "pareto_nbd": (0.7, 9.0, 0.7, 10.0),
}


def simulated(model: str, n: int, rng: np.random.Generator) -> Histories:
    """Let customers buy and leave one by one, straight from the model's story."""
    r, alpha, third, fourth = TRUTH[model]
    customers = []
    for age in rng.uniform(30, 78, n):
        rate = rng.gamma(r) / alpha
        leaves_at, chance = np.inf, 0.0
        if model == "pareto_nbd":
            leaves_at = rng.exponential(fourth / rng.gamma(third))
        else:
            chance = rng.beta(third, fourth)
        left = model == "mbg_nbd" and rng.random() < chance
        x, t_x = 0, 0.0
        while not left:
            t = t_x + (rng.exponential() / rate if rate > 1e-300 else np.inf)
            if t > min(age, leaves_at):
                break
            x, t_x = x + 1, t
            left = rng.random() < chance
        customers.append((x, t_x, age))
    return histories(*np.array(customers).T)


@pytest.mark.parametrize("model", TRUTH)
def test_a_simulated_shops_parameters_are_found(model: str) -> None:
    fit = fit_purchases(model, simulated(model, 6000, np.random.default_rng(4)), WEEK)
    for (name, value), truth in zip(fit.parameters.items(), TRUTH[model], strict=True):
        assert abs(value - truth) < 3 * fit.standard_errors[name], name


def test_a_simulated_shops_parameters_of_value_are_found() -> None:
    rng = np.random.default_rng(4)
    truth = {"p": 6.0, "q": 4.0, "gamma": 15.0}
    x = rng.integers(0, 6, 6000).astype(float)
    scale = rng.gamma(truth["q"], size=x.size) / truth["gamma"]
    mean_value = rng.gamma(truth["p"] * np.maximum(x, 1)) / scale / np.maximum(x, 1)
    fit = fit_values(x, np.where(x > 0, mean_value, 0))
    for name, value in truth.items():
        assert abs(fit.parameters[name] - value) < 3 * fit.standard_errors[name], name


# -- what must not matter ---------------------------------------------------------------------


@pytest.mark.parametrize("model", PURCHASE_LIKELIHOODS)
def test_the_unit_of_time_does_not_matter(cdnow: PurchaseHistories, model: str) -> None:
    weeks = fit_purchases(model, customers_of(cdnow), WEEK)
    hours = fit_purchases(model, histories(cdnow.x, cdnow.t_x * 168, cdnow.T * 168), TimeUnit.HOUR)
    for name, value in weeks.parameters.items():
        factor = 168 if name in ("alpha", "beta") else 1
        assert hours.parameters[name] == pytest.approx(value * factor, rel=1e-6)
        errors = weeks.standard_errors[name], hours.standard_errors[name]
        assert errors[1] == pytest.approx(errors[0] * factor, rel=1e-4)
    # Densities of the purchases' instants are per unit of time.
    density = cdnow.x.sum() * np.log(168)
    assert hours.log_likelihood == pytest.approx(weeks.log_likelihood - density, rel=1e-12)


def test_four_times_the_shop_halves_the_standard_errors(cdnow: PurchaseHistories) -> None:
    once = fit_purchases("mbg_nbd", customers_of(cdnow), WEEK)
    four_times = histories(*(np.tile(of, 4) for of in (cdnow.x, cdnow.t_x, cdnow.T)))
    four = fit_purchases("mbg_nbd", four_times, WEEK)
    assert four.parameters == pytest.approx(once.parameters, rel=1e-5)
    halves = {name: error / 2 for name, error in once.standard_errors.items()}
    assert four.standard_errors == pytest.approx(halves, rel=1e-4)
    assert four.log_likelihood == pytest.approx(4 * once.log_likelihood, rel=1e-12)


# -- shops that say little --------------------------------------------------------------------

Shop = tuple[Sequence[int], Sequence[int], Sequence[int]]
"""x, t_x, T"""

FEW: dict[str, Shop] = {
    "nobody buys again": ([0] * 40, [0] * 40, range(1, 41)),
    "one customer": ([2], [3], [9]),
    "three customers": ([0, 1, 4], [0, 3, 8], [9, 9, 9]),
    "bought today": ([0] * 5, [0] * 5, [0] * 5),
    "ten customers": ([0] * 7 + [1, 1, 9], [0] * 7 + [2, 30, 20], [35] * 10),
}
ALIKE: dict[str, Shop] = {
    "all the same": ([3] * 50, [30] * 50, [39] * 50),
    "nobody ever leaves": (range(1, 61), [60] * 60, [60] * 60),
    "everybody leaves soon": (range(1, 61), [1] * 60, [6000] * 60),
    "like clockwork": (range(1, 61), range(4, 244, 4), range(6, 246, 4)),
}


@pytest.mark.parametrize("model", PURCHASE_LIKELIHOODS)
@pytest.mark.parametrize("shop", FEW)
def test_too_few_repeat_customers_say_so_and_stay_finite(model: str, shop: str) -> None:
    fit = fit_purchases(model, histories(*FEW[shop]), WEEK)
    assert finite(fit)
    repeaters = sum(x > 0 for x in FEW[shop][0])
    assert fit.repeat_customers == repeaters
    assert fit.reason_for_formula == (
        f"a fit needs {REPEAT_CUSTOMERS_MIN} repeat customers, there are {repeaters}"
    )
    assert fit.undetermined


@pytest.mark.parametrize("model", PURCHASE_LIKELIHOODS)
@pytest.mark.parametrize("shop", ALIKE)
def test_a_shop_at_the_models_edge_has_a_finite_fit(model: str, shop: str) -> None:
    fit = fit_purchases(model, histories(*ALIKE[shop]), WEEK)
    assert finite(fit)
    assert min(*fit.parameters.values(), *fit.standard_errors.values()) > 0
    assert fit.reason_for_formula is None


@pytest.mark.parametrize("n", [100, 20_000])
def test_one_price_for_all_has_a_finite_fit_with_that_mean(n: int) -> None:
    fit = fit_values(np.full(n, 3.0), np.full(n, 9.99))
    assert finite(fit)
    p, q, gamma = fit.parameters.values()
    assert p * gamma / (q - 1) == pytest.approx(9.99, rel=1e-3)
    assert "q" in fit.undetermined


def test_values_of_no_repeat_purchase_have_no_say() -> None:
    rng = np.random.default_rng(1)
    x, values = np.full(60, 2.0), rng.gamma(5, 8, 60)
    nothing: Floats = np.zeros(40)
    alone = fit_values(x, values)
    beside = fit_values(np.append(x, nothing), np.append(values, nothing))
    assert beside.parameters == pytest.approx(alone.parameters, rel=1e-6)
    assert (beside.customers, beside.repeat_customers) == (100, 60)


def test_nobody_at_all_is_refused() -> None:
    with pytest.raises(NothingToFitError):
        fit_purchases("mbg_nbd", histories([], [], []), WEEK)
    with pytest.raises(NothingToFitError):
        fit_values(np.array([0.0, 2.0]), np.array([0.0, 0.0]))
