"""What is kept of an arm: sums over its customers, exact in any order and any grouping.

Money is whole millionths and counts are whole, so all sums, squares and products are integers
without bounds: adding loses nothing, and taking back what was added leaves what was there.
Variances are made of them without cancellation (``means.moments``).
"""

from msgspec import Struct
from msgspec.structs import replace


class Observation(Struct, frozen=True, kw_only=True):
    """One customer in an arm. Money in millionths, since the exposure unless said otherwise."""

    exposed_day: int
    """UTC day of the exposure, since 1970."""
    orders: int = 0
    """0 or more."""
    revenue: int = 0
    """Net of refunds."""
    returned: bool = False
    """Has bought within the retention window, which begins the day after the exposure."""
    value: int | None = None
    """Lifetime value, earned and predicted; None while it cannot be known."""
    before: int = 0
    """Net revenue before the day of the exposure, which the arm cannot have moved. It is part of
    the value, too: there the adjustment takes it out."""


class ArmSums(Struct, frozen=True, kw_only=True):
    """Sums over the customers of an arm. The default is that of none.

    ``a + b`` merges two disjoint groups of customers, or adds what has changed.
    """

    customers: int = 0
    orders: int = 0
    orders_squared: int = 0
    revenue: int = 0
    revenue_squared: int = 0
    orders_revenue: int = 0
    """Of the products of a customer's two."""
    valued: int = 0
    """Customers whose lifetime value is known; the sums that follow are over them."""
    value: int = 0
    value_squared: int = 0
    before: int = 0
    before_squared: int = 0
    value_before: int = 0
    exposed: dict[int, int] = {}
    """Customers by the day of their exposure."""
    returned: dict[int, int] = {}
    """Those of them who have bought within the retention window, by the day of the exposure."""

    def __add__(self, other: "ArmSums") -> "ArmSums":
        return ArmSums(
            **{name: getattr(self, name) + getattr(other, name) for name in NUMBERS},
            exposed=_by_day(self.exposed, other.exposed),
            returned=_by_day(self.returned, other.returned),
        )

    def retention(self, today: int, window_days: int) -> tuple[int, int]:
        """Return how many of the customers whose window is over there are, and who returned.

        Customers still within their window are left out: counting the early ones among them who
        have returned already, but not the others, would flatter an arm that is filled late.

        Args:
            today: UTC day since 1970, itself not over.
            window_days: length of the window, 1 or more.
        """
        over = [day for day in self.exposed if day + window_days < today]
        return (
            sum(self.exposed[day] for day in over),
            sum(self.returned.get(day, 0) for day in over),
        )


def numbers_of(observation: Observation) -> tuple[int, ...]:
    """Return the sums of a single customer that are numbers, in the order of ``NUMBERS``."""
    orders, revenue = observation.orders, observation.revenue
    value, before = observation.value, observation.before
    counted = 1, orders, orders * orders, revenue, revenue * revenue, orders * revenue
    if value is None:
        return (*counted, 0, 0, 0, 0, 0, 0)
    return (*counted, 1, value, value * value, before, before * before, value * before)


NUMBERS = ArmSums.__struct_fields__[:-2]
"""The fields of ``ArmSums`` that are numbers: all but the counts by day, which stand last."""


def _by_day(one: dict[int, int], other: dict[int, int]) -> dict[int, int]:
    """Return the sum of two counts by day, days in order, those with none left out."""
    days = sorted(one.keys() | other.keys())
    counts = {day: one.get(day, 0) + other.get(day, 0) for day in days}
    return {day: count for day, count in counts.items() if count}


def without_values(sums: ArmSums) -> ArmSums:
    """Return ``sums`` as if no customer's lifetime value were known."""
    return replace(sums, **_NO_VALUES)


_NO_VALUES = dict.fromkeys(
    ("valued", "value", "value_squared", "before", "before_squared", "value_before"), 0
)
