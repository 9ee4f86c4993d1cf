"""The readout of an experiment: each arm against the control, and whether the arms are sound."""

from collections.abc import Mapping

from msgspec import Struct

from streamer.scoring.experiments.sample_ratio import SampleRatio, sample_ratio
from streamer.scoring.experiments.sequential import PLANNED_CUSTOMERS
from streamer.scoring.experiments.sums import ArmSums
from streamer.scoring.experiments.uplift import Uplift, uplifts


class Plan(Struct, frozen=True, kw_only=True):
    """What was decided before the experiment began."""

    control: str
    """The arm that the others are compared with."""
    shares: dict[str, float]
    """Of the traffic for each arm, above 0, in any unit."""
    alpha: float = 0.05
    """Probability of finding what is not there, in one metric, over all arms and all looks."""
    window_days: int = 30
    """Within which a customer returns or does not, 1 or more."""
    planned_customers: float = PLANNED_CUSTOMERS
    """About how many there will be in two arms together."""


class Readout(Struct, frozen=True, kw_only=True):
    """All that is known of an experiment."""

    control: str
    arms: dict[str, list[Uplift]]
    """Of each other arm, by name: order value, retention, lifetime value."""
    sample_ratio: SampleRatio | None
    """None before the first customer, or with a single arm."""

    @property
    def trustworthy(self) -> bool:
        """Whether the arms are of the sizes they should be; if not, believe no uplift."""
        return self.sample_ratio is None or not self.sample_ratio.mismatch


def readout(arms: Mapping[str, ArmSums], plan: Plan, today: int) -> Readout:
    """Return what may be said of an experiment on the UTC day ``today`` (since 1970).

    Of more than one arm beside the control, each is compared at α ÷ their number (Bonferroni).
    An arm without sums has no customers yet.

    Raises:
        ValueError: an arm is none of the plan's, or the control is not.
    """
    if not {plan.control, *arms} <= plan.shares.keys():
        raise ValueError("shares must name the control and every arm")
    sums = {arm: arms.get(arm, ArmSums()) for arm in sorted(plan.shares)}
    control = sums[plan.control]
    others = {arm: treatment for arm, treatment in sums.items() if arm != plan.control}
    return Readout(
        control=plan.control,
        arms={
            arm: uplifts(
                control,
                treatment,
                today=today,
                window_days=plan.window_days,
                alpha=plan.alpha / len(others),
                planned=plan.planned_customers,
            )
            for arm, treatment in others.items()
        },
        sample_ratio=sample_ratio({arm: one.customers for arm, one in sums.items()}, plan.shares),
    )


def sentence(uplift: Uplift, level: float, unit: str) -> str:
    """Return ``uplift`` in words, for a confidence ``level`` from 0 to 1.

    Args:
        uplift: of any metric.
        level: 1 − α of the comparison.
        unit: the currency; rates are told in percentage points.
    """
    name = "lifetime value" if uplift.metric == "ltv" else uplift.metric.replace("_", " ")
    if uplift.verdict == "too_little_data":
        fewest = min(uplift.customers_control, uplift.customers_treatment)
        few = "1 customer" if fewest == 1 else f"{fewest} customers"
        return f"{name}: too little data to say anything ({few} in the smaller arm)"
    rate = uplift.metric == "retention_rate"
    scale, of = (100, "points") if rate else (1, unit)
    figures = (uplift.difference, uplift.always_valid_low, uplift.always_valid_high)
    difference, low, high = (f"{scale * (figure or 0):+,.2f}" for figure in figures)
    verdict = uplift.verdict.replace("_", " ")
    return f"{name}: {verdict}, {difference} {of} ({low} to {high} at {level:.4g}, at any look)"
