"""What is thought of a shop's parameters before its data: next to nothing, but finite.

The logarithm of each parameter, as a multiple of its scale in the data (1 for r, a, b, s, p and
q; the customers' mean age for alpha and beta; their mean value for gamma), has the generalised
normal distribution of order 8 and width ln 1000: a density proportional to exp(−(u/ln 1000)^8).
It is flat over a factor of a hundred either way and hardly allows more than some thousands. So it
decides only where the data say nothing, where the likelihood alone would run to 0 or to infinity;
the parameters of CDNOW's sample move by less than a hundred-thousandth.

As the scales are the data's, the fit is the same in whatever unit time and money come.

Nadarajah 2005, Journal of Applied Statistics 32:685 (the distribution).
"""

from math import gamma, log

from streamer.scoring.models.histories import Floats

ORDER = 8
WIDTH = log(1000)

VARIANCE = WIDTH**2 * gamma(3 / ORDER) / gamma(1 / ORDER)
"""Of the logarithm of a parameter."""


def log_prior(multiples: Floats) -> tuple[float, Floats]:
    """Return the prior's log-density, but for a constant, and its gradient.

    Args:
        multiples: logarithms u of the parameters' multiples of their scales, shape (k,).
    """
    powers = (multiples / WIDTH) ** (ORDER - 1)
    return -float(powers @ (multiples / WIDTH)), -ORDER / WIDTH * powers
