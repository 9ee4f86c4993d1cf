"""The oracles: decimal arithmetic of 60 digits, draws of the gamma-Poisson mixture, and by hand."""

from decimal import Decimal, localcontext

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.records.instants import DAY, LAST
from streamer.scoring.bands import band_at
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import (
    FAR,
    crossings,
    gap_quantile,
    no_purchase_probability,
    silence_quantile,
)

PARAMETERS = ScoringParameters()
SHAPES = st.floats(0.05, 50)
SCALES = st.floats(0.5, 5000)
COUNTS = st.integers(0, 400)
SPANS = st.floats(0, 20_000)
QUANTILES = st.floats(0.01, 0.99)


def exact_power(base: Decimal, exponent: Decimal) -> Decimal:
    return (base.ln() * exponent).exp()


def exact_gap(q: float, r: float, alpha: float, x: int, t_x: float) -> float:
    """(α + t_x)·[(1−q)^(−1/(r+x)) − 1] with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        shape = Decimal(r) + x
        return float(
            (Decimal(alpha) + Decimal(t_x)) * (exact_power(1 - Decimal(q), -1 / shape) - 1)
        )


def exact_survival(s: float, r: float, alpha: float, x: int, t_x: float) -> float:
    """((α + t_x) / (α + t_x + s))^(r + x) with 60 digits."""
    with localcontext() as context:
        context.prec = 60
        scale = Decimal(alpha) + Decimal(t_x)
        return float(exact_power(scale / (scale + Decimal(s)), Decimal(r) + x))


@settings(max_examples=200, deadline=None)
@given(QUANTILES, SHAPES, SCALES, COUNTS, SPANS)
def test_gap_quantiles_are_exact(q: float, r: float, alpha: float, x: int, t_x: float) -> None:
    found = gap_quantile(q, r, alpha, np.array([x]), np.array([t_x]))
    assert found[0] == pytest.approx(exact_gap(q, r, alpha, x, t_x), rel=1e-11)


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 10_000), SHAPES, SCALES, COUNTS, SPANS)
def test_probabilities_are_exact(s: float, r: float, alpha: float, x: int, t_x: float) -> None:
    survival = exact_survival(s, r, alpha, x, t_x)
    columns = np.array([float(x)]), np.array([t_x])
    # relative to the survival's exponent: of e^-700 fewer digits can be had
    exact = pytest.approx(survival, rel=1e-11, abs=1e-300)
    assert no_purchase_probability(s, r, alpha, *columns)[0] == exact
    quantile = silence_quantile(np.array([s]), r, alpha, *columns)[0]
    assert quantile == pytest.approx(1 - survival, rel=1e-9, abs=1e-15)
    assert 0 <= quantile <= 1


@settings(max_examples=200, deadline=None)
@given(QUANTILES, SHAPES, SCALES, COUNTS, SPANS)
def test_the_quantile_of_a_gap_is_its_inverse(
    q: float, r: float, alpha: float, x: int, t_x: float
) -> None:
    columns = np.array([float(x)]), np.array([t_x])
    gap = gap_quantile(q, r, alpha, *columns)
    assert silence_quantile(gap, r, alpha, *columns)[0] == pytest.approx(q, rel=1e-9)


@pytest.mark.parametrize(
    ("r", "alpha", "x", "t_x"), [(1.0, 60.0, 0, 0.0), (0.55, 10.6, 2, 30.4), (2.0, 90.0, 9, 400.0)]
)
def test_the_formulas_are_the_mixture(r: float, alpha: float, x: int, t_x: float) -> None:
    """Poisson purchases at a gamma rate: after x of them in t_x, it is Gamma(r+x, α+t_x)."""
    random = np.random.default_rng(7)
    draws = 400_000
    rates = random.gamma(r + x, 1 / (alpha + t_x), draws)
    gaps = random.exponential(1 / rates)
    columns = np.array([float(x)]), np.array([t_x])
    for q in (0.2, 0.5, 0.8, 0.95):
        share = np.mean(gaps <= gap_quantile(q, r, alpha, *columns)[0])
        assert share == pytest.approx(q, abs=4 * (q * (1 - q) / draws) ** 0.5)
    for horizon in (7.0, 90.0, 365.0):
        none = np.mean(random.poisson(rates * horizon) == 0)
        expected = no_purchase_probability(horizon, r, alpha, *columns)[0]
        assert none == pytest.approx(expected, abs=4 * (expected * (1 - expected) / draws) ** 0.5)


def test_by_hand() -> None:
    """r = 1, α = 60, one purchase: P(gap > s) = 60/(60+s): 1/2 at 60, 1/5 at 240, 1/20 at 1140."""
    first = np.array([20_000 * DAY])
    found = crossings(first, first, np.array([1]), PARAMETERS)
    days = (found[0] - first[0]) / DAY
    assert days == pytest.approx([60, 240, 1140], abs=1e-9)


ROWS = st.lists(
    st.tuples(st.integers(0, 40_000 * DAY), st.integers(0, 9000 * DAY), st.integers(1, 500)),
    min_size=1,
    max_size=5,
)
SETTINGS = st.builds(
    ScoringParameters,
    rhythm_shape=st.floats(0.01, 20),
    rhythm_scale_days=st.floats(0.1, 5000),
    band_quantiles=st.sampled_from([(0.5, 0.8, 0.95), (0.1, 0.2, 0.9), (0.9, 0.99, 0.9999)]),
)


@settings(max_examples=200, deadline=None)
@given(ROWS, SETTINGS)
def test_a_crossing_is_the_first_microsecond_of_its_band(
    rows: list[tuple[int, int, int]], parameters: ScoringParameters
) -> None:
    first = np.array([row[0] for row in rows])
    last = first + np.array([row[1] for row in rows])
    occasions = np.array([row[2] for row in rows])
    found = crossings(first, last, occasions, parameters)
    assert found.shape == (len(rows), 3)
    assert np.all(np.diff(found, axis=1) >= 0)
    assert np.all(found > last[:, None])
    for band in range(3):
        instants = found[:, band]
        reached = instants < FAR
        assert np.all(instants[reached] <= LAST)
        assert np.all(band_at(found, instants)[reached] > band)
        assert np.all(band_at(found, instants - 1)[reached] <= band)
        assert np.all(band_at(found, np.minimum(instants - 1, LAST))[~reached] <= band)


@settings(max_examples=200, deadline=None)
@given(ROWS, SETTINGS)
def test_a_crossing_is_where_silence_reaches_its_quantile(
    rows: list[tuple[int, int, int]], parameters: ScoringParameters
) -> None:
    """To the microsecond, or the 53 bits of a double where that is coarser."""
    for start, span, count in rows:
        last = start + span
        found = crossings(np.array([start]), np.array([last]), np.array([count]), parameters)[
            0
        ].tolist()
        for q, instant in zip(parameters.band_quantiles, found, strict=True):
            gap = exact_gap(
                q, parameters.rhythm_shape, parameters.rhythm_scale_days * DAY, count - 1, span
            )
            if instant < FAR:
                assert abs(instant - last - gap) <= 1 + gap * 1e-12
            else:
                assert last + gap > LAST * (1 - 1e-9)


def test_nobody_without_a_purchase_crosses() -> None:
    nothing = np.array([-1])
    assert crossings(nothing, nothing, np.array([0]), PARAMETERS).tolist() == [[FAR] * 3]
