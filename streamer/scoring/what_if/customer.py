"""The shop's average customer, whose figures are changed."""

from decimal import ROUND_HALF_EVEN, Context, Decimal

from msgspec import Struct

EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)
"""Holds the product of four amounts of a trillion with six decimals."""

ZERO, ONE, HUNDRED = Decimal(0), Decimal(1), Decimal(100)


class Customer(Struct, frozen=True, kw_only=True):
    """What an average customer does. Money is in the reporting currency.

    Raises:
        ValueError: a figure is out of its range; the message names it.
    """

    order_value: Decimal | None = None
    """Average order value, 0 or more; None if not known."""
    orders_per_year: Decimal | None = None
    """0 or more; None if not known."""
    years: Decimal = Decimal(3)
    """How long a customer stays, 0 or more; for the sizing."""
    margin: Decimal = ONE
    """What is left of revenue after costs, as a share: 0 to 1."""
    retention_rate: Decimal = Decimal("0.75")
    """Share of customers kept from one year to the next, 0 to 1."""
    discount_rate: Decimal = Decimal("0.1")
    """A year, 0 or more; above 0 where everyone is kept."""
    acquisition_cost: Decimal = ZERO
    """Spent to win a customer, 0 or more."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            check(name, getattr(self, name))
        for name in ("margin", "retention_rate"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} must be a share, 0 to 1")
        if self.retention_rate == 1 and not self.discount_rate:
            raise ValueError("discount_rate must be above 0 where everyone is kept")

    @property
    def leaving(self) -> Decimal:
        """1 + d − r: what a year takes from the value of the years to come."""
        return EXACT.subtract(EXACT.add(ONE, self.discount_rate), self.retention_rate)

    @property
    def margin_multiple(self) -> Decimal:
        """How many years' margin a customer is worth: r / (1 + d − r).

        Gupta & Lehmann 2003, Journal of Interactive Marketing 17:9.

        >>> rates = {"retention_rate": Decimal("0.8"), "discount_rate": Decimal("0.2")}
        >>> Customer(**rates).margin_multiple
        Decimal('2')
        """
        return EXACT.divide(self.retention_rate, self.leaving)

    @property
    def profit(self) -> Decimal | None:
        """Order value × orders a year × margin × margin multiple − acquisition cost.

        None where one of them is not known.
        """
        if self.order_value is None or self.orders_per_year is None:
            return None
        yearly = product(self.order_value, self.orders_per_year, self.margin)
        return EXACT.subtract(EXACT.multiply(yearly, self.margin_multiple), self.acquisition_cost)


def product(*factors: Decimal) -> Decimal:
    """Return the exact product of ``factors``."""
    result = ONE
    for factor in factors:
        result = EXACT.multiply(result, factor)
    return result


def check(name: str, figure: Decimal | None) -> None:
    """Refuse a ``figure`` that is no number from 0 on, by its ``name``.

    Raises:
        ValueError: as said.
    """
    if figure is not None and not (figure.is_finite() and figure >= 0):
        raise ValueError(f"{name} must be a finite number, 0 or more")
