"""One customer's lists by hand, one score after the other."""

import json
import tomllib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from streamer.errors import StreamerError
from streamer.pipeline.announcing import Announcer, Book
from streamer.scoring.actions import Playbook
from streamer.scoring.actions.definitions import playbook_of
from streamer.settings import packaged
from tests.support.marketing import marketing, segments
from tests.support.updates import updates

START = datetime(2026, 6, 1, tzinfo=UTC)
FILE = tomllib.loads(packaged("actions"))
Tell = Callable[..., dict[str, Any] | None]


def day(number: float) -> datetime:
    return START + timedelta(days=number)


LOYAL = {
    "orders": 3,
    "risk_band": "low",
    "average_order_value": "20.00",
    "historic_clv": "60.00",
    "expected_date_of_next_order": day(20),
    "last_purchase_at": day(0),
    "win_back_by": day(90),
}


@pytest.fixture
def tell() -> Tell:
    """Return what scores one customer on a day; it returns the list if one is told."""
    book, shop = Book({}), marketing()

    def told(on: float, rules: Playbook | None = None, **figures: Any) -> dict[str, Any] | None:
        configuration = shop if rules is None else replace(shop, playbook=rules)
        value, risk = updates(as_of=day(on), **{**LOYAL, **figures})
        announcer = Announcer([value], [risk], configuration)
        messages = announcer.announced(range(1), book).get("recommended-actions", [])
        return json.loads(messages[0].value or b"") if messages else None

    return told


def names(told: dict[str, Any] | None) -> list[str]:
    assert told is not None
    return [one["action"] for one in told["actions"]]


def test_a_list_stands_until_something_changes(tell: Tell) -> None:
    first = tell(0)
    assert first is not None
    assert first["previous"] is None
    assert first["actions"] == [
        {
            "rank": 1,
            "action": "bigger_basket",
            "version": 1,
            "reason": "an average order of 20.00 USD",
            "money_at_stake": "0.00",
            "deadline": "2026-06-21T00:00:00Z",
        }
    ]
    assert tell(1, expected_date_of_next_order=day(25)) is None


def test_a_purchase_in_time_is_the_suggestions_success(tell: Tell) -> None:
    tell(0)
    told = tell(19, orders=4, last_purchase_at=day(19), expected_date_of_next_order=day(40))
    assert names(told) == ["bigger_basket"]
    assert told is not None
    assert told["previous"] == {
        "action": "bigger_basket",
        "version": 1,
        "suggested_at": "2026-06-01T00:00:00Z",
        "deadline": "2026-06-21T00:00:00Z",
        "outcome": "purchased",
    }


@pytest.mark.parametrize(
    ("on", "more"),
    [(20, {}), (23, {"orders": 4, "last_purchase_at": day(22)})],
    ids=["no purchase", "a purchase too late"],
)
def test_a_suggestion_expires(tell: Tell, on: float, more: dict[str, Any]) -> None:
    tell(0)
    told = tell(on, **more, expected_date_of_next_order=day(50))
    assert told is not None
    assert told["previous"]["outcome"] == "expired"


def test_another_that_comes_first_withdraws_the_suggestion(tell: Tell) -> None:
    tell(0)
    told = tell(5, risk_band="medium")
    assert names(told) == ["win_back"]
    assert told is not None
    assert told["previous"]["outcome"] == "withdrawn"
    assert told["actions"][0]["deadline"] == "2026-08-30T00:00:00Z"
    assert told["actions"][0]["reason"] == "risk is medium; lapsed if nothing comes by 2026-08-30"


def test_who_has_lapsed_is_left_alone(tell: Tell) -> None:
    told = tell(90, risk_band="lapsed")
    assert names(told) == ["leave_alone"]
    assert told is not None
    assert told["actions"][0]["reason"] == "nothing suits"
    assert tell(95, risk_band="lapsed") is None


def test_the_cap_leaves_alone_who_was_suggested_enough(tell: Tell) -> None:
    tell(0)  # one
    tell(1, risk_band="medium")  # two
    told = tell(2)
    assert names(told) == ["leave_alone"]
    assert told is not None
    assert told["actions"][0]["reason"] == "was suggested enough for now"
    assert told["previous"]["outcome"] == "withdrawn"
    assert tell(3) is None
    assert tell(29.9, expected_date_of_next_order=day(60)) is None
    assert names(tell(30.1, expected_date_of_next_order=day(60))) == ["bigger_basket"]


