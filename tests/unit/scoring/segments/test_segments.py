import tomllib
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.errors import StreamerError
from streamer.scoring.expressions import Frame
from streamer.scoring.segments import NO_SEGMENTS, Segmentation, split
from streamer.scoring.segments.definitions import segments_of
from streamer.settings import packaged
from tests.support.updates import updates

BUILT_IN = tomllib.loads(packaged("segments"))


def shop(**own: Any) -> Segmentation:
    return segments_of(BUILT_IN, own, "my.toml")


SHOP = shop()


def segments(**figures: Any) -> set[str]:
    value, risk = updates(**figures)
    return set(split(SHOP.memberships(Frame([value], [risk]))[0]))


def bought(orders: int, days_ago: float, value: str = "100.00", **more: Any) -> set[str]:
    return segments(
        orders=orders,
        days_since_last_purchase=days_ago,
        historic_clv=value,
        tenure_days=400,
        **more,
    )


def test_who_never_bought_is_in_no_segment_of_buyers() -> None:
    assert segments(orders=0) == {"everyone", "never_bought"}


@pytest.mark.parametrize(
    ("orders", "days_ago", "label"),
    [
        (10, 30, "champions"), (5, 31, "champions"), (5, 91, "loyal"),
        (2, 1, "potential_loyalists"), (1, 30, "new"), (1, 31, "promising"),
        (3, 180, "need_attention"), (1, 180, "about_to_sleep"), (12, 181, "cannot_lose"),
        (4, 400, "at_risk"), (2, 365, "hibernating"), (2, 366, "lost"),
    ],
)  # fmt: skip
def test_a_label_is_where_the_thresholds_put_it(orders: int, days_ago: float, label: str) -> None:
    assert f"rfm_{label}" in bought(orders, days_ago)


@given(st.integers(1, 30), st.integers(0, 800), st.integers(0, 3000))
def test_who_bought_has_one_label_of_recency_and_frequency(
    orders: int, days_ago: int, value: int
) -> None:
    found = bought(orders, days_ago, str(value))
    labels = [name for name in found if name.startswith("rfm_") and name != "rfm_big_spenders"]
    assert len(labels) == 1
    assert ("rfm_big_spenders" in found) == (value >= 400)


@pytest.mark.parametrize(
    ("value", "referrals", "quadrant"),
    [
        ("250", "100", "champions"), ("250", "99.99", "affluents"),
        ("249.99", "100", "advocates"), ("0", "0", "misers"),
    ],
)  # fmt: skip
def test_the_quadrants_are_value_by_referrals(value: str, referrals: str, quadrant: str) -> None:
    found = bought(3, 1, value, referral_value=referrals)
    assert {name for name in found if name.startswith("referral_")} == {f"referral_{quadrant}"}


def test_without_a_programme_nobody_is_in_a_quadrant() -> None:
    assert not [name for name in bought(3, 1) if name.startswith("referral_")]


def test_lapsed_but_valuable_is_both() -> None:
    assert "lapsed_but_valuable" in bought(3, 400, "250", risk_band="lapsed")
    assert "lapsed_but_valuable" not in bought(3, 400, "249", risk_band="lapsed")
    assert "lapsed_but_valuable" not in bought(3, 400, "250", risk_band="medium")


@pytest.mark.parametrize(
    ("figures", "segment"),
    [
        ({"category_depth": 1}, "one_category"), ({"widen_basket": True}, "room_to_widen"),
        ({"discount_only": True}, "discount_buyers"),
        ({"low_margin_only": True}, "low_margin_buyers"),
        ({"regularity": 0.39}, "split_spenders"), ({"unpaid_orders_overdue": 1}, "late_payers"),
        ({"rating_flag": "needs_review"}, "needs_review"),
        ({"ltv_below_target": True}, "costly_to_win"),
    ],
)  # fmt: skip
def test_a_figure_that_stands_out_makes_a_segment(figures: dict[str, Any], segment: str) -> None:
    assert bought(3, 1, **figures) - bought(3, 1) == {segment}


def test_who_bought_one_category_but_not_another_is_asked_for_by_name() -> None:
    own = shop(segments={
        "hats_no_shoes": '"hats" in categories && !("shoes" in categories)',
        "in_ulm": 'location == "Ulm"',
    })  # fmt: skip
    base = [("hats",), ("hats", "shoes"), ("shoes",), None]
    pairs = [updates(categories=one, location="Ulm" if one else None) for one in base]
    found = own.memberships(Frame([value for value, _ in pairs], [risk for _, risk in pairs]))
    assert ["hats_no_shoes" in split(one) for one in found] == [True, False, False, False]
    assert ["in_ulm" in split(one) for one in found] == [True, True, True, False]


def test_a_shop_adds_and_replaces() -> None:
    own = shop(segments={"vip": "orders > 1 && rfm_big_spenders_from < 5", "everyone": "false"},
               thresholds={"rfm_big_spenders_from": 4})  # fmt: skip
    assert set(own.names) == {*SHOP.names, "vip"}
    value, risk = updates(orders=2)
    found = split(own.memberships(Frame([value], [risk]))[0])
    assert "vip" in found
    assert "everyone" not in found


def test_many_segments_and_many_customers() -> None:
    names = {f"s{number:03}": f"orders == {number}" for number in range(150)}
    own = shop(segments=names)
    pairs = [updates(orders=number) for number in range(160)]
    found = own.memberships(Frame([value for value, _ in pairs], [risk for _, risk in pairs]))
    for number, joined in enumerate(found):
        assert {name for name in split(joined) if name in names} == (
            {f"s{number:03}"} if number < 150 else set()
        )
    assert Counter(found).keys() == set(found)


def test_no_segments_is_nobody_anywhere() -> None:
    value, risk = updates()
    assert NO_SEGMENTS.memberships(Frame([value], [risk])) == [""]


@pytest.mark.parametrize(
    ("own", "why"),
    [
        ({"segments": {"Vip": "true"}}, "`Vip` is no name"),
        ({"segments": {"orders": "true"}}, "`orders` is a field"),
        ({"segments": {"high_value": "true"}}, "`high_value` is a field or threshold"),
        ({"segments": {"vip": "orders >"}}, "segment vip: `orders >`: line 1, column 8"),
        ({"segments": {"vip": 3}}, "my.toml: Expected `str`, got `int` - at `$.segments"),
        ({"segment": {}}, "unknown field `segment`"),
        ({"rfm": {**BUILT_IN["rfm"], "recency_days": [1, 2, 2, 4]}}, "rfm.recency_days must rise"),
        ({"segments": {f"s{n}": "true" for n in range(200)}}, "200 at most"),
    ],
)
def test_what_cannot_be_is_refused(own: dict[str, Any], why: str) -> None:
    with pytest.raises(StreamerError) as refused:
        shop(**own)
    assert why in str(refused.value)
