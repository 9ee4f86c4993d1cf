"""The most valuable tenth of the customers, and the lift of each trait among them.

The tenth is cut between two buckets of values (see ``spreads``): where its share is nearest to a
tenth. The lift of a trait's value is its share in the tenth ÷ its share in the base, which is also
the share of its customers who are in the tenth, a of b, ÷ that of all customers, M of N. As the cut
fixes M ÷ N, what is uncertain is a of b: the interval is Wilson's (1927, Journal of the American
Statistical Association 22:209) at 95 %, over M ÷ N. It holds for few customers and for none in the
tenth, too.
"""

from collections.abc import Iterable, Mapping
from math import sqrt

from msgspec import Struct

from streamer.records.models import TRAITS, IdealProfile
from streamer.records.partials import Key
from streamer.scoring.ideal.spreads import EVERYONE, Spread

TOP_SHARE = 0.1
TOP_SHARE_MAX = 0.2
"""Where so many customers are worth the same that no cut leaves fewer, there is no top tenth."""

TOP_CUSTOMERS_MIN = 10
"""Of fewer nothing is said."""

VALUES_MAX = 20
"""Of a trait: those with the most customers are told apart."""

Z = 1.959963984540054
"""Normal quantile of 95 % intervals."""

REASONS = {
    "too_few_customers": f"the top tenth has fewer than {TOP_CUSTOMERS_MIN} customers",
    "values_alike": "too many customers are worth the same to tell a top tenth apart",
}
"""Why there is no profile."""


class Cut(Struct, frozen=True):
    """Where the top tenth begins, or why there is none."""

    bucket: int
    top_customers: int
    reason: str | None


class Lift(Struct, frozen=True):
    """How much more often customers of a trait are in the top tenth than all are, 0 or more."""

    lift: float
    low: float
    high: float


def cut_of(everyone: Spread) -> Cut:
    """Return the cut nearest to the top tenth of one customer or more."""
    total = sum(everyone.customers.values())
    above, best = 0, Cut(min(everyone.customers), total, None)
    for bucket in sorted(everyone.customers, reverse=True):
        above += everyone.customers[bucket]
        if _off(above, total) < _off(best.top_customers, total):
            best = Cut(bucket, above, None)
    if best.top_customers > TOP_SHARE_MAX * total:
        return Cut(best.bucket, best.top_customers, "values_alike")
    if best.top_customers < TOP_CUSTOMERS_MIN:
        return Cut(best.bucket, best.top_customers, "too_few_customers")
    return best


def _off(above: int, total: int) -> float:
    return abs(above - TOP_SHARE * total)


def profile_of(spreads: Mapping[Key, Spread]) -> tuple[Cut, IdealProfile]:
    """Return where the top tenth begins and who of it has which trait.

    Args:
        spreads: of everyone, who are one or more, and of each value of each trait.
    """
    everyone = spreads[EVERYONE]
    cut = cut_of(everyone)
    counts = {
        trait: {
            key[2]: _counts(spread, cut.bucket)
            for key, spread in spreads.items()
            if key[1] == trait and key[2]
        }
        for trait in TRAITS
    }
    return cut, IdealProfile(
        customers=sum(everyone.customers.values()),
        top_customers=cut.top_customers,
        traits={trait: _most_common(values.items()) for trait, values in counts.items()},
    )


def _counts(spread: Spread, cut: int) -> tuple[int, int]:
    top = sum(count for bucket, count in spread.customers.items() if bucket >= cut)
    return sum(spread.customers.values()), top


def _most_common(values: Iterable[tuple[str, tuple[int, int]]]) -> dict[str, tuple[int, int]]:
    """Return the ``VALUES_MAX`` with the most customers; of equals the lesser names."""
    return dict(sorted(values, key=lambda one: (-one[1][0], one[0]))[:VALUES_MAX])


def lift_of(top: int, customers: int, profile: IdealProfile) -> Lift:
    """Return the lift of a trait's value that ``top`` of ``customers``, 1 or more, are top with.

    >>> profile = IdealProfile(customers=1000, top_customers=100, traits={})
    >>> lift = lift_of(12, 40, profile)
    >>> round(lift.lift, 2), round(lift.low, 2), round(lift.high, 2)
    (3.0, 1.81, 4.54)
    """
    base = profile.top_customers / profile.customers
    share, z2 = top / customers, Z * Z / customers
    middle = (share + z2 / 2) / (1 + z2)
    half = sqrt(share * (1 - share) * z2 + z2 * z2 / 4) / (1 + z2)
    # Clipped, as rounding may leave a trace beyond what Wilson's bounds are at 0 and at 1.
    low, high = max(middle - half, 0.0) if top else 0.0, min(middle + half, 1.0)
    return Lift(share / base, low / base, high / base)
