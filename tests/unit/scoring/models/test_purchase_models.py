"""The oracles: the papers' own formulas, by mpmath with 50 digits, where no rounding hurts."""

from collections.abc import Iterator
from typing import Any

import mpmath
import numpy as np
import pytest

from streamer.scoring.models.bg_nbd import BgNbd
from streamer.scoring.models.histories import Histories, histories
from streamer.scoring.models.mbg_nbd import MbgNbd
from streamer.scoring.models.model import PurchaseModel
from streamer.scoring.models.pareto_nbd import ParetoNbd

MODELS: tuple[Any, ...] = MbgNbd, BgNbd, ParetoNbd
CASES_PER_MODEL = 40
NEAR_ONE = 0.0, 1e-12, -1e-12, 1e-8, -1e-8, 1e-4, -1e-4


@pytest.fixture(autouse=True)
def _exact() -> Iterator[None]:
    with mpmath.workdps(50), np.errstate(all="raise"):
        yield


def cases(kind: Any, seed: int) -> Iterator[tuple[Any, Histories, float]]:
    """Give models, a customer and a horizon: an hour to 30 years, x to 5,000, days or so."""
    generator = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(np.exp(generator.uniform(np.log(low), np.log(high))))

    for _ in range(CASES_PER_MODEL):
        singular = 1 + generator.choice(NEAR_ONE)
        third = singular if generator.random() < 0.3 else between(1e-3, 1e3)
        alpha = between(1e-3, 1e4)
        fourth = between(1e-3, 1e3)
        if kind is ParetoNbd:
            fourth = alpha if generator.random() < 0.3 else between(1e-3, 1e4)
        x = np.floor(between(1, 5001)) - 1
        T = between(1 / 24, 10_950)
        t_x = T * float(generator.choice([1.0, 0.99, generator.random()])) if x else 0.0
        yield (
            kind(between(1e-3, 1e3), alpha, third, fourth),
            histories(x, t_x, T),
            between(1 / 24, 3650),
        )


def close(found: Any, expected: Any, rel: float = 1e-9) -> bool:
    return bool(abs(float(found[0]) - expected) <= rel * abs(expected) + 1e-300)


def exactly(*values: Any) -> list[Any]:
    return [mpmath.mpf(float(np.squeeze(value))) for value in values]


def regular(value: Any) -> Any:
    """Step off the places where the papers' formulas divide by 0, further than rounding sees."""
    return value + mpmath.mpf(10) ** -25


class Exact:
    """The papers' formulas for one customer: P(alive), P(a purchase | alive), E[purchases]."""

    def __init__(self, model: Any, customer: Histories, horizon: float) -> None:
        self.x, self.t_x, self.T = exactly(customer.x, customer.t_x, customer.T)
        self.t = mpmath.mpf(horizon)
        self.model = model

    def alive(self) -> Any:
        raise NotImplementedError

    def silent(self) -> Any:
        """P(no purchase | alive)."""
        raise NotImplementedError

    def purchases(self) -> Any:
        raise NotImplementedError

    def no_purchase(self) -> Any:
        return (1 - self.alive()) + self.alive() * self.silent()


class ExactBetaGeometric(Exact):
    """Fader, Hardie & Lee 2005 (BG); Batislam et al. 2007 (MBG)."""

    def __init__(self, model: Any, customer: Histories, horizon: float) -> None:
        super().__init__(model, customer, horizon)
        self.r, self.alpha, self.a, self.b = exactly(model.r, model.alpha, model.a, model.b)
        self.R = self.r + self.x

    def alive(self) -> Any:
        later = ((self.alpha + self.T) / (self.alpha + self.t_x)) ** self.R
        if isinstance(self.model, MbgNbd):
            return 1 / (1 + self.a / (self.b + self.x) * later)
        return 1 / (1 + self.a / (self.b + self.x - 1) * later) if self.x else mpmath.mpf(1)

    def silent(self) -> Any:
        return ((self.alpha + self.T) / (self.alpha + self.T + self.t)) ** self.R

    def purchases(self) -> Any:
        a = regular(self.a)
        c = a + self.b + self.x - (0 if isinstance(self.model, MbgNbd) else 1)
        hypergeometric = mpmath.hyp2f1(self.R, a - 1, c, -self.t / (self.alpha + self.T))
        return self.alive() * c / (a - 1) * (1 - hypergeometric)


