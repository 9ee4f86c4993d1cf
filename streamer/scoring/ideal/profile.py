"""How close a customer is to the ideal profile: P(top tenth | traits) by naive Bayes.

Each trait's value has a share r = (a + κp) ÷ (b + κ) of its b customers in the top tenth, where a
are, drawn towards the base's share p by κ customers (the m-estimate: Cestnik 1990, ECAI, 147). It
weighs ln r/(1 − r) − ln p/(1 − p), and closeness is the logistic function of ln p/(1 − p) and of
the weights of the traits known: p, about 0.1, is like everybody. An unknown trait weighs nothing.
Tenure does not count: all newcomers are new, which tells none of them from another.
"""

from collections.abc import Mapping
from math import exp, log

from msgspec import Struct, field

from streamer.records.models import TRAITS, IdealProfile
from streamer.records.scores import ProfileTrait
from streamer.scoring.measure import members

PRIOR_CUSTOMERS = 20.0
"""κ: as many customers like everybody are added to each value's own."""

ALIKE_MAX = 10_000
"""Combinations of traits whose closeness is remembered: most shops have far fewer."""

DIGITS = 6

Traits = tuple[str, ...]
Told = tuple[float | None, tuple[ProfileTrait, ...] | None, str]
"""Closeness, the traits that made it, and the reasons where there are none."""

_NO_TRAIT = members({"profile": "no_trait"})


class Ideal(Struct, frozen=True):
    """A profile as customers are compared with it."""

    prior: float
    """The log-odds of p."""
    weights: tuple[Mapping[str, ProfileTrait], ...]
    """By value, for each of ``TRAITS`` that counts."""
    alike: dict[Traits, Told] = field(default_factory=dict)
    """What customers with the same traits are told."""

    def told(self, traits: Traits) -> Told:
        """Return how close a customer with these ``traits`` is."""
        found = self.alike.get(traits)
        if found is None:
            found = self._told(traits)
            if len(self.alike) < ALIKE_MAX:
                self.alike[traits] = found
        return found

    def _told(self, traits: Traits) -> Told:
        pairs = zip(self.weights, traits, strict=True)
        known = [trait for table, value in pairs if (trait := table.get(value)) is not None]
        if not known:
            return None, None, _NO_TRAIT
        log_odds = self.prior + sum(trait.contribution for trait in known)
        ranked = sorted(known, key=lambda trait: -abs(trait.contribution))
        return round(1 / (1 + exp(-log_odds)), DIGITS), tuple(ranked), ""


def ideal_of(profile: IdealProfile) -> Ideal:
    """Return ``profile`` made ready.

    Raises:
        ValueError: its counts contradict each other.
    """
    counts = [pair for values in profile.traits.values() for pair in values.values()]
    if not 0 < profile.top_customers < profile.customers or any(
        not 0 <= top <= customers or not customers for customers, top in counts
    ):
        raise ValueError("the profile's top tenth does not fit its customers")
    share = profile.top_customers / profile.customers
    return Ideal(
        _log_odds(share),
        tuple(
            {
                value: _weighed(trait, value, pair, share)
                for value, pair in profile.traits.get(trait, {}).items()
            }
            for trait in TRAITS[:-1]
        ),
    )


def _weighed(trait: str, value: str, counts: tuple[int, int], share: float) -> ProfileTrait:
    customers, top = counts
    shrunk = (top + PRIOR_CUSTOMERS * share) / (customers + PRIOR_CUSTOMERS)
    return ProfileTrait(
        trait=trait,
        value=value,
        lift=round(top / customers / share, DIGITS),
        contribution=round(_log_odds(shrunk) - _log_odds(share), DIGITS),
    )


def _log_odds(share: float) -> float:
    return log(share / (1 - share))
