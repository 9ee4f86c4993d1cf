"""The figures of the whole shop (V13, V16, V18) from the shares of its partitions.

Whoever publishes ``programme-measures`` hands every record of ``programme-partials`` to a ``Shop``
and asks it for the measures; so does a replay. It holds nothing that is not on that topic.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TypeVar

from msgspec.structs import asdict

from streamer.pipeline.keyed_sums import kind_of
from streamer.records.instants import NEVER, day_of, to_datetime
from streamer.records.measures import (
    AcquisitionFigures,
    ExperimentMeasure,
    IdealProfileMeasure,
    ProgrammeMeasure,
    RatingMeasure,
    ShopMeasure,
)
from streamer.records.money import minor_digits
from streamer.records.partials import ARM, GROUP, RATINGS, SHARE, TRAIT, Key, Share
from streamer.scoring.experiments.observing import ByMonth
from streamer.scoring.experiments.plans import Trial
from streamer.scoring.experiments.sums import ArmSums
from streamer.scoring.experiments.telling import experiment_fields
from streamer.scoring.ideal.spreads import EVERYONE, Spread
from streamer.scoring.ideal.telling import profile_fields
from streamer.scoring.programme.acquisition import acquisition_of
from streamer.scoring.programme.goals import Goals
from streamer.scoring.programme.groups import CHANNEL
from streamer.scoring.programme.measures import measures_of
from streamer.scoring.programme.members import ALL
from streamer.scoring.programme.months import MONTHS_KEPT, first_month
from streamer.scoring.programme.reviews import RatingCounts, review_of
from streamer.scoring.programme.tallies import Lifetime, Tally
from streamer.scoring.programme.telling import (
    acquisition_figures,
    cohort_figures,
    group_figures,
    month_figures,
)
from streamer.serdes.partials import decode_partial, decode_partial_key

T = TypeVar("T")


class Shop:
    """The last shares of all partitions.

    Args:
        currency: of all money.
        trials: the experiments that the shop has planned.
        goals: what it wants of its figures.
    """

    def __init__(
        self, currency: str, trials: Mapping[str, Trial], goals: Goals | None = None
    ) -> None:
        self._currency = currency
        self._trials = trials
        self._goals = goals or Goals()
        self._shares: dict[int, Share] = {}
        self._in_force: dict[int, frozenset[Key]] = {}
        self._values: dict[tuple[Key, int], bytes] = {}

    def take(self, partition: int, key: bytes | None, value: bytes | None) -> None:
        """Take a record of ``programme-partials``; each replaces the last of its key.

        Raises:
            UnreadablePartialError: streamer did not write it, or a later version did.
        """
        of = decode_partial_key(key)
        if value is None:
            self._values.pop((of, partition), None)
        elif of == SHARE:
            self._shares[partition] = share = decode_partial(value, Share)
            self._in_force[partition] = frozenset(share.keys)
        else:
            self._values[of, partition] = value

    @property
    def partitions(self) -> int:
        """How many partitions have told their share, if only that there is nothing."""
        return len(self._shares)

    @property
    def is_valued(self) -> bool:
        """Whether all lifetime values are known: after a new model some are not for a while."""
        return all(share.valued for share in self._shares.values())

    @property
    def time(self) -> int:
        """The shop's, microseconds since 1970: that of the partition furthest ahead."""
        return max((share.time for share in self._shares.values()), default=NEVER)

    def measures(self, measured_at: datetime) -> Iterator[ShopMeasure]:
        """Give all measures: of groups, ratings, experiments, the profile; none before an event.

        Raises:
            UnreadablePartialError: as ``take``.
        """
        if self.time == NEVER:
            return
        keys = self._keys()
        for key in keys:
            if key[0] == GROUP:
                yield self._programme(key, measured_at)
            elif key[0] == RATINGS:
                yield from self._ratings(key, measured_at)
        for experiment, arms in self._experiments(keys).items():
            yield self._experiment(experiment, arms, measured_at)
        if EVERYONE in keys:
            yield self._profile(keys, measured_at)

    def _keys(self) -> list[Key]:
        """Return what is counted in every partition that knows of it, sorted."""
        beyond: dict[str, Key] = {}
        for share in self._shares.values():
            for kind, key in share.beyond.items():
                beyond[kind] = min(key, beyond.get(kind, key))
        if ARM in beyond:  # an experiment without some of its arms would mislead
            beyond[ARM] = beyond[ARM][:2]
        known = frozenset[Key]().union(*self._in_force.values())
        return sorted(key for key in known if key < beyond.get(kind_of(key), (*key, "")))

    def _decoded(self, key: Key, kind: type[T]) -> Iterator[T]:
        """Give the sums of all partitions that have ``key`` in force."""
        for partition, keys in self._in_force.items():
            value = self._values.get((key, partition))
            if value is not None and key in keys:
                yield decode_partial(value, kind)

    @property
    def _model_version(self) -> str:
        return max(self._shares.values(), key=lambda share: share.generation).model_version

    def _programme(self, key: Key, measured_at: datetime) -> ProgrammeMeasure:
        since = first_month(day_of(self.time))
        tally = sum(self._decoded(key, Tally), Tally()).since(since)
        measures = measures_of(tally, since + MONTHS_KEPT - 1)
        digits = minor_digits(self._currency)
        return ProgrammeMeasure(
            group=key[1],
            as_of=to_datetime(self.time),
            measured_at=measured_at,
            model_version=self._model_version,
            currency=self._currency,
            figures=group_figures(measures.figures, digits),
            acquisition=self._acquisition(key[1], tally, digits),
            months=[month_figures(month, digits) for month in measures.months],
            cohorts=[cohort_figures(cohort, digits) for cohort in measures.cohorts],
        )

    def _profile(self, keys: list[Key], measured_at: datetime) -> IdealProfileMeasure:
        spreads = {
            key: sum(self._decoded(key, Spread), Spread()) for key in keys if key[0] == TRAIT
        }
        return IdealProfileMeasure(
            as_of=to_datetime(self.time),
            measured_at=measured_at,
            model_version=self._model_version,
            currency=self._currency,
            **profile_fields(spreads, self._currency),
        )

    def _acquisition(self, group: str, tally: Tally, digits: int) -> AcquisitionFigures | None:
        """Return what winning a group cost: nobody spends on winning a segment."""
        if group != ALL and not group.startswith(CHANNEL):
            return None
        lifetime = sum(tally.cohorts.values(), Lifetime())
        found = acquisition_of(tally.spend, lifetime, self._goals.ltv_to_cac)
        return acquisition_figures(found, digits)

    def _ratings(self, key: Key, measured_at: datetime) -> Iterator[RatingMeasure]:
        counts = sum(self._decoded(key, RatingCounts), RatingCounts())
        if counts.ratings:
            yield RatingMeasure(
                rated=key[1],
                as_of=to_datetime(self.time),
                measured_at=measured_at,
                **asdict(review_of(counts, self._goals.rating_low_share_max)),
            )

    def _experiments(self, keys: list[Key]) -> dict[str, dict[str, ArmSums]]:
        """Return the sums of the arms that have customers, by experiment."""
        since, found = first_month(day_of(self.time)), dict[str, dict[str, ArmSums]]()
        for key in keys:
            if key[0] == ARM and (sums := sum(self._arm(key, since), ArmSums())).customers:
                found.setdefault(key[1], {})[key[2]] = sums
        return found

    def _experiment(
        self, experiment: str, arms: Mapping[str, ArmSums], measured_at: datetime
    ) -> ExperimentMeasure:
        trial = self._trials.get(experiment, Trial())
        return ExperimentMeasure(
            experiment=experiment,
            as_of=to_datetime(self.time),
            measured_at=measured_at,
            model_version=self._model_version,
            currency=self._currency,
            **experiment_fields(arms, trial, day_of(self.time), self._currency),
        )

    def _arm(self, key: Key, since: int) -> Iterator[ArmSums]:
        for months in self._decoded(key, ByMonth):
            yield from (sums for month, sums in months.items() if month >= since)