class ExactPareto(Exact):
    """Integrals over the time of leaving, by mpmath's own quadrature."""

    def __init__(self, model: Any, customer: Histories, horizon: float) -> None:
        super().__init__(model, customer, horizon)
        self.r, self.alpha, self.s, self.beta = exactly(model.r, model.alpha, model.s, model.beta)
        self.R = self.r + self.x

    def leaves(self, start: Any, end: Any) -> Any:
        """P(leaves between two times, no purchase since ``start``) by that at ``start``, alive."""
        A, B = self.alpha + start, self.beta + start

        def density(y: Any) -> Any:
            u = mpmath.expm1(y) * unit
            return (
                self.s / B * mpmath.exp(
                    y - self.R * mpmath.log1p(u / A) - (self.s + 1) * mpmath.log1p(u / B)
                ) * unit
            )  # fmt: skip

        unit = 1 / ((self.R + 1) / A + (self.s + 2) / B)
        length = mpmath.log1p((end - start) / unit)
        with mpmath.workdps(14):
            return mpmath.quad(density, mpmath.linspace(0, length, int(length) + 2))

    def neither(self, start: Any, end: Any) -> Any:
        return ((self.alpha + start) / (self.alpha + end)) ** self.R * (
            (self.beta + start) / (self.beta + end)
        ) ** self.s

    def alive(self) -> Any:
        stays = self.neither(self.t_x, self.T)
        return stays / (stays + self.leaves(self.t_x, self.T))

    def silent(self) -> Any:
        end = self.T + self.t
        return self.neither(self.T, end) + self.leaves(self.T, end)

    def purchases(self) -> Any:
        s, B = regular(self.s), self.beta + self.T
        lifetime = B / (s - 1) * (1 - (B / (B + self.t)) ** (s - 1))
        return self.alive() * self.R / (self.alpha + self.T) * lifetime


def exact(model: Any, customer: Histories, horizon: float) -> Exact:
    kind = ExactPareto if isinstance(model, ParetoNbd) else ExactBetaGeometric
    return kind(model, customer, horizon)


@pytest.mark.parametrize("kind", MODELS)
def test_figures_are_exact_to_nine_digits_at_all_extremes(kind: Any) -> None:
    for model, customer, horizon in cases(kind, seed=1):
        known = exact(model, customer, horizon)
        assert close(model.probability_alive(customer), known.alive()), model
        assert close(model.no_purchase_probability(customer, horizon), known.no_purchase()), model
        assert close(model.expected_purchases(customer, horizon), known.purchases()), model


@pytest.mark.parametrize("kind", MODELS)
def test_a_new_customer_is_one_whose_first_purchase_was_just_now(kind: Any) -> None:
    now = histories(0, 0, 0)
    for model, _, horizon in cases(kind, seed=2):
        known = exact(model, now, horizon).purchases()
        assert close(model.new_customer_purchases(np.array([horizon])), known)


@pytest.mark.parametrize("kind", MODELS)
def test_the_age_at_a_probability_is_right_to_the_second(kind: Any) -> None:
    """In days, and with mpmath's own bisection where the answer is within a century."""
    second = 1 / 86_400
    compared = 0
    for model, customer, horizon in cases(kind, seed=3):
        age = float(model.age_at(customer, horizon, 0.8)[0])
        t_x = float(customer.t_x[0])
        assert age >= t_x
        if age > 36_500:
            continue
        around = [age - second, age + second]
        low, high = (
            exact(model, Histories(customer.x, customer.t_x, np.array([T])), horizon).no_purchase()
            for T in (max(around[0], t_x), around[1])
        )
        assert high >= 0.8
        assert low <= 0.8 or age - t_x < second
        compared += 1
    assert compared > 20


@pytest.mark.parametrize("kind", [MbgNbd, BgNbd])
@pytest.mark.parametrize("alpha", [9e4, 9e7])
def test_the_age_is_right_where_all_customers_are_nearly_alike(kind: Any, alpha: float) -> None:
    """A shape of 200,000 bends the figure 200,000 times as sharply."""
    second = 1 / 86_400
    model, customer = kind(2e5, alpha, 30, 900), histories(5, 300, 300)
    for level in (0.5, 0.8, 0.95):
        age = float(model.age_at(customer, 365, level)[0])
        low, high = (
            exact(model, Histories(customer.x, customer.t_x, np.array([T])), 365).no_purchase()
            for T in (max(age - second, 300.0), age + second)
        )
        assert high >= level
        assert low <= level or age - 300 < second


CDNOW: dict[str, PurchaseModel] = {
    "mbg_nbd": MbgNbd(r=0.525, alpha=6.183, a=0.891, b=1.614),
    "bg_nbd": BgNbd(r=0.2426, alpha=4.4136, a=0.7929, b=2.4259),
    "pareto_nbd": ParetoNbd(r=0.5533, alpha=10.578, s=0.6062, beta=11.669),
}


