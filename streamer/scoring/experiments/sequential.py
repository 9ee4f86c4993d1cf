"""Always-valid inference: intervals that hold however often, and whenever, they are looked at.

An interval for one look misses ever more often when people look every day and stop when they like
what they see. A confidence sequence misses with probability α over *all* looks together. This one
is Robbins' normal mixture in its asymptotic form: Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas
2024, "Time-uniform central limit theory and asymptotic confidence sequences", Annals of Statistics
52:2613; Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49:1055, section 3.2. The
p-value is that of the mixture sequential probability ratio test with the same mixture (Johari,
Koomen, Pekelis & Walsh 2022, Operations Research 70:1806): it is at most α just where the interval
leaves 0 out.

All functions take numbers or arrays of one shape and return the like.
"""

from math import log
from typing import Any

import numpy as np

PLANNED_CUSTOMERS = 5_000
"""At how many customers, in both arms together, the interval is narrowest.

It has to be chosen before the data. The width suffers little within a factor of ten of it, and
fewer customers get much wider intervals, as their normal approximation is the poorest.
"""


def mixture_variance(alpha: float, planned: float = PLANNED_CUSTOMERS) -> float:
    """Return ρ², in standard deviations of one customer, that suits ``planned`` customers.

    Waudby-Smith et al. 2024, appendix: ρ² = (−2 ln α + ln(−2 ln α + 1)) ÷ planned.
    """
    surprise = -2 * log(alpha)
    return (surprise + log(surprise + 1)) / planned


def always_valid_half_width(
    standard_error: Any, customers: Any, alpha: float, planned: float = PLANNED_CUSTOMERS
) -> Any:
    """Return half the width of the confidence sequence at ``customers`` in both arms together.

    s · √((1 + 1/(nρ²)) · ln((nρ² + 1)/α²)), where s is the standard error of the difference.
    """
    known = np.multiply(customers, mixture_variance(alpha, planned))
    return standard_error * np.sqrt((1 + 1 / known) * (np.log1p(known) - 2 * log(alpha)))


def always_valid_p(
    difference: Any,
    standard_error: Any,
    customers: Any,
    alpha: float,
    planned: float = PLANNED_CUSTOMERS,
) -> Any:
    """Return the p-value that may be looked at at any time, 0 to 1; ``alpha`` sets the mixture."""
    known = np.multiply(customers, mixture_variance(alpha, planned))
    z2 = np.square(np.divide(difference, standard_error))
    return np.minimum(1, np.exp((np.log1p(known) - z2 * known / (known + 1)) / 2))
