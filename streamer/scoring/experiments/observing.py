"""What of a customer's row counts in the experiments it is in, and the sums of many such changes.

Arms are summed by the month of the exposure. Those of the months that the programme measures keep
are followed: then all days since the exposure are still in the row (see ``programme.months``).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from operator import add, sub

import numpy as np

from streamer.records.instants import day_of
from streamer.scoring.experiments.plans import NO_PLANS, Trial
from streamer.scoring.experiments.sums import NUMBERS, ArmSums, Observation, numbers_of
from streamer.scoring.programme.months import months_of
from streamer.state.row import Row
from streamer.state.windows import DAY_FIELDS, ORDERS, REFUNDED, REVENUE

Arm = tuple[str, str]
"""An experiment and one of its arms."""

Observations = dict[Arm, Observation]
ByMonth = dict[int, ArmSums]

_NOTHING = [0] * len(NUMBERS)


@lru_cache(maxsize=4096)
def month_of(day: int) -> int:
    """Return the month since January 1970 of ``day`` (since 1970-01-01)."""
    return int(months_of(np.array(day)))


def observations_of(
    row: Row, value: int | None, trials: Mapping[str, Trial] = NO_PLANS
) -> Observations:
    """Return what the customer of ``row`` adds to the arms it is in.

    Args:
        row: of the customer, whether it has purchased or not.
        value: its lifetime value in millionths; None where it is not known.
        trials: what the shop has planned, by experiment: the retention window is of it.
    """
    if row.engagement is None:
        return {}
    return {
        (experiment, arm): _observation(row, value, at, trials.get(experiment, Trial()))
        for experiment, (at, arm) in row.engagement.experiments.items()
    }


def _observation(row: Row, value: int | None, at: int, trial: Trial) -> Observation:
    exposed_day = day_of(at)
    days, orders, revenue, returned = row.days, 0, 0, False
    for place in range(0, len(days), DAY_FIELDS):
        day = days[place]
        if day < exposed_day:
            continue
        orders += days[place + ORDERS]
        revenue += days[place + REVENUE] - days[place + REFUNDED]
        if days[place + ORDERS] and exposed_day < day <= exposed_day + trial.window_days:
            returned = True
    return Observation(
        exposed_day=exposed_day,
        orders=orders,
        revenue=revenue,
        returned=returned,
        value=value,
        before=row.revenue - row.refunded - revenue,
    )


class ArmChanges:
    """Adds up changes of customers, a batch of them, arm by arm and month by month."""

    def __init__(self, since: int) -> None:
        self._since = since
        self._numbers: dict[tuple[Arm, int], list[int]] = {}
        self._by_day: dict[tuple[Arm, int], tuple[dict[int, int], dict[int, int]]] = {}

    def change(self, before: Observations, after: Observations) -> None:
        """Count a customer as ``after`` and no longer as ``before``."""
        if before == after:
            return
        self._add(before, -1, sub)
        self._add(after, 1, add)

    def _add(
        self, observations: Observations, sign: int, operation: Callable[[int, int], int]
    ) -> None:
        for arm, observation in observations.items():
            month = month_of(observation.exposed_day)
            if month < self._since:
                continue
            key = arm, month
            known = self._numbers.get(key, _NOTHING)
            self._numbers[key] = list(map(operation, known, numbers_of(observation)))
            exposed, returned = self._by_day.setdefault(key, ({}, {}))
            day = observation.exposed_day
            exposed[day] = exposed.get(day, 0) + sign
            if observation.returned:
                returned[day] = returned.get(day, 0) + sign

    def sums(self) -> Iterable[tuple[Arm, int, ArmSums]]:
        """Give what to add to the sums of each arm and month; counts may be negative."""
        for (arm, month), numbers in self._numbers.items():
            exposed, returned = self._by_day[arm, month]
            named = dict(zip(NUMBERS, numbers, strict=True))
            yield arm, month, ArmSums(**named, exposed=exposed, returned=returned)
