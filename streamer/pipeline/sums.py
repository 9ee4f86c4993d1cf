"""The sums over the customers of one partition: groups (V16), arms (V18) and traits (V13).

Bounded as ``keyed_sums`` says: of each kind of group, of arms, and of each trait's values, the
first ``KEYS_MAX`` by name are kept.
"""

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from streamer.pipeline.keyed_sums import KeyedSums
from streamer.records.partials import ARM, GROUP, Key
from streamer.scoring.experiments.observing import ArmChanges, ByMonth, Observations
from streamer.scoring.experiments.sums import ArmSums, without_values
from streamer.scoring.ideal.spreads import Marked, Spread, differences
from streamer.scoring.programme.changes import Change
from streamer.scoring.programme.counting import changed
from streamer.scoring.programme.spending import Spending, spent
from streamer.scoring.programme.tallies import Spend, Tally, add_in_place

KEYS_MAX = 200

Counted = Tally | ByMonth | Spread


class Sums(KeyedSums[Counted]):
    """The sums of groups, arms and traits."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        super().__init__(keys_max)
        self._since: int | None = None

    def take_changed(self) -> Iterator[tuple[Key, Counted | None]]:
        """Give what has changed since the last call; None is no longer there."""
        for key, sums in super().take_changed():
            yield key, Tally() + sums if isinstance(sums, Tally) else sums

    def keep_since(self, month: int) -> None:
        """Drop what is of months before ``month``, if it is a later one than so far."""
        if self._since is not None and month <= self._since:
            return
        self._since = month
        for key, sums in list(self._of.items()):
            if isinstance(sums, Tally):
                self._put(key, sums.since(month))
            elif isinstance(sums, dict):
                self._put(key, {at: arm for at, arm in sums.items() if at >= month})
            else:
                self._put(key, sums)

    def count(
        self,
        members: Iterable[Change],
        observed: Iterable[tuple[Observations, Observations]],
        marked: Iterable[tuple[Marked | None, Marked | None]] = (),
        spending: Iterable[tuple[Spending, Spending]] = (),
    ) -> None:
        """Count customers as they are now, no longer as they were; ``keep_since`` comes first."""
        assert self._since is not None  # noqa: S101 - see above
        for name, delta in changed(members, self._since).groups.items():
            self._add_group((GROUP, name), delta)
        for name, spend in spent(spending).items():
            self._add_spend((GROUP, name), spend)
        changes = ArmChanges(self._since)
        for before, after in observed:
            changes.change(before, after)
        for arm, month, sums in changes.sums():
            self._add_arm((ARM, *arm), month, sums)
        for key, customers in differences(marked).items():
            self._add_trait(key, customers)

    def forget_values(self) -> None:
        """Count no lifetime value any more: they are made anew, by another model."""
        for key, sums in list(self._of.items()):
            if isinstance(sums, Tally):
                self._put(key, sums.without_values())
            elif isinstance(sums, Spread):
                self._put(key, Spread({}))
            else:
                self._put(key, {month: without_values(arm) for month, arm in sums.items()})

    def _add_group(self, key: Key, delta: Tally) -> None:
        if not self._admits(key):
            return
        tally = self._of.get(key) or Tally({}, {})
        assert isinstance(tally, Tally)  # noqa: S101 - the kind is in the key
        add_in_place(tally, delta)
        self._put(key, tally)

    def _add_spend(self, key: Key, delta: Spend) -> None:
        if not self._admits(key):
            return
        tally = self._of.get(key) or Tally({}, {})
        assert isinstance(tally, Tally)  # noqa: S101 - the kind is in the key
        self._put(key, replace(tally, spend=tally.spend + delta))

    def _add_arm(self, key: Key, month: int, delta: ArmSums) -> None:
        if not self._admits(key):
            return
        months = self._of.get(key) or {}
        assert isinstance(months, dict)  # noqa: S101 - the kind is in the key
        months[month] = months.get(month, ArmSums()) + delta
        if months[month] == ArmSums():
            del months[month]
        self._put(key, months)

    def _add_trait(self, key: Key, delta: Mapping[int, int]) -> None:
        if not self._admits(key):
            return
        spread = self._of.get(key) or Spread({})
        assert isinstance(spread, Spread)  # noqa: S101 - the kind is in the key
        spread.add(delta)
        self._put(key, spread)
