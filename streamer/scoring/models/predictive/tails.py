"""How much probability an interval leaves on its two sides: one rule for purchases and value."""

from streamer.scoring.models.histories import Floats
from streamer.scoring.models.special import bounded


def lower_tail(level: float) -> float:
    """Return the most an interval may leave below it: half of what it need not hold.

    Raises:
        ValueError: ``level`` is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level is {level}: it must be between 0 and 1, as 0.8")
    return (1 - level) / 2


def upper_tail(none: Floats, level: float) -> Floats:
    """Return the most an interval may leave above it, shape (n,).

    Nothing is below 0. Where 0 is so probable that the interval begins there, equal tails would
    leave the lower one empty and hold far more than ``level``: on CDNOW 92 % of customers at 80 %.
    So the upper tail grows with P(0), from half of 1 − level to the whole. It does so without a
    jump, and an interval of a higher level still holds that of a lower one.

    Args:
        none: P(0), shape (n,).
        level: nominal coverage, between 0 and 1.
    """
    return bounded(none, lower_tail(level), 1 - level)