def test_a_low_rating_stops_selling_until_a_better_one_comes(tell: Tell) -> None:
    low = {"rating_last": 2.0, "rating_flag": "needs_review"}
    assert names(tell(0, rating_last=4.0, rating_flag="good")) == ["bigger_basket"]
    told = tell(1, **low)
    assert names(told) == ["service_call"]
    assert told is not None
    assert told["actions"][0]["reason"] == "the last rating was 2"
    assert told["actions"][0]["deadline"] == "2026-06-04T00:00:00Z"
    assert tell(1.5, **low, risk_band="high") is None
    assert names(tell(2, rating_last=3.0, rating_flag="fair")) == ["bigger_basket"]


def test_the_next_category_is_sold_where_the_catalogue_is_known(tell: Tell) -> None:
    bought = {"average_order_value": "90.00", "category_depth": 4}
    assert names(tell(0, **bought)) == ["leave_alone"]
    told = tell(1, **bought, next_category="hats")
    assert names(told) == ["cross_sell"]
    assert told is not None
    assert told["actions"][0]["reason"] == "bought 4 categories, and nothing of hats yet"
    assert told["actions"][0]["money_at_stake"] == "90.00"


def test_few_categories_are_worth_a_cross_sell_without_a_catalogue(tell: Tell) -> None:
    told = tell(0, average_order_value="90.00", category_depth=2)
    assert names(told) == ["cross_sell"]
    assert told is not None
    assert told["actions"][0]["reason"] == "3 orders in 2 categories"


@pytest.mark.parametrize(
    ("widen", "average", "suits"),
    [
        (True, "90.00", True), (False, "20.00", False),
        (None, "49.99", True), (None, "50.00", False),
    ],
)  # fmt: skip
def test_a_basket_is_widened_where_the_shop_says_it_is_low(
    tell: Tell, widen: bool | None, average: str, suits: bool
) -> None:
    told = tell(0, widen_basket=widen, average_order_value=average)
    assert names(told) == ["bigger_basket" if suits else "leave_alone"]


@pytest.mark.parametrize(("points", "suits"), [(100, True), (101, False), (None, False)])
def test_a_tier_within_reach_is_worth_a_nudge(tell: Tell, points: int | None, suits: bool) -> None:
    told = tell(0, average_order_value="90.00", points_to_next_tier=points, next_tier="gold")
    assert names(told) == ["loyalty_nudge" if suits else "leave_alone"]
    assert told is not None
    assert not suits or told["actions"][0]["reason"] == "100 points from gold"


def test_urgency_comes_before_money_and_money_before_the_rest(tell: Tell) -> None:
    base = {"money": "1", "reason": "r", "deadline": 9, "version": 1, "when": "true"}
    file = {
        "version": 7,
        "cap": {"suggestions": 9, "days": 1},
        "action": [
            {**base, "name": "poor", "money": "historic_clv / 100"},
            {**base, "name": "unknown", "money": "predicted_clv"},
            {**base, "name": "rich", "money": ["predicted_clv", "historic_clv"]},
            {**base, "name": "urgent", "urgency": 1},
            {**base, "name": "unfit", "when": "orders > 99"},
            {**base, "name": "over", "deadline": "last_purchase_at"},
        ],
    }
    told = tell(3, playbook_of(file, segments(), "my.toml"))
    assert names(told) == ["urgent", "rich", "poor", "unknown"]
    assert told is not None
    assert told["rules_version"] == 7
    assert [one["money_at_stake"] for one in told["actions"]] == ["1.00", "60.00", "0.60", None]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"when": "nothing"}, "actions.toml: action win_back: when: `nothing`: line 1, column 1: "),
        ({"reason": "{nothing}"}, "action win_back: reason: there is no field `nothing`"),
        ({"reason": "{orders.__class__}"}, "there is no field `orders.__class__`"),
        ({"reason": ["{orders}", "{orders_30_days}"]}, "there is no field `orders_30_days`"),
        ({"reason": "{orders"}, "win_back: reason: `{orders`: expected '}'"),
        ({"reason": []}, "length >= 1"),
        ({"money": ["orders >"]}, "money: `orders >`: line 1, column 8"),
        ({"deadline": "orders"}, "deadline: `orders`: line 1, column 1: it is a number"),
        ({"name": "leave_alone"}, "an action cannot be called `leave_alone`"),
        ({"name": "service_call"}, "an action cannot be called `service_call`, or not twice"),
        ({"colour": "red"}, "unknown field `colour`"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(changes: dict[str, Any], why: str) -> None:
    broken = [{**one, **changes} if one["name"] == "win_back" else one for one in FILE["action"]]
    with pytest.raises(StreamerError) as refused:
        playbook_of({**FILE, "action": broken}, segments(), "actions.toml")
    assert why in str(refused.value)


def test_a_cap_of_nothing_is_refused() -> None:
    with pytest.raises(StreamerError, match="1 suggestion or more"):
        playbook_of({**FILE, "cap": {"suggestions": 0, "days": 1}}, segments(), "my.toml")
