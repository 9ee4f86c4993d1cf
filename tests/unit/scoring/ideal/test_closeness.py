"""Closeness by hand: naive Bayes with shares drawn towards the base's."""

import json
from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from streamer.records.instants import DAY
from streamer.records.models import IdealProfile
from streamer.records.scores import LtvUpdate
from streamer.scoring.ideal.profile import ALIKE_MAX, ideal_of
from streamer.scoring.nulls import null_reason
from streamer.scoring.parameters import ScoringParameters, with_model
from streamer.scoring.score import score
from streamer.serdes.models import decode_model_params, encode_model_params
from streamer.state.engagement import Engagement
from streamer.state.row import Row
from tests.support.models import model_params
from tests.support.scoring import scoring

FIRST = 20_000
PROFILE = IdealProfile(
    customers=1000,
    top_customers=100,
    traits={
        "first_category": {"food": (480, 48)},
        "channel": {"email": (40, 12), "search": (600, 30)},
        "location": {"Bern": (60, 18)},
        "rhythm": {"weekly": (30, 30)},
        "tenure": {"new": (500, 0)},
    },
)


def customer(channel: str = "", location: str = "", category: str = "", orders: int = 1) -> Row:
    at = FIRST * DAY
    return Row(
        events_seen=orders,
        orders=orders,
        revenue=9_000_000,
        occasions=orders,
        first_day=FIRST,
        first_purchase_at=at,
        last_purchase_at=at,
        watermarks=[at],
        days=[FIRST, 1, 9_000_000, 0],
        categories={category: [FIRST, FIRST]} if category else {},
        engagement=Engagement(channel=(at, channel), location=(at, location)),
    )


def update(row: Row, profile: IdealProfile | None = PROFILE, model: str = "mbg_nbd") -> LtvUpdate:
    parameters = {} if model == "formula" else model_params().parameters
    params = model_params(profile=profile, model=model, parameters=parameters)
    shop = with_model(ScoringParameters(), params)
    now = datetime(2030, 1, 1, tzinfo=UTC)
    return score([scoring("c", row, FIRST * DAY, shop)], now, shop)[0][0]


def reason(one: LtvUpdate) -> str:
    nulls = json.loads(bytes(one.null_reasons))
    return null_reason(nulls, "profile_closeness")


def test_one_trait_is_its_share_drawn_towards_the_base() -> None:
    # 12 of 40, and 2 of 20 like everybody: 14 of 60
    one = update(customer("email"))
    assert one.profile_closeness == pytest.approx(14 / 60, abs=1e-6)
    assert one.profile_traits is not None
    (email,) = one.profile_traits
    assert (email.trait, email.value, email.lift) == ("channel", "email", 3.0)
    assert email.contribution == pytest.approx(1.007641, abs=1e-6)  # ln(14/46) + ln 9


def test_traits_multiply_their_odds_and_are_ranked() -> None:
    # odds 1/9 × (14/46 ÷ 1/9) × (20/60 ÷ 1/9) = 42/46; food is as everybody
    one = update(customer("email", "Bern", "food"))
    assert one.profile_closeness == pytest.approx(42 / 88, abs=1e-6)
    assert one.profile_traits is not None
    assert [trait.value for trait in one.profile_traits] == ["Bern", "email", "food"]
    assert one.profile_traits[2].contribution == 0


def test_a_trait_may_speak_against() -> None:
    one = update(customer("search"))
    assert one.profile_closeness == pytest.approx(32 / 620, abs=1e-6)
    assert one.profile_traits is not None
    assert one.profile_traits[0].contribution < 0


def test_what_is_not_in_the_profile_weighs_nothing() -> None:
    known, besides = update(customer("email")), update(customer("email", "Ulm", "art"))
    assert known.profile_closeness == besides.profile_closeness
    assert known.profile_traits == besides.profile_traits


def test_tenure_does_not_count() -> None:
    assert reason(update(customer())) == "no_trait"


def test_reasons_of_what_is_not_known() -> None:
    assert reason(update(customer("email"), profile=None)) == "no_profile"
    assert reason(update(customer("email"), profile=None, model="formula")) == "no_model"
    assert reason(update(Row(engagement=Engagement()))) == "no_purchase"
    now = datetime(2030, 1, 1, tzinfo=UTC)
    bare = ScoringParameters()
    assert reason(score([scoring("c", customer(), FIRST * DAY, bare)], now, bare)[0][0]) == (
        "no_model"
    )


def test_a_profile_survives_the_wire() -> None:
    params = model_params(profile=PROFILE)
    assert decode_model_params(encode_model_params(params)) == params


def test_what_is_remembered_is_bounded() -> None:
    ideal = ideal_of(PROFILE)
    for n in range(ALIKE_MAX + 10):
        assert ideal.told(("", "email", f"l{n}", ""))[0] == pytest.approx(14 / 60, abs=1e-6)
    assert len(ideal.alike) == ALIKE_MAX


@pytest.mark.parametrize(
    "wrong",
    [
        {"top_customers": 0},
        {"top_customers": 1000},
        {"traits": {"channel": {"email": (4, 5)}}},
        {"traits": {"channel": {"email": (0, 0)}}},
    ],
)
def test_a_profile_that_contradicts_itself_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="top tenth"):
        ideal_of(replace(PROFILE, **wrong))
