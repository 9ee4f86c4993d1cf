"""Differences of ratios of sums, such as revenue ÷ orders, whose unit is not the customer's.

Orders of one customer are alike, so orders are not independent, customers are. The delta method
takes the variance from the customers' sums: Deng, Knoblich & Lu 2018, "Applying the Delta Method in
Metric Analytics", KDD '18:233, section 2. Welch's interval over orders would be too narrow.
"""

from math import inf, sqrt

from streamer.scoring.experiments.means import Estimate, Moments


def ratio_difference(control: Moments, treatment: Moments) -> Estimate:
    """Return the difference of the arms' Σx ÷ Σy, both with a mean of y above 0."""
    ratios = [arm.mean_x / arm.mean_y for arm in (control, treatment)]
    variances = [
        _variance(arm, ratio) for arm, ratio in zip((control, treatment), ratios, strict=True)
    ]
    return Estimate(
        control=ratios[0],
        treatment=ratios[1],
        difference=ratios[1] - ratios[0],
        standard_error=sqrt(sum(variances)),
        degrees_of_freedom=inf,
    )


def _variance(arm: Moments, ratio: float) -> float:
    """Return Var(x − ratio · y) ÷ (n · mean(y)²); rounding may take it just below 0."""
    residual = arm.variance_x + ratio * (ratio * arm.variance_y - 2 * arm.covariance)
    return max(0.0, residual) / (arm.n * arm.mean_y**2)
