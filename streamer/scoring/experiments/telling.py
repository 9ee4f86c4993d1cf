"""The readout of an experiment as it goes over the wire."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import asdict

from streamer.records.measures import ArmComparison, ArmSizes, MetricUplift
from streamer.scoring.experiments.plans import Trial, plan_of
from streamer.scoring.experiments.readout import Readout, readout, sentence
from streamer.scoring.experiments.sums import ArmSums


def experiment_fields(
    arms: Mapping[str, ArmSums], trial: Trial, today: int, currency: str
) -> dict[str, Any]:
    """Return the fields of an ``ExperimentMeasure`` that follow from the arms' sums.

    Args:
        arms: one or more that have been seen.
        trial: as planned.
        today: UTC day since 1970, itself not over.
        currency: of money in sentences.
    """
    plan = plan_of(trial, arms)
    planned = {arm: sums for arm, sums in arms.items() if arm in plan.shares}
    found = readout(planned, plan, today)
    level = 1 - plan.alpha / max(1, len(found.arms))
    return {
        "control": plan.control,
        "confidence_level": level,
        "window_days": plan.window_days,
        "arms": {arm: planned.get(arm, ArmSums()).customers for arm in sorted(plan.shares)},
        "unplanned_arms": {
            arm: sums.customers for arm, sums in sorted(arms.items()) if arm not in planned
        },
        "comparisons": _comparisons(found, level, currency),
        "sample_ratio": _sizes(found),
        "trustworthy": found.trustworthy,
    }


def _comparisons(found: Readout, level: float, currency: str) -> list[ArmComparison]:
    return [
        ArmComparison(
            arm=arm,
            uplifts=[
                MetricUplift(**asdict(uplift), sentence=sentence(uplift, level, currency))
                for uplift in uplifts
            ],
        )
        for arm, uplifts in found.arms.items()
    ]


def _sizes(found: Readout) -> ArmSizes | None:
    ratio = found.sample_ratio
    if ratio is None:
        return None
    return ArmSizes(
        expected=ratio.expected, chi_square=ratio.chi_square, p=ratio.p, mismatch=ratio.mismatch
    )
