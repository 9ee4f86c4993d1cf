"""LTV:CAC by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from streamer.records.events import AcquisitionCost, Purchase, Surroundings
from streamer.records.instants import DAY, YEAR_DAYS
from streamer.records.scores import LtvUpdate
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.score import score
from streamer.state.fold import fold
from streamer.state.row import Row
from tests.support.scoring import scoring

DAY_0 = 20_000 * DAY
NOW = datetime(2030, 1, 1, tzinfo=UTC)
YEAR = round(YEAR_DAYS * DAY)
UNIT = 1_000_000


def bought(*amounts: int, cost: int | None = None, channel: str = "") -> Row:
    """Return the row of purchases a year apart; the formula's LTV follows by hand."""
    row = Row()
    for place, amount in enumerate(amounts):
        at, where = DAY_0 + place * YEAR, Surroundings(channel if place == 0 else "other")
        paid = None if cost is None else cost * UNIT
        fold(row, Purchase(f"e{place}", "c", at, "o", amount * UNIT, paid, where), 9999 * DAY)
    return row


def won(row: Row, amount: int, channel: str = "", name: str = "w") -> Row:
    return fold(row, AcquisitionCost(name, "c", DAY_0, amount * UNIT, channel), 9999 * DAY)


def value(row: Row, **parameters: object) -> LtvUpdate:
    shop = msgspec.structs.replace(ScoringParameters(), **parameters)
    return score([scoring("c", row, row.as_of, shop)], NOW, shop)[0][0]


def reason(update: LtvUpdate, field: str) -> object:
    return msgspec.json.decode(bytes(update.null_reasons)).get(field)


def test_the_formula_on_revenue_where_no_cost_of_goods_is_known() -> None:
    """AOV 50, two orders in one year, 3 years: 300; at 3:1 a hundred may be spent in all."""
    update = value(won(bought(50, 50), 60))
    assert (update.formula_ltv, update.ltv_to_cac) == ("300.00", 5.0)
    assert (update.ltv_to_cac_basis, update.ltv_below_target) == ("formula_ltv", False)
    assert (update.acquisition_budget, update.retention_budget) == ("100.00", "40.00")


def test_the_formula_on_margin_where_it_is() -> None:
    """Margin 2 × 35 a year × .75 ÷ .35 = 150."""
    update = value(won(bought(50, 50, cost=15), 60))
    assert (update.formula_margin_ltv, update.ltv_to_cac) == ("150.00", 2.5)
    assert (update.ltv_to_cac_basis, update.ltv_below_target) == ("formula_margin_ltv", True)
    assert (update.acquisition_budget, update.retention_budget) == ("50.00", "0.00")


def test_the_target_itself_is_reached() -> None:
    assert value(won(bought(50, 50), 100)).ltv_below_target is False
    assert value(won(bought(50, 50), 100), ltv_to_cac_target=3.01).ltv_below_target is True


def test_costs_add_up_and_beat_the_channels() -> None:
    costs = {"fair": Decimal(7)}
    row = won(won(bought(50, 50, channel="fair"), 20), 40, name="w2")
    update = value(row, channel_costs=costs)
    assert (update.acquisition_cost, update.acquisition_cost_basis) == ("60.00", "events")
    assert update.acquisition_channel == "fair"
    alone = value(bought(50, 50, channel="fair"), channel_costs=costs)
    assert (alone.acquisition_cost, alone.acquisition_cost_basis) == ("7.00", "channel")


def test_the_first_purchase_names_the_channel_or_else_the_first_cost() -> None:
    assert value(bought(50, 50)).acquisition_channel is None, "the second one's is not asked for"
    assert value(won(bought(50, 50), 1, "search")).acquisition_channel == "search"
    assert value(won(bought(50, 50, channel="web"), 1, "search")).acquisition_channel == "web"


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        (bought(50, 50), "ltv_to_cac", "no_acquisition_cost"),
        (bought(50, 50), "retention_budget", "no_acquisition_cost"),
        (bought(50, 50), "acquisition_budget", None),
        (won(bought(50, 50), 0), "ltv_to_cac", "free_acquisition"),
        (won(bought(50, 50), 0), "retention_budget", None),
        (won(bought(50), 5), "ltv_to_cac", "one_occasion"),
        (won(bought(50), 5), "acquisition_cost", None),
        (won(Row(), 5), "ltv_to_cac", "no_purchase"),
        (won(Row(), 5), "acquisition_channel", "no_channel"),
    ],
)
def test_what_is_null_says_why(row: Row, field: str, code: str | None) -> None:
    update = value(row)
    assert reason(update, field) == code
    assert (getattr(update, field) is None) == (code is not None)