@pytest.mark.parametrize("name", CDNOW)
def test_silence_only_ever_raises_the_probability_of_no_purchase(name: str) -> None:
    T = np.geomspace(30.43, 5000, 400)
    for x in (0, 1, 2, 30, 2000):
        customers = histories(x, 30.43 if x else 0, T)
        risen = CDNOW[name].no_purchase_probability(customers, 39)
        assert (np.diff(risen) >= -1e-14).all()


@pytest.mark.parametrize("name", CDNOW)
def test_impossible_and_certain_probabilities(name: str) -> None:
    customers = histories([0, 3], [0, 20], [50, 50])
    model = CDNOW[name]
    assert model.age_at(customers, 39, 0.0).tolist() == [0, 20]
    assert model.age_at(customers, 0, 0.5).tolist() == [0, 20]
    assert model.age_at(customers, 39, 1.0).tolist() == [np.inf, np.inf]


def purchases_in_a_moment(model: Any, customer: Histories) -> Any:
    """Return u → the rate of purchases expected at T + u: the papers' formulas' derivative."""
    known = exact(model, customer, 1.0)
    if isinstance(known, ExactPareto):
        A, B, s = known.alpha + known.T, known.beta + known.T, known.s
        now = known.alive() * known.R / A
        return lambda u: now * (B / (B + u)) ** s
    assert isinstance(known, ExactBetaGeometric)
    A, R, a = known.alpha + known.T, known.R, known.a
    c = a + known.b + known.x + (1 if isinstance(model, MbgNbd) else 0)
    now = known.alive() * R / A
    return lambda u: now * mpmath.hyp2f1(R + 1, a, c, -u / A)


@pytest.mark.parametrize("name", CDNOW)
@pytest.mark.parametrize("x", [0, 2, 300])
@pytest.mark.parametrize(
    ("horizon", "rate"), [(52, 0.002), (520, 0.0), (520, 0.05), (np.inf, 0.0027), (np.inf, 0.5)]
)
def test_purchases_are_discounted_when_they_come(
    name: str, x: int, horizon: float, rate: float
) -> None:
    model, customer = CDNOW[name], histories(x, 30.43 if x else 0, 38.86)
    end = min(horizon, 40 / rate) if rate else horizon
    marks = [0.0, 0.3, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0]
    with mpmath.workdps(12):
        moment = purchases_in_a_moment(model, customer)
        known = mpmath.quad(
            lambda u: mpmath.exp(-rate * u) * moment(u),
            [*(mark for mark in marks if mark < end), end],
        )
    assert close(model.discounted_purchases(customer, horizon, rate), known, rel=1e-8)


@pytest.mark.parametrize("name", CDNOW)
def test_an_infinite_horizon_needs_a_discount(name: str) -> None:
    customer = histories(1, 2, 3)
    for horizon, rate in ((np.inf, 0.0), (-1.0, 0.1), (np.nan, 0.1), (1.0, -0.1), (1.0, np.nan)):
        with pytest.raises(ValueError, match=r"horizon|rate"):
            CDNOW[name].discounted_purchases(customer, horizon, rate)
    for figure in ("no_purchase_probability", "expected_purchases"):
        with pytest.raises(ValueError, match="horizon"):
            getattr(CDNOW[name], figure)(customer, np.inf)


@pytest.mark.parametrize("name", CDNOW)
def test_a_customer_scores_alike_alone_and_among_others(name: str) -> None:
    generator = np.random.default_rng(4)
    T = generator.uniform(0, 2000, 1500)
    x = np.minimum(generator.geometric(0.05, 1500) - 1.0, 200)
    crowd = histories(x, np.where(x > 0, T * generator.random(1500), 0), T)
    model = CDNOW[name]
    alone = [
        Histories(*(getattr(crowd, column)[i : i + 1] for column in ("x", "t_x", "T")))
        for i in (0, 700, 1499)
    ]
    for figure in (
        model.probability_alive,
        lambda some: model.no_purchase_probability(some, 52),
        lambda some: model.expected_purchases(some, 52),
        lambda some: model.discounted_purchases(some, 52, 0.002),
        lambda some: model.age_at(some, 52, 0.5),
    ):
        together = figure(crowd)
        assert [figure(some)[0] for some in alone] == [together[i] for i in (0, 700, 1499)]


@pytest.mark.parametrize(
    ("kind", "names"),
    [(MbgNbd, "r alpha a b"), (BgNbd, "r alpha a b"), (ParetoNbd, "r alpha s beta")],
)
@pytest.mark.parametrize("value", [0.0, -1.0, np.nan, np.inf])
def test_a_bad_parameter_is_named(kind: Any, names: str, value: float) -> None:
    for name in names.split():
        with pytest.raises(ValueError, match=f"^{name} must be"):
            kind(**{**dict.fromkeys(names.split(), 1.0), name: value})
