"""One customer's value by hand; many at once are each one."""

from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given, settings

from streamer.records.events import Purchase, ReferralCredit, Refund
from streamer.records.instants import DAY
from streamer.records.scores import LtvUpdate, Window
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.score import score
from streamer.state.fold import fold
from streamer.state.row import Row
from tests.support.histories import Happening, as_arrived, configuration, histories
from tests.support.play import play
from tests.support.scoring import scoring

DAY_0 = 20_000 * DAY
NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATENESS = 9999 * DAY


def bought(*orders: tuple[int, int, int | None]) -> Row:
    """Return the row of orders: day, amount and cost in hundredths."""
    row = Row()
    for place, (day, amount, cost) in enumerate(orders):
        micros = None if cost is None else cost * 10_000
        at = DAY_0 + day * DAY
        fold(row, Purchase(f"e{place}", "c", at, "o", amount * 10_000, micros), LATENESS)
    return row


def value(row: Row, days: int | None = None, **parameters: object) -> LtvUpdate:
    as_of = row.as_of if days is None else DAY_0 + days * DAY
    shop = msgspec.structs.replace(ScoringParameters(), **parameters)
    return score([scoring("c", row, as_of, shop)], NOW, shop)[0][0]


def test_historic_value_by_hand() -> None:
    row = bought((0, 1000, 400), (73, 2005, 700))
    fold(row, Refund("r", "c", DAY_0 + 74 * DAY, "o", 5_050_000), LATENESS)
    update = value(row, 146)
    assert (update.orders, update.refunds, update.events_seen) == (2, 1, 3)
    assert (update.revenue, update.refunded, update.historic_clv) == ("30.05", "5.05", "25.00")
    assert (update.margin, update.average_margin) == ("14.00", "7.00")
    assert update.average_order_value == "12.50"
    assert update.tenure_days == 146
    assert update.windows == {
        "7": Window(0, "0.00"),
        "30": Window(0, "0.00"),
        "90": Window(1, "15.00"),
        "365": Window(2, "25.00"),
    }


def test_formulas_by_hand() -> None:
    """2 orders in 146.1 days are 5 a year; 12.50 × 5 × 3; margin 7 × 5 × .75 / (1.1 − .75)."""
    row = bought((0, 1000, 300), (73, 1500, 800))
    update = score([scoring("c", row, DAY_0 + round(146.1 * DAY))], NOW, ScoringParameters())[0][0]
    assert update.purchase_frequency == pytest.approx(5)
    assert update.formula_ltv == "187.50"
    assert update.formula_margin_ltv == "75.00"


def test_expected_orders_by_hand() -> None:
    """(r + x) / (α + T) · horizon."""
    update = value(bought((0, 1000, None), (40, 1000, None)), 90)
    assert update.expected_orders == pytest.approx(2 / 150 * 365)


def test_margin_needs_every_cost() -> None:
    update = value(bought((0, 1000, 300), (5, 1000, None)))
    assert (update.margin, update.average_margin, update.formula_margin_ltv) == (None,) * 3
    assert value(bought((0, 1000, 0))).margin == "10.00"


def test_one_day_is_no_frequency() -> None:
    update = value(bought((0, 1000, 0), (0, 1000, 0)), 100)
    assert (update.purchase_frequency, update.formula_ltv, update.formula_margin_ltv) == (None,) * 3


def test_refunds_can_exceed_purchases() -> None:
    row = bought((0, 1000, 400))
    fold(row, Refund("r", "c", DAY_0, "o", 20_000_000), LATENESS)
    update = value(row)
    assert (update.historic_clv, update.margin) == ("-10.00", "-14.00")
    assert update.average_order_value == "-10.00"
    assert update.windows["7"] == Window(1, "-10.00")


@pytest.mark.parametrize(
    ("currency", "net", "average"),
    [("USD", "10.00", "3.33"), ("JPY", "10", "3"), ("KWD", "10.000", "3.333")],
)
def test_averages_are_rounded_to_the_minor_unit(currency: str, net: str, average: str) -> None:
    row = bought((0, 1000, None), (0, 0, None), (0, 0, None))
    update = value(row, currency=currency)
    assert (update.historic_clv, update.average_order_value) == (net, average)


def test_sums_keep_what_averages_round() -> None:
    row = Row()
    fold(row, Purchase("e", "c", DAY_0, "o", 10_000_001, None), LATENESS)
    assert value(row).historic_clv == "10.000001"
    assert value(row).average_order_value == "10.00"


def test_referral_value_is_null_without_a_programme() -> None:
    row = bought((0, 1000, None))
    assert (value(row).referral_value, value(row).referred_customers) == (None, None)
    programme = value(row, referral_programme=True)
    assert (programme.referral_value, programme.referred_customers) == ("0.00", 0)
    fold(row, ReferralCredit("x", "c", DAY_0, "d", -5_000_000, 1, 1, 2), LATENESS)
    credited = value(row)
    assert (credited.referral_value, credited.referred_customers) == ("-5.00", 1)
    assert credited.historic_clv == "10.00", "never summed"


@settings(max_examples=60, deadline=None)
@given(histories())
def test_many_at_once_are_each_one(history: list[Happening]) -> None:
    cluster = play(as_arrived(history), configuration(), [7])
    scorings = [
        scoring(customer, row, row.as_of + place * DAY)
        for place, (customer, row) in enumerate(cluster.rows().items())
        if row.as_of >= 0
    ]
    if not scorings:
        return
    values, risks = score(scorings, NOW, ScoringParameters())
    for place, one in enumerate(scorings):
        one_value, one_risk = score([one], NOW, ScoringParameters())
        assert msgspec.json.encode(values[place]) == msgspec.json.encode(one_value[0])
        assert msgspec.json.encode(risks[place]) == msgspec.json.encode(one_risk[0])
