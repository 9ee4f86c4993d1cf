"""One customer's churn risk, told by hand and by rows that are played."""

from datetime import UTC, datetime, timedelta

import pytest

from streamer.records.events import Purchase, Referral, Refund
from streamer.records.instants import DAY, LAST, to_datetime
from streamer.records.scores import RISK_BANDS, ChurnRiskUpdate
from streamer.scoring.bands import crossings_of
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.score import score
from streamer.state.fold import fold
from streamer.state.row import Row
from tests.support.scoring import scoring

PARAMETERS = ScoringParameters()
DAY_0 = 20_000 * DAY
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def bought(*days: float) -> Row:
    row = Row()
    for place, day in enumerate(days):
        at = DAY_0 + round(day * DAY)
        fold(row, Purchase(f"e{place}", "c", at, "o", 1_000_000, None), 9999 * DAY)
    return row


def risk(
    row: Row, as_of: int | None = None, parameters: ScoringParameters = PARAMETERS
) -> ChurnRiskUpdate:
    instant = row.as_of if as_of is None else as_of
    return score([scoring("c", row, instant, parameters)], NOW, parameters)[1][0]


def test_the_first_purchase_by_hand() -> None:
    """r = 1, α = 60 days: P(no purchase in 365 days) = 60/425, even odds after 60 days."""
    update = risk(bought(0))
    assert update.churn_probability == pytest.approx(60 / 425)
    assert update.silence_quantile == 0
    assert (update.risk_band, update.previous_risk_band) == ("low", None)
    start = to_datetime(DAY_0)
    assert update.expected_date_of_next_order == start + timedelta(days=60)
    assert update.win_back_by is not None
    assert update.win_back_by - start == pytest.approx(timedelta(days=1140), abs=timedelta(0, 1))
    assert update.next_band_crossing_at is not None
    assert update.next_band_crossing_at - start == timedelta(days=60)


def test_silence_by_hand() -> None:
    """After 30 more days the rate is Gamma(1, 90): even odds of a purchase are 90 days ahead."""
    update = risk(bought(0), DAY_0 + 30 * DAY)
    assert update.churn_probability == pytest.approx(90 / 455)
    assert update.silence_quantile == pytest.approx(30 / 90)
    assert update.expected_date_of_next_order == to_datetime(DAY_0 + 120 * DAY)


def test_repeats_by_hand() -> None:
    """Two occasions 40 days apart: shape 2, scale 100; P = (100/465)²."""
    update = risk(bought(0, 40))
    assert update.churn_probability == pytest.approx((100 / 465) ** 2)
    assert update.previous_risk_band == "low"


@pytest.mark.parametrize("days", [(0,), (0, 40), (0, 1, 2, 3, 400), (5.5, 5.6, 5.7)])
def test_a_crossing_s_instant_has_the_new_band(days: tuple[float, ...]) -> None:
    row = bought(*days)
    for band, instant in enumerate(crossings_of([row], PARAMETERS)[0].tolist()):
        at, before = risk(row, instant), risk(row, instant - 1)
        assert (at.previous_risk_band, at.risk_band) == RISK_BANDS[band : band + 2]
        assert (before.previous_risk_band, before.risk_band) == (RISK_BANDS[band],) * 2
        assert before.next_band_crossing_at == to_datetime(instant)
        assert at.next_band_crossing_at != to_datetime(instant)
        threshold = PARAMETERS.band_quantiles[band]
        assert at.silence_quantile == pytest.approx(threshold, abs=1e-9)
    lapsed = risk(row, instant)
    assert lapsed.next_band_crossing_at is None
    assert lapsed.win_back_by == to_datetime(instant)


@pytest.mark.parametrize(
    ("gap_days", "previous"),
    [(0.1, "low"), (59, "low"), (60, "medium"), (239, "medium"), (241, "high"), (1141, "lapsed")],
)
def test_a_purchase_tells_the_band_it_ended(gap_days: float, previous: str) -> None:
    update = risk(bought(0, gap_days))
    assert (update.previous_risk_band, update.risk_band) == (previous, "low")


@pytest.mark.parametrize("gap_days", [30.0, 59.999, 60.0, 100.0, 240.0, 600.0, 1140.1])
@pytest.mark.parametrize("history", [(), (10.0, 20.0), (0.25, 300.0)])
def test_the_band_that_a_purchase_ended_is_the_one_the_row_was_in(
    history: tuple[float, ...], gap_days: float
) -> None:
    """What the row after the purchase says of the time before is what was said then."""
    days = (0.0, *history)
    then = risk(bought(*days), DAY_0 + round((days[-1] + gap_days) * DAY))
    assert risk(bought(*days, days[-1] + gap_days)).previous_risk_band == then.risk_band


def test_two_orders_on_one_day_are_one_occasion() -> None:
    update = risk(bought(0, 100, 100.5))
    assert update.previous_risk_band == "low"
    x_is_one = risk(bought(0, 100.5))
    assert update.churn_probability == x_is_one.churn_probability


def test_a_band_can_end_on_the_day_it_began() -> None:
    """With α of half a day, even odds come within the day, and the day stays one occasion."""
    hasty = ScoringParameters(rhythm_scale_days=0.5)
    update = risk(bought(0, 0.9), parameters=hasty)
    assert update.previous_risk_band == "medium"


def test_without_a_purchase_nothing_is_known() -> None:
    row = Row()
    fold(row, Referral("f", "c", DAY_0, "d", joined=False), DAY)
    fold(row, Refund("r", "c", DAY_0, "o", 5), DAY)
    update = risk(row)
    nothing = (
        update.churn_probability,
        update.risk_band,
        update.previous_risk_band,
        update.silence_quantile,
        update.expected_date_of_next_order,
        update.win_back_by,
        update.next_band_crossing_at,
    )
    assert set(nothing) == {None}
    assert update.reasons == ("no purchase yet",)


def test_what_lies_beyond_the_calendar_is_null() -> None:
    row = Row()
    fold(row, Purchase("e", "c", LAST - 100 * DAY, "o", 5, None), DAY)
    update = risk(row)
    assert update.expected_date_of_next_order == to_datetime(LAST - 40 * DAY)
    assert update.win_back_by is None
    late = risk(row, LAST)
    assert late.risk_band == "medium"
    assert late.next_band_crossing_at is None
    assert late.expected_date_of_next_order is None


def test_the_revision_follows_the_band() -> None:
    row = bought(0)
    revisions = [risk(row, DAY_0 + days * DAY).revision for days in (0, 59, 60, 241, 1141)]
    assert revisions == [4, 4, 5, 6, 7]
    assert risk(bought(0, 10)).revision == 8
