"""Rates and their differences.

Wilson's score interval (1927) and Newcombe's for a difference made of two of them (1998, Statistics
in Medicine 17:873, method 10): they keep to 0 to 1 and hold for few customers and rare events,
where the normal interval does not.
"""

from math import inf, sqrt

from scipy.special import ndtri

from streamer.scoring.experiments.means import Estimate


def wilson(successes: int, n: int, alpha: float) -> tuple[float, float]:
    """Return Wilson's score interval of a rate; n is 1 or more."""
    z2 = float(ndtri(1 - alpha / 2)) ** 2
    rate = successes / n
    centre = (rate + z2 / (2 * n)) / (1 + z2 / n)
    half = sqrt(z2 * (rate * (1 - rate) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    low = 0.0 if successes == 0 else centre - half
    return low, 1.0 if successes == n else centre + half


def newcombe(
    control: tuple[int, int], treatment: tuple[int, int], alpha: float
) -> tuple[float, float]:
    """Return Newcombe's interval of treatment rate less control rate.

    Args:
        control: successes and customers, of whom there is at least one.
        treatment: the same.
        alpha: probability with which it misses, 0 to 1.
    """
    (p, q), ((p_low, p_high), (q_low, q_high)) = (
        [successes / n for successes, n in (control, treatment)],
        [wilson(successes, n, alpha) for successes, n in (control, treatment)],
    )
    return (
        q - p - sqrt((q - q_low) ** 2 + (p_high - p) ** 2),
        q - p + sqrt((q_high - q) ** 2 + (p - p_low) ** 2),
    )


def rate_difference(control: tuple[int, int], treatment: tuple[int, int]) -> Estimate:
    """Return the difference of two rates with a standard error that is never 0.

    The variances are those of the rates after one success and one failure more (Agresti & Caffo
    2000, The American Statistician 54:280): where nobody has returned yet, that is not certain for
    ever.
    """
    (p, q) = (successes / n for successes, n in (control, treatment))
    smoothed = [((successes + 1) / (n + 2), n) for successes, n in (control, treatment)]
    return Estimate(
        control=p,
        treatment=q,
        difference=q - p,
        standard_error=sqrt(sum(rate * (1 - rate) / n for rate, n in smoothed)),
        degrees_of_freedom=inf,
    )
