"""What the shop wants of its figures: where one misses it, it is flagged."""

from msgspec import Struct


class Goals(Struct, frozen=True, kw_only=True):
    """The shop's own, as configured.

    Args:
        ltv_to_cac: lifetime value ÷ cost of winning a customer, at least; above 0.
        rating_low_share_max: share of low ratings of a product or category, at most; 0 to 1.
    """

    ltv_to_cac: float = 3.0
    rating_low_share_max: float = 0.2
