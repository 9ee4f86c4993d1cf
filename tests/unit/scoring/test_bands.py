"""Bands by a fitted model: mpmath is the oracle of the probabilities."""

from datetime import UTC, datetime
from math import log

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamer.records.events import Purchase
from streamer.records.instants import DAY, LAST, NEVER
from streamer.records.scores import RISK_BANDS, ChurnRiskUpdate
from streamer.scoring.bands import crossings_of, lapses_by, last_crossings
from streamer.scoring.columns import earlier_of, purchases_of
from streamer.scoring.fitted import fitted_model
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.rhythm import FAR
from streamer.scoring.score import score
from streamer.state.fold import fold
from streamer.state.row import Row
from tests.support.models import model_params
from tests.support.scoring import scoring

NOW = datetime(2030, 1, 1, tzinfo=UTC)
DAY_0 = 20_000 * DAY
R, ALPHA, A, B = 0.525, 6.183 * 7, 0.891, 1.614
SHOP = ScoringParameters(model=fitted_model(model_params()))
HORIZON = 365


def bought(*days: float) -> Row:
    row = Row()
    for place, day in enumerate(days):
        at = DAY_0 + round(day * DAY)
        fold(row, Purchase(f"e{place}", "c", at, "o", 10_000_000, None), 9999 * DAY)
    return row


def risk(row: Row, day: float, shop: ScoringParameters = SHOP) -> ChurnRiskUpdate:
    as_of = DAY_0 + round(day * DAY)
    return score([scoring("c", row, as_of, shop)], NOW, shop)[1][0]


def exact_churn(x: int, t_x: float, age: float) -> float:
    """1 − P(alive)·[1 − ((α + T)/(α + T + h))^(r + x)] of the MBG/NBD, with 40 digits."""
    with mpmath.workdps(40):
        r, alpha, a, b = map(mpmath.mpf, (R, ALPHA, A, B))
        left = a / (b + x) * ((alpha + age) / (alpha + t_x)) ** (r + x)
        silent = ((alpha + age) / (alpha + age + HORIZON)) ** (r + x)
        return float(1 - (1 - silent) / (1 + left))


DAYS = st.lists(st.integers(0, 3000), min_size=1, max_size=12, unique=True).map(sorted)


@settings(max_examples=80, deadline=None)
@given(DAYS, st.integers(0, 4000))
def test_probability_is_that_of_the_paper(days: list[int], silence: int) -> None:
    row, age = bought(*days), days[-1] - days[0] + silence
    update = risk(row, days[-1] + silence)
    x = len(days) - 1
    exact = exact_churn(x, days[-1] - days[0], age)
    assert update.churn_probability == pytest.approx(exact, rel=1e-9)
    assert update.probability_alive is not None
    assert 0 <= update.probability_alive <= 1


@settings(max_examples=80, deadline=None)
@given(DAYS)
def test_a_crossing_is_where_the_probability_is_the_threshold(days: list[int]) -> None:
    """To a second: at the crossing it is reached, and a second before it is not."""
    row = bought(*days)
    last = DAY_0 + days[-1] * DAY
    instants = crossings_of([row], replace(SHOP, churn_hysteresis=0.0))[0].tolist()
    assert instants == sorted(instants)
    for threshold, instant in zip(SHOP.churn_thresholds, instants, strict=True):
        assert last <= instant <= LAST
        at, before = (
            exact_churn(len(days) - 1, days[-1] - days[0], (moment - DAY_0) / DAY - days[0])
            for moment in (instant, max(instant - 1_000_000, last))
        )
        assert at >= threshold - 1e-12
        assert before < threshold or instant == last


def test_bands_by_hand() -> None:
    """One purchase: 0.554 at once, 0.8 after 141 days, 0.95 after two years and a month."""
    row = bought(0)
    first = risk(row, 0)
    assert first.churn_probability == pytest.approx(exact_churn(0, 0, 0))
    assert (first.risk_band, first.previous_risk_band) == ("medium", None)
    assert first.next_band_crossing_at is not None
    days = (first.next_band_crossing_at - risk(row, 0).as_of).total_seconds() / 86_400
    assert exact_churn(0, 0, days) == pytest.approx(0.8, abs=1e-9)
    assert first.win_back_by is not None
    lapses = (first.win_back_by - risk(row, 0).as_of).total_seconds() / 86_400
    assert exact_churn(0, 0, lapses) == pytest.approx(0.95, abs=1e-9)
    assert [risk(row, day).risk_band for day in (0, days + 0.001, lapses + 0.001)] == [
        "medium",
        "high",
        "lapsed",
    ]


