import pytest

from streamer.scoring.experiments.plans import Trial, plan_of
from streamer.scoring.experiments.sums import Observation
from streamer.scoring.experiments.telling import experiment_fields
from tests.support.arms import arm_of


@pytest.mark.parametrize(
    ("trial", "arms", "control", "shares"),
    [
        (Trial(), ["offer", "control"], "control", {"offer": 1, "control": 1}),
        (Trial(), ["b", "a"], "a", {"a": 1, "b": 1}),
        (Trial(control="c"), ["b"], "c", {"b": 1, "c": 1}),
        (Trial(shares={"a": 9, "b": 1}), ["z"], "a", {"a": 9, "b": 1}),
        (Trial(shares={"a": 9, "b": 1}, control="b"), [], "b", {"a": 9, "b": 1}),
    ],
)
def test_what_is_not_planned_is_as_usual(
    trial: Trial, arms: list[str], control: str, shares: dict[str, float]
) -> None:
    plan = plan_of(trial, arms)
    assert (plan.control, plan.shares) == (control, shares)


def test_arms_that_were_not_planned_are_told_and_not_compared() -> None:
    one = arm_of([Observation(exposed_day=20_000)])
    trial = Trial(shares={"a": 1, "b": 1})
    fields = experiment_fields({"a": one, "z": one + one}, trial, 20_050, "USD")
    assert (fields["arms"], fields["unplanned_arms"]) == ({"a": 1, "b": 0}, {"z": 2})
    assert [one.arm for one in fields["comparisons"]] == ["b"]


def test_a_single_arm_is_compared_with_nothing() -> None:
    fields = experiment_fields(
        {"a": arm_of([Observation(exposed_day=20_000)])}, Trial(), 20_050, "USD"
    )
    assert fields["comparisons"] == []
    assert fields["sample_ratio"] is None
    assert fields["trustworthy"]
    assert fields["confidence_level"] == 0.95
