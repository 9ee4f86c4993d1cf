"""Arms of experiments, counted as a partition counts them."""

from collections.abc import Iterable

from streamer.scoring.experiments.observing import ArmChanges
from streamer.scoring.experiments.sums import ArmSums, Observation

Change = tuple[Observation | None, Observation | None]
"""A customer as it was counted, and as it is now."""


def changed(changes: Iterable[Change]) -> ArmSums:
    """Return what ``changes`` of an arm's customers add to its sums."""
    counted = ArmChanges(0)
    for before, after in changes:
        counted.change(
            {} if before is None else {("experiment", "arm"): before},
            {} if after is None else {("experiment", "arm"): after},
        )
    return sum((sums for _, _, sums in counted.sums()), ArmSums())


def arm_of(observations: Iterable[Observation]) -> ArmSums:
    """Return the sums of an arm with these customers."""
    return changed((None, one) for one in observations)
