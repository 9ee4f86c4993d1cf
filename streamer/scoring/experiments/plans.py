"""What a shop decides before an experiment begins, and what stands in where it has not."""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from streamer.scoring.experiments.readout import Plan
from streamer.scoring.experiments.sequential import PLANNED_CUSTOMERS

CONTROL = "control"


class Trial(Struct, frozen=True, kw_only=True):
    """An experiment as configured; the defaults suit one of which nothing is."""

    control: str = ""
    """The arm that the others are compared with; "" is ``CONTROL``, or the first by its name."""
    shares: dict[str, float] = {}
    """Of the traffic for each arm, above 0, in any unit; none means equal shares."""
    alpha: float = 0.05
    window_days: int = 30
    planned_customers: float = PLANNED_CUSTOMERS


NO_PLANS: Mapping[str, Trial] = {}


def plan_of(trial: Trial, arms: Iterable[str]) -> Plan:
    """Return the plan of an experiment in which ``arms``, one or more, have been seen.

    Where shares are configured, they name all of its arms: others are none of the plan's.
    """
    shares = dict(trial.shares) or dict.fromkeys(
        {*arms, *([trial.control] if trial.control else [])}, 1.0
    )
    return Plan(
        control=trial.control or (CONTROL if CONTROL in shares else min(shares)),
        shares=shares,
        alpha=trial.alpha,
        window_days=trial.window_days,
        planned_customers=trial.planned_customers,
    )