def test_even_odds_of_the_next_order_by_the_fitted_rhythm() -> None:
    """The median gap of one who stays: (α + t_x)·(2^(1/(r + x)) − 1), counted from now."""
    update = risk(bought(0, 40), 70)
    assert update.expected_date_of_next_order is not None
    ahead = (update.expected_date_of_next_order - update.as_of).total_seconds() / 86_400
    assert ahead == pytest.approx((ALPHA + 70) * (np.exp(log(2) / (R + 1)) - 1))


def test_a_purchase_must_take_the_probability_well_below_the_threshold() -> None:
    """Before the last purchase the customer was at medium; right after it is just below 0.5."""
    days = (0, 30, 200)
    row = bought(*days)
    after, before = exact_churn(2, 200, 200), exact_churn(1, 30, 200)
    assert before > after
    thresholds = after + 0.01, 0.98, 0.99
    firm = replace(SHOP, churn_thresholds=thresholds, churn_hysteresis=0.02)
    loose = replace(firm, churn_hysteresis=0.005)
    assert before > thresholds[0]
    assert risk(row, 200, firm).risk_band == "medium"
    assert risk(row, 200, firm).previous_risk_band == "medium"
    assert risk(row, 200, loose).risk_band == "low"
    assert risk(row, 200, loose).previous_risk_band == "medium"


def test_a_correction_moves_the_crossings_with_the_probability() -> None:
    corrected = model_params(
        calibration={
            "purchases": {"predicted": [], "corrected": []},
            "activity": {"predicted": [0.001, 0.01], "corrected": [0.0015, 0.012]},
        }
    )
    shop = ScoringParameters(model=fitted_model(corrected), churn_hysteresis=0.0)
    row = bought(0, 15, 40)
    plain = risk(row, 40, replace(SHOP, churn_hysteresis=0.0))
    assert plain.churn_probability is not None
    for band, instant in enumerate(crossings_of([row], shop)[0].tolist()):
        update = risk(row, (instant - DAY_0) / DAY, shop)
        assert update.churn_probability == pytest.approx(SHOP.churn_thresholds[band], abs=1e-9)
        assert update.risk_band == RISK_BANDS[band + 1]


MOMENTS = st.lists(st.floats(0, 3000), min_size=1, max_size=12).map(sorted)


@settings(max_examples=200, deadline=None)
@given(MOMENTS)
def test_who_is_in_a_band_from_the_purchase_on_does_not_enter_it_later(days: list[float]) -> None:
    """Not even a microsecond later: a rounding error would be told as silence."""
    row = bought(*days)
    for instant in crossings_of([row], SHOP)[0].tolist():
        assert instant == row.last_purchase_at or instant > row.last_purchase_at + 1_000


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(MOMENTS, st.floats(0, 900), st.floats(0, 900)), min_size=1, max_size=20))
@pytest.mark.parametrize("shop", [SHOP, ScoringParameters()], ids=["model", "formula"])
def test_the_last_crossing_is_the_last_of_all(
    shop: ScoringParameters, cases: list[tuple[list[float], float, float]]
) -> None:
    rows = [bought(*days) for days, _, _ in cases]
    after = [
        row.last_purchase_at + round(silence * DAY)
        for row, (_, silence, _) in zip(rows, cases, strict=True)
    ]
    until = [one + round(days * DAY) for one, (_, _, days) in zip(after, cases, strict=True)]
    told = [
        max((one for one in instants if begin < one <= end), default=NEVER)
        for instants, begin, end in zip(
            crossings_of(rows, shop).tolist(), after, until, strict=True
        )
    ]
    earlier = [earlier_of(row) for row in rows]
    begins = np.array(after)
    found = last_crossings(purchases_of(earlier, begins), begins, np.array(until), shop)
    assert found.tolist() == told


@settings(max_examples=80, deadline=None)
@given(DAYS, st.integers(0, 4000), st.sampled_from([SHOP, ScoringParameters()]))
def test_a_lapse_that_is_over_is_the_last_crossing(
    days: list[int], silence: int, shop: ScoringParameters
) -> None:
    row, until = bought(*days), DAY_0 + (days[-1] + silence) * DAY
    lapse = crossings_of([row], shop)[0, -1]
    expected = lapse if lapse <= until else FAR
    assert lapses_by([row], np.array([until]), shop) == [expected]
