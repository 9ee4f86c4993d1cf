"""What a channel costs, by hand; where its spend is kept, and what is beyond the bound."""

from itertools import permutations

import pytest

from streamer.records.events import AcquisitionCost, Purchase, Surroundings
from streamer.records.instants import DAY
from streamer.records.money import UNIT
from streamer.scoring.programme.acquisition import REASONS, acquisition_of
from streamer.scoring.programme.spending import Spending, spending_of, spent
from streamer.scoring.programme.tallies import Lifetime, Spend
from streamer.state.engagement import CHANNEL_BYTES_MAX, CHANNELS_MAX
from streamer.state.fold import fold
from streamer.state.row import Row


def paid(costs: list[tuple[str, int]], bought_by: str | None = None) -> Spending:
    """The spending of a customer with these costs, and perhaps with a purchase."""
    row = Row()
    for place, (channel, units) in enumerate(costs):
        fold(row, AcquisitionCost(f"{place}", "c", DAY, units * UNIT, channel), 0)
    if bought_by is not None:
        fold(row, Purchase("p", "c", DAY, "o", UNIT, None, Surroundings(bought_by, "")), 0)
    return spending_of(row)


def customers(number: int, *, valued: int = 0, value: int = 0) -> Lifetime:
    return Lifetime(number, 0, number, 0, 0, valued, value * UNIT)


def test_a_channel_by_hand() -> None:
    found = acquisition_of(Spend(3, 90 * UNIT), customers(2, valued=2, value=540), 3.0)
    assert found.cost_per_customer == 45 * UNIT
    assert found.ltv_to_cac == 6  # 270 ÷ 45
    assert found.ltv_below_target is False
    assert (found.acquisition_budget, found.retention_budget) == (90 * UNIT, 45 * UNIT)
    assert found.null_reasons == {}


def test_a_ratio_at_the_target_is_not_below_it() -> None:
    spend = Spend(1, 100 * UNIT)
    assert not acquisition_of(spend, customers(1, valued=1, value=300), 3.0).ltv_below_target
    assert acquisition_of(spend, customers(1, valued=1, value=299), 3.0).ltv_below_target


def test_a_base_that_is_worth_less_than_nothing_has_no_budget() -> None:
    found = acquisition_of(Spend(1, UNIT), customers(1, valued=1, value=-5), 3.0)
    assert (found.ltv_to_cac, found.acquisition_budget, found.retention_budget) == (-5, 0, 0)


@pytest.mark.parametrize(
    ("spend", "lifetime", "reasons"),
    [
        (Spend(), customers(0), {"acquisition_cost": "no_acquisition_cost",
                                 "cost_per_customer": "no_acquisition_cost",
                                 "ltv_to_cac": "no_customer", "ltv_below_target": "no_customer",
                                 "acquisition_budget": "no_customer",
                                 "retention_budget": "no_customer"}),
        (Spend(1, 5), customers(0), {"cost_per_customer": "no_customer",
                                     "ltv_to_cac": "no_customer", "ltv_below_target": "no_customer",
                                     "acquisition_budget": "no_customer",
                                     "retention_budget": "no_customer"}),
        (Spend(1, 5), customers(1), {"ltv_to_cac": "no_value", "ltv_below_target": "no_value",
                                     "acquisition_budget": "no_value",
                                     "retention_budget": "no_value"}),
        (Spend(), customers(1, valued=1), {"acquisition_cost": "no_acquisition_cost",
                                           "cost_per_customer": "no_acquisition_cost",
                                           "ltv_to_cac": "no_acquisition_cost",
                                           "ltv_below_target": "no_acquisition_cost",
                                           "retention_budget": "no_acquisition_cost"}),
        (Spend(1, 0), customers(1, valued=1), {"ltv_to_cac": "free_acquisition",
                                               "ltv_below_target": "free_acquisition"}),
    ],
)  # fmt: skip
def test_what_cannot_be_known_says_why(
    spend: Spend, lifetime: Lifetime, reasons: dict[str, str]
) -> None:
    found = acquisition_of(spend, lifetime, 3.0)
    assert found.null_reasons == reasons
    assert {name for name in found.__struct_fields__ if getattr(found, name) is None} == set(
        reasons
    )
    assert set(reasons.values()) <= REASONS.keys()


def test_spend_counts_for_the_channel_it_names_whoever_won_the_customer() -> None:
    assert paid([("search", 30), ("", 5), ("fair", 0)], bought_by="web") == {
        "all": Spend(3, 35 * UNIT),
        "channel:search": Spend(1, 30 * UNIT),
        "channel:fair": Spend(1, 0),
        "channel:web": Spend(1, 5 * UNIT),
    }
    assert paid([("", 5)]) == {"all": Spend(1, 5 * UNIT)}
    assert paid([], bought_by="web") == {}


def test_the_least_names_are_kept_in_any_order() -> None:
    costs = [(f"c{n:02d}", n) for n in range(CHANNELS_MAX + 2)]
    found = [paid(costs), paid(costs[::-1]), paid(costs[9:] + costs[:9])]
    # The two beyond the bound count for the channel that won the customer: the first told.
    assert all(one["all"].amount == sum(n for _, n in costs) * UNIT for one in found)
    assert all(one == found[0] for one in found)
    assert len(found[0]) == 1 + CHANNELS_MAX
    for few in permutations([("a", 1), ("b", 2), ("a", 3)]):
        assert paid(list(few))["channel:a"] == Spend(2, 4 * UNIT)


def test_what_is_spent_on_names_too_long_to_keep_is_not_lost() -> None:
    long = "x" * (CHANNEL_BYTES_MAX + 1)
    assert paid([(long, 7)], bought_by="web")["channel:web"] == Spend(1, 7 * UNIT)


def test_differences_add_up() -> None:
    before, after = paid([("a", 1)]), paid([("a", 1), ("b", 2)], bought_by="a")
    assert spent([(before, after), ({}, before), (after, after)]) == {
        "all": Spend(2, 3 * UNIT),
        "channel:a": Spend(1, UNIT),
        "channel:b": Spend(1, 2 * UNIT),
    }
    assert spent([(before, before)]) == {}
