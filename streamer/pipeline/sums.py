"""The sums over the customers of one partition: groups (V16), arms (V18) and traits (V13).

A function of the customers counted, in whatever order. Bounded: of each kind of group, of arms, and
of each trait's values, the first ``KEYS_MAX`` by name are kept. Which these are depends on the set
of names alone, so the first of the shop are kept in every partition that knows them. A name that
was left out stays so until a recount: what was not counted of it is not known.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from streamer.records.partials import ARM, GROUP, Key
from streamer.scoring.experiments.observing import ArmChanges, ByMonth, Observations
from streamer.scoring.experiments.sums import ArmSums, without_values
from streamer.scoring.ideal.spreads import Marked, Spread, differences
from streamer.scoring.programme.changes import Change
from streamer.scoring.programme.counting import changed
from streamer.scoring.programme.spending import Spending, spent
from streamer.scoring.programme.tallies import Spend, Tally, add_in_place

KEYS_MAX = 200


class Sums:
    """The sums of one partition, and which of them have changed since they were last asked for."""

    def __init__(self, keys_max: int = KEYS_MAX) -> None:
        self._keys_max = keys_max
        self._since: int | None = None
        self._of: dict[Key, Tally | ByMonth | Spread] = {}
        self._kinds: Counter[str] = Counter()
        self.beyond: dict[str, Key] = {}
        """By kind, the first key that was left out because there were too many."""
        self._changed: set[Key] = set()

    @property
    def keys(self) -> list[Key]:
        """Of what there is, sorted."""
        return sorted(self._of)

    @property
    def has_changed(self) -> bool:
        """Whether ``take_changed`` would give anything."""
        return bool(self._changed)

    def take_changed(self) -> Iterator[tuple[Key, Tally | ByMonth | Spread | None]]:
        """Give what has changed since the last call; None is no longer there."""
        changed_keys, self._changed = sorted(self._changed), set()
        for key in changed_keys:
            sums = self._of.get(key)
            yield key, Tally() + sums if isinstance(sums, Tally) else sums

    # -- counting ----------------------------------------------------------------------------

    def keep_since(self, month: int) -> None:
        """Drop what is of months before ``month``, if it is a later one than so far."""
        if self._since is not None and month <= self._since:
            return
        self._since = month
        for key, sums in self._of.items():
            if isinstance(sums, Tally):
                self._of[key] = sums.since(month)
            elif isinstance(sums, dict):
                self._of[key] = {at: arm for at, arm in sums.items() if at >= month}
        self._settle(list(self._of))

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
        for key, sums in self._of.items():
            if isinstance(sums, Tally):
                self._of[key] = sums.without_values()
            elif isinstance(sums, Spread):
                self._of[key] = Spread({})
            else:
                self._of[key] = {month: without_values(arm) for month, arm in sums.items()}
        self._settle(list(self._of))

    def _add_group(self, key: Key, delta: Tally) -> None:
        if not self._admits(key):
            return
        tally = self._of.setdefault(key, Tally({}, {}))
        assert isinstance(tally, Tally)  # noqa: S101 - the kind is in the key
        add_in_place(tally, delta)
        self._settle([key])

    def _add_spend(self, key: Key, delta: Spend) -> None:
        if not self._admits(key):
            return
        tally = self._of.get(key, Tally({}, {}))
        assert isinstance(tally, Tally)  # noqa: S101 - the kind is in the key
        self._of[key] = replace(tally, spend=tally.spend + delta)
        self._settle([key])

    def _add_arm(self, key: Key, month: int, delta: ArmSums) -> None:
        if not self._admits(key):
            return
        months = self._of.setdefault(key, {})
        assert isinstance(months, dict)  # noqa: S101 - the kind is in the key
        months[month] = months.get(month, ArmSums()) + delta
        if months[month] == ArmSums():
            del months[month]
        self._settle([key])

    def _add_trait(self, key: Key, delta: Mapping[int, int]) -> None:
        if not self._admits(key):
            return
        spread = self._of.setdefault(key, Spread({}))
        assert isinstance(spread, Spread)  # noqa: S101 - the kind is in the key
        spread.add(delta)
        self._settle([key])

    def _settle(self, keys: Iterable[Key]) -> None:
        """Note that ``keys`` have changed; those with nothing left go."""
        for key in keys:
            self._changed.add(key)
            if _is_empty(self._of[key]):
                self._drop(key)

    # -- the bound ---------------------------------------------------------------------------

    def _admits(self, key: Key) -> bool:
        """Return whether ``key`` is counted, making room for it if need be."""
        if key in self._of:
            return True
        kind = kind_of(key)
        if kind in self.beyond and key >= self.beyond[kind]:
            return False
        self._kinds[kind] += 1
        if self._kinds[kind] > self._keys_max:
            last = max(key, *(other for other in self._of if kind_of(other) == kind))
            self.beyond[kind] = last
            if last == key:
                self._kinds[kind] -= 1
                return False
            self._drop(last)
            self._changed.add(last)
        return True

    def _drop(self, key: Key) -> None:
        del self._of[key]
        self._kinds[kind_of(key)] -= 1


def _is_empty(sums: Tally | ByMonth | Spread) -> bool:
    return not (sums.customers if isinstance(sums, Spread) else sums)


def kind_of(key: Key) -> str:
    """Return what a key is of: of groups their kind, which stands before the colon.

    >>> kind_of(("group", "channel:email")), kind_of(("arm", "free-shipping", "offer"))
    ('channel', 'arm')
    >>> kind_of(("trait", "channel", "email")), kind_of(("ratings", "product:p-1"))
    ('trait:channel', 'ratings:product')
    """
    if key[0] == ARM:
        return ARM
    kind = key[1].partition(":")[0]
    return kind if key[0] == GROUP else f"{key[0]}:{kind}"
