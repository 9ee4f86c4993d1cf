"""Differences of means, from sums of squares and products."""

from math import nan, sqrt

from msgspec import Struct
from scipy.special import stdtrit


class Moments(Struct, frozen=True):
    """A sample of pairs (x, y): its size, means, and sample variances and covariance (n − 1)."""

    n: int
    mean_x: float
    mean_y: float
    variance_x: float
    variance_y: float
    covariance: float


class Estimate(Struct, frozen=True):
    """A difference between two arms and how sure it is."""

    control: float
    treatment: float
    difference: float
    """Treatment less control."""
    standard_error: float
    """nan where the variance is not known."""
    degrees_of_freedom: float
    """Of the standard error; inf where the interval is for large samples."""

    def scaled(self, factor: float) -> "Estimate":
        """Return the estimate in another unit."""
        return Estimate(
            self.control * factor,
            self.treatment * factor,
            self.difference * factor,
            self.standard_error * factor,
            self.degrees_of_freedom,
        )

    def interval(self, alpha: float) -> tuple[float, float]:
        """Return the ends of the interval that misses with probability ``alpha``, at one look."""
        half = self.standard_error * float(stdtrit(self.degrees_of_freedom, 1 - alpha / 2))
        return self.difference - half, self.difference + half


def moments(n: int, x: tuple[int, int], y: tuple[int, int] = (0, 0), xy: int = 0) -> Moments:
    """Return the moments of a sample from its exact sums.

    The differences n·Σx² − (Σx)² are taken among integers, so nothing cancels, and each figure is
    rounded once.

    Args:
        n: pairs, 1 or more; with a single one the variances are nan.
        x: Σx and Σx².
        y: Σy and Σy².
        xy: Σxy.

    >>> moments(2, (10**18 + 10**18 + 2, 10**36 + (10**18 + 2) ** 2)).variance_x
    2.0
    """
    pairs = n * (n - 1)
    return Moments(
        n=n,
        mean_x=x[0] / n,
        mean_y=y[0] / n,
        variance_x=(n * x[1] - x[0] ** 2) / pairs if pairs else nan,
        variance_y=(n * y[1] - y[0] ** 2) / pairs if pairs else nan,
        covariance=(n * xy - x[0] * y[0]) / pairs if pairs else nan,
    )


def welch(control: Moments, treatment: Moments) -> Estimate:
    """Return the difference of the means of x, with Welch's degrees of freedom.

    Welch 1947, Biometrika 34:28. Arms may differ in size and in variance.
    """
    parts = [arm.variance_x / arm.n for arm in (control, treatment)]
    variance = sum(parts)
    spread = sum(
        part * part / (arm.n - 1)
        for part, arm in zip(parts, (control, treatment), strict=True)
        if part
    )
    return Estimate(
        control=control.mean_x,
        treatment=treatment.mean_x,
        difference=treatment.mean_x - control.mean_x,
        standard_error=sqrt(variance),
        degrees_of_freedom=variance * variance / spread if spread else nan,
    )
