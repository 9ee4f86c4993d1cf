"""What the shop wants of its figures: where one misses it, it is flagged."""

from msgspec import Struct


class Goals(Struct, frozen=True, kw_only=True):
    """The shop's own, as configured.

    Args:
        ltv_to_cac: lifetime value ÷ cost of winning a customer, at least; above 0.
    """

    ltv_to_cac: float = 3.0
