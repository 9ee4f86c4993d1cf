"""An experiment from its customers to what may be said of it."""

import numpy as np
import pytest

from streamer.records.money import UNIT
from streamer.scoring.experiments.readout import Plan, Readout, readout, sentence
from streamer.scoring.experiments.sums import ArmSums, Observation
from streamer.scoring.experiments.uplift import Uplift
from tests.support.arms import arm_of

TODAY = 20_100
PLAN = Plan(control="control", shares={"control": 0.5, "offer": 0.5})


def arm(
    customers: int,
    *,
    basket: float = 40,
    kept: float = 0.3,
    value: float | None = 200,
    seed: int = 0,
    exposed_day: int = 20_000,
) -> ArmSums:
    rng = np.random.default_rng([seed, customers])
    observations = []
    for _ in range(customers):
        orders = int(rng.poisson(2))
        before = int(rng.gamma(2, 50) * UNIT)
        worth = None if value is None else before + int(rng.normal(value, 30) * UNIT)
        observations.append(
            Observation(
                exposed_day=exposed_day,
                orders=orders,
                revenue=int(rng.gamma(4, basket / 4) * orders * UNIT),
                returned=bool(rng.random() < kept),
                value=worth,
                before=before,
            )
        )
    return arm_of(observations)


def offer(found: Readout) -> dict[str, Uplift]:
    return {uplift.metric: uplift for uplift in found.arms["offer"]}


def test_what_is_there_is_found() -> None:
    arms = {"control": arm(1_000), "offer": arm(1_000, basket=60, kept=0.45, value=230, seed=1)}
    found = offer(readout(arms, PLAN, TODAY))
    assert {one.verdict for one in found.values()} == {"higher"}
    for metric, difference in (("average_order_value", 20), ("retention_rate", 0.15), ("ltv", 30)):
        one = found[metric]
        assert one.always_valid_low is not None
        assert one.always_valid_high is not None
        assert one.low is not None
        assert one.always_valid_low < one.low < (one.high or 0) < one.always_valid_high
        assert one.always_valid_low < difference < one.always_valid_high
        assert (one.always_valid_p or 0) < 0.05
    reduction = found["ltv"].variance_reduction
    assert reduction == pytest.approx(5000 / 5900, abs=0.03)  # 2 · 50² of that and 30²
    assert found["average_order_value"].variance_reduction is None
    assert found["ltv"].percent == pytest.approx(10, abs=2)  # of 100 + 200


def test_the_other_way_round_it_is_lower() -> None:
    arms = {"control": arm(800, basket=60, seed=1), "offer": arm(800)}
    assert offer(readout(arms, PLAN, TODAY))["average_order_value"].verdict == "lower"


def test_not_significant_is_said_as_such() -> None:
    arms = {"control": arm(500), "offer": arm(500, seed=1)}
    found = offer(readout(arms, PLAN, TODAY))
    assert {one.verdict for one in found.values()} == {"not_significant"}
    assert all((one.always_valid_p or 0) > 0.05 for one in found.values())
    words = sentence(found["average_order_value"], 0.95, "USD")
    assert words.startswith("average order value: not significant, ")
    assert "USD (-" in words
    assert "points (" in sentence(found["retention_rate"], 0.95, "USD")


def test_too_little_is_said_as_such() -> None:
    arms = {"control": arm(500), "offer": arm(29)}
    plan = Plan(control="control", shares={"control": 500, "offer": 29})
    for one in readout(arms, plan, TODAY).arms["offer"]:
        assert one.verdict == "too_little_data"
        assert one.difference is one.always_valid_p is None
        assert "29 customers in the smaller arm" in sentence(one, 0.95, "USD")


def test_what_is_not_known_is_null() -> None:
    """No lifetime value without a model; no retention before the window is over; no orders."""
    arms = {
        "control": arm(100, value=None, exposed_day=TODAY - 10),
        "offer": arm(100, value=None, exposed_day=TODAY - 10, seed=1),
    }
    found = offer(readout(arms, PLAN, TODAY))
    assert found["ltv"].verdict == found["retention_rate"].verdict == "too_little_data"
    assert found["ltv"].customers_control == 0
    assert found["average_order_value"].verdict == "not_significant"
    silent = arm_of(Observation(exposed_day=1) for _ in range(50))
    one = offer(readout({"control": silent, "offer": silent}, PLAN, TODAY))
    assert one["average_order_value"].verdict == "too_little_data"
    assert one["retention_rate"].verdict == "not_significant"  # 0 of 50 against 0 of 50


def test_several_arms_share_alpha() -> None:
    shares = {"control": 1.0, "offer": 1.0, "other": 1.0}
    arms = {"control": arm(400), "offer": arm(400, seed=1), "other": arm(400, seed=2)}
    alone = offer(readout({name: arms[name] for name in PLAN.shares}, PLAN, TODAY))
    among = offer(readout(arms, Plan(control="control", shares=shares), TODAY))
    halved = offer(
        readout(
            {name: arms[name] for name in PLAN.shares},
            Plan(control="control", shares=PLAN.shares, alpha=0.025),
            TODAY,
        )
    )
    assert among == halved
    assert (among["ltv"].always_valid_high or 0) > (alone["ltv"].always_valid_high or 0)


def test_arms_of_wrong_sizes_are_not_to_be_believed() -> None:
    found = readout({"control": arm(400), "offer": arm(250)}, PLAN, TODAY)
    assert not found.trustworthy
    assert readout({"control": arm(300), "offer": arm(290)}, PLAN, TODAY).trustworthy
    nobody = readout({}, PLAN, TODAY)
    assert nobody.sample_ratio is None
    assert nobody.trustworthy


def test_an_unknown_arm_is_refused() -> None:
    with pytest.raises(ValueError, match="shares must name the control and every arm"):
        readout({"control": arm(3), "stray": arm(3)}, PLAN, TODAY)
    with pytest.raises(ValueError, match="shares must name"):
        readout({}, Plan(control="none", shares={"a": 1.0}), TODAY)


def test_daily_looks_at_the_whole_readout_seldom_find_what_is_not_there() -> None:
    """Arms alike: over 40 days of looks at most α of the experiments find something in a metric."""
    rng = np.random.default_rng(9)
    found = dict.fromkeys(("average_order_value", "retention_rate", "ltv"), 0)
    for _ in range(100):
        arms = dict.fromkeys(PLAN.shares, ArmSums())
        seen: set[str] = set()
        for day in range(40):
            for name in PLAN.shares:
                for orders, basket in zip(rng.poisson(1, 4), rng.gamma(1, 40, 4), strict=True):
                    revenue = int(orders * basket * UNIT)
                    one = Observation(
                        exposed_day=day,
                        orders=int(orders),
                        revenue=revenue,
                        returned=bool(orders > 1),
                        value=revenue,
                    )
                    arms[name] += arm_of([one])
            uplifts = offer(readout(arms, PLAN, day + 1)).values()
            seen |= {one.metric for one in uplifts if one.verdict in {"higher", "lower"}}
        for metric in seen:
            found[metric] += 1
    assert max(found.values()) <= 5
