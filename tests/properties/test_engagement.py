"""What customers do besides buying (V8 to V10) is as a recount of the wire's events has it."""

import json
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.pipeline import Configuration
from streamer.records.events import Exposure, Profile
from streamer.records.instants import DAY, NEVER, from_datetime
from streamer.records.kafka import LTV_UPDATES
from streamer.state.fold import fold
from streamer.state.row import Row
from tests.support import oracle
from tests.support.cluster import Cluster, Score
from tests.support.engaged import engaged
from tests.support.histories import (
    LONG_DAYS,
    RATES,
    START,
    Happening,
    as_arrived,
    configuration,
    histories,
    sizes,
)
from tests.support.play import end, play

ALL = settings(max_examples=100, deadline=None)
END = from_datetime(START) + LONG_DAYS * DAY
TIERS = {"bronze": 100, "silver": 500, "gold": 1500}


def shop(*, every_event: bool = False, tiers: dict[str, int] | None = None) -> Configuration:
    plain = configuration(lateness_days=LONG_DAYS, every_event=every_event)
    scoring = msgspec.structs.replace(
        plain.scoring,
        loyalty_tiers=TIERS if tiers is None else tiers,
        loyalty_points_per_unit=0.29,
        loyalty_points_per_referral=70,
        loyalty_points_per_share=30,
    )
    return Configuration(
        plain.decoder, scoring, lateness=plain.lateness, every_event=every_event, version="test"
    )


def counted(row: Row) -> dict[str, Any]:
    """Return what the row holds, as ``engaged`` gives it; the channel is the score's."""
    kept = row.engagement
    assert kept is not None
    at, lowest = kept.last_rating
    return {
        "location": kept.location[1] or None,
        "acquisition_cost": (
            Fraction(kept.acquisition_cost, 1_000_000) if kept.acquisition_costs else None
        ),
        "ratings": kept.ratings,
        "rating_sum": Fraction(kept.rating_sum, 1_000_000),
        "rating_last": Fraction(lowest, 1_000_000) if at != NEVER else None,
        "shares": kept.shares,
        "attributes": {name: json.loads(text) for name, (_, text) in kept.attributes.items()},
        "experiments": {one: arm for one, (_, arm) in kept.experiments.items()},
    }


@ALL
@given(histories(), sizes())
def test_rows_are_the_recount(history: list[Happening], units: list[int]) -> None:
    events = as_arrived(history)
    rows = play(events, shop(), units).rows()
    found = {customer: counted(row) for customer, row in rows.items() if row.engagement}
    for customer, told in engaged(events, RATES).items():
        expected = {name: value for name, value in told.items() if name != "acquisition_channel"}
        if customer in found:
            assert found[customer] == expected
        else:
            assert not any(expected.values())


@ALL
@given(histories(), sizes(), st.booleans())
def test_scores_are_the_recount(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    events = as_arrived(history)
    told, sums = engaged(events, RATES), oracle.count(events, RATES)
    cluster = play(events, shop(every_event=every_event), units)
    for (topic, customer), score in cluster.last_scores().items():
        if topic != LTV_UPDATES or customer not in told:
            continue
        own, net = told[customer], Fraction(sums[customer]["net"])
        assert score["acquisition_channel"] == own["acquisition_channel"]
        assert score["ratings"] == (own["ratings"] or None)
        assert score["location"] == own["location"]
        if own["ratings"]:
            assert abs(score["rating_average"] - own["rating_sum"] / own["ratings"]) < 1e-6
            low, high = own["rating_last"] < 3, own["rating_last"] >= 4
            flag = "needs_review" if low else "good" if high else "fair"
            assert score["rating_flag"] == flag
        brought = sums[customer]["referred_customers"]
        points = max(0, net * Fraction("0.29") // 1 + 70 * brought + 30 * own["shares"])
        assert score["loyalty_points"] == points
        tier = next((name for name in ("gold", "silver", "bronze") if points >= TIERS[name]), None)
        assert score["loyalty_tier"] == tier


@ALL
@given(histories(), sizes(), st.booleans())
def test_each_change_of_tier_is_told_once(
    history: list[Happening], units: list[int], every_event: bool
) -> None:
    cluster = play(as_arrived(history), shop(every_event=every_event), units)
    cluster.tell_silence(END)
    assert_told_once(cluster.scores(LTV_UPDATES), [None, *TIERS])


def assert_told_once(scores: Iterable[Score], ranks: list[str | None]) -> int:
    """Each announcement goes on from the one before; return how many there were."""
    told: dict[str, str | None] = {}
    changes = 0
    for score in scores:
        before, now = told.get(score["customer_id"]), score["loyalty_tier"]
        if before == now:
            assert score["loyalty_tier_change"] is None
            assert score["previous_loyalty_tier"] is None
            continue
        up = ranks.index(now) > ranks.index(before)
        assert score["loyalty_tier_change"] == ("up" if up else "down")
        assert score["previous_loyalty_tier"] == before
        told[score["customer_id"]] = now
        changes += 1
    return changes


@ALL
@given(histories(referrals=0), sizes(), sizes())
def test_apart_from_announcements_units_of_any_size_end_in_the_same(
    history: list[Happening], one: list[int], two: list[int]
) -> None:
    events = as_arrived(history)
    apart = "previous_loyalty_tier", "loyalty_tier_change", "null_reasons"
    assert end(play(events, shop(), one), *apart) == end(
        play(events, shop(every_event=True), two), *apart
    )


def test_new_rules_are_told_once_though_only_silence_follows() -> None:
    event = {
        "event_id": "e",
        "type": "purchase",
        "customer_id": "ann",
        "occurred_at": START.isoformat(),
        "order_id": "o",
        "amount": "1000",
        "currency": "USD",
    }
    before = play([event], shop(tiers={}))
    for every_event in (False, True):
        after = Cluster(shop(every_event=every_event))
        after.crash(0, before.changelog(0))
        for days in (100, 300, 3000):
            after.tell_silence(from_datetime(START) + days * DAY)
            after.crash(0, [*before.changelog(0), *after.changelog(0)])
        scores = list(after.scores(LTV_UPDATES))
        assert len(scores) == 3, "one a band"
        assert assert_told_once(scores, [None, *TIERS]) == 1
        assert scores[0]["loyalty_tier_change"] == "up"


@ALL
@given(
    st.lists(
        st.tuples(
            st.integers(0, 40),
            st.lists(st.tuples(st.integers(0, 60), st.integers(0, 3)), min_size=1, max_size=9),
        ),
        max_size=30,
    ),
    st.randoms(use_true_random=False),
)
def test_the_bounds_leave_the_same_in_any_order(
    told: list[tuple[int, list[tuple[int, int]]]], random: Any
) -> None:
    """More attributes and experiments than are kept: the latest and the earliest stay."""
    events = [
        Profile(f"p{n}", "c", at, {f"a{name}": str(value) for name, value in pairs})
        for n, (at, pairs) in enumerate(told)
    ] + [
        Exposure(f"x{n}-{name}", "c", at, f"x{name}", str(value))
        for n, (at, pairs) in enumerate(told)
        for name, value in pairs
    ]
    one, two = Row(), Row()
    for event in events:
        fold(one, event, 100)
    random.shuffle(events)
    for event in events:
        fold(two, event, 100)
    assert one == two
    if one.engagement is not None:
        assert msgspec.msgpack.encode(one.engagement) == msgspec.msgpack.encode(two.engagement)
        assert max(len(one.engagement.attributes), len(one.engagement.experiments)) <= 24
