"""CUPED: what customers were like before the experiment takes its share out of the noise.

Deng, Xu, Kohavi & Walker 2013, "Improving the Sensitivity of Online Controlled Experiments by
Utilizing Pre-Experiment Data", WSDM '13:123. The covariate is from before the exposure, so the
expected difference stays; the variance falls to 1 − ρ² of what it was.
"""

from msgspec import Struct
from msgspec.structs import replace

from streamer.scoring.experiments.means import Estimate, Moments, welch


class Adjusted(Struct, frozen=True):
    """A difference of means after the adjustment."""

    estimate: Estimate
    theta: float
    """Change of x for one more of y; 0 where y tells nothing."""
    variance_reduction: float
    """Share of the variance of the difference that went, 0 to 1; barely below 0 for useless y."""


def cuped(control: Moments, treatment: Moments) -> Adjusted:
    """Return the difference of the means of x, adjusted by y.

    θ = covariance ÷ variance of y, both pooled within the arms, so that a difference between the
    arms does not pass for a correlation. The arms' figures stand at the mean of y over both.
    """
    arms = control, treatment
    weights = [arm.n - 1 for arm in arms]
    covariance = sum(w * arm.covariance for w, arm in zip(weights, arms, strict=True))
    variance = sum(w * arm.variance_y for w, arm in zip(weights, arms, strict=True))
    theta = covariance / variance if variance > 0 else 0.0
    centre = sum(arm.n * arm.mean_y for arm in arms) / sum(arm.n for arm in arms)
    estimate = welch(*(_adjusted(arm, theta, centre) for arm in arms))
    raw = welch(control, treatment).standard_error
    return Adjusted(
        estimate=estimate,
        theta=theta,
        variance_reduction=1 - (estimate.standard_error / raw) ** 2 if raw > 0 else 0.0,
    )


def _adjusted(arm: Moments, theta: float, centre: float) -> Moments:
    """Return the moments of x − θ·(y − centre)."""
    variance = arm.variance_x + theta * (theta * arm.variance_y - 2 * arm.covariance)
    return replace(
        arm,
        mean_x=arm.mean_x - theta * (arm.mean_y - centre),
        variance_x=max(0.0, variance),
    )
