"""One arm against the control: the uplift on order value, retention and lifetime value."""

from collections.abc import Callable, Sequence
from typing import Literal

from msgspec import Struct

from streamer.records.money import UNIT
from streamer.scoring.experiments.adjusted import cuped
from streamer.scoring.experiments.means import Estimate, moments
from streamer.scoring.experiments.rates import newcombe, rate_difference
from streamer.scoring.experiments.ratios import ratio_difference
from streamer.scoring.experiments.sequential import always_valid_half_width, always_valid_p
from streamer.scoring.experiments.sums import ArmSums

Metric = Literal["average_order_value", "retention_rate", "ltv"]
Verdict = Literal["higher", "lower", "not_significant", "too_little_data"]

CUSTOMERS_MIN = 30
"""In each arm, of those that the metric is over: below it no normal approximation will do."""


class Uplift(Struct, frozen=True, kw_only=True):
    """What an arm did to a metric; money in currency units, rates from 0 to 1.

    All figures are None where there is too little data: fewer than ``CUSTOMERS_MIN`` customers in
    one of the arms, no order, or nothing that varies.
    """

    metric: Metric
    customers_control: int
    """That the metric is over."""
    customers_treatment: int
    verdict: Verdict = "too_little_data"
    """By the always-valid interval, since people look every day."""
    control: float | None = None
    treatment: float | None = None
    difference: float | None = None
    """Treatment less control."""
    percent: float | None = None
    """Difference in percent of the control; None too where that is not above 0."""
    low: float | None = None
    """Of the interval for a single look: by the delta method, Newcombe's, or Welch's."""
    high: float | None = None
    always_valid_low: float | None = None
    always_valid_high: float | None = None
    always_valid_p: float | None = None
    """May be looked at at any time; at most alpha where the interval leaves 0 out."""
    variance_reduction: float | None = None
    """Share of the variance that CUPED took off; None for metrics without it."""


class _Measured(Struct, frozen=True):
    """An estimate, its interval for a single look, and what CUPED did."""

    estimate: Estimate
    low: float
    high: float
    variance_reduction: float | None = None


def uplifts(
    control: ArmSums,
    treatment: ArmSums,
    *,
    today: int,
    window_days: int,
    alpha: float,
    planned: float,
) -> list[Uplift]:
    """Return the uplift on each metric.

    Args:
        control: the sums of one arm.
        treatment: those of the other.
        today: UTC day since 1970, itself not over.
        window_days: within which a customer returns or does not, 1 or more.
        alpha: probability of finding what is not there, over all looks, 0 to 1.
        planned: customers in both arms that are expected in the end.
    """
    arms = control, treatment
    returned = [arm.retention(today, window_days) for arm in arms]
    measures: tuple[tuple[Metric, list[int], Callable[[], _Measured | None]], ...] = (
        ("average_order_value", [arm.customers for arm in arms], lambda: _order_value(arms, alpha)),
        ("retention_rate", [over for over, _ in returned], lambda: _retention(returned, alpha)),
        ("ltv", [arm.valued for arm in arms], lambda: _value(arms, alpha)),
    )
    return [
        _uplift(metric, sizes, measure() if min(sizes) >= CUSTOMERS_MIN else None, alpha, planned)
        for metric, sizes, measure in measures
    ]


def _uplift(
    metric: Metric, sizes: list[int], measured: _Measured | None, alpha: float, planned: float
) -> Uplift:
    if measured is None or not measured.estimate.standard_error > 0:
        return Uplift(metric=metric, customers_control=sizes[0], customers_treatment=sizes[1])
    estimate, n = measured.estimate, sum(sizes)
    error, difference = estimate.standard_error, estimate.difference
    half = float(always_valid_half_width(error, n, alpha, planned))
    return Uplift(
        metric=metric,
        customers_control=sizes[0],
        customers_treatment=sizes[1],
        verdict=_verdict(difference, half),
        control=estimate.control,
        treatment=estimate.treatment,
        difference=difference,
        percent=100 * difference / estimate.control if estimate.control > 0 else None,
        low=measured.low,
        high=measured.high,
        always_valid_low=difference - half,
        always_valid_high=difference + half,
        always_valid_p=float(always_valid_p(difference, error, n, alpha, planned)),
        variance_reduction=measured.variance_reduction,
    )


def _verdict(difference: float, half_width: float) -> Verdict:
    if abs(difference) <= half_width:
        return "not_significant"
    return "higher" if difference > 0 else "lower"


def _order_value(arms: Sequence[ArmSums], alpha: float) -> _Measured | None:
    """Return that of revenue ÷ orders; None where an arm has no order."""
    if not all(arm.orders for arm in arms):
        return None
    estimate = ratio_difference(
        *(
            moments(
                arm.customers,
                (arm.revenue, arm.revenue_squared),
                (arm.orders, arm.orders_squared),
                arm.orders_revenue,
            )
            for arm in arms
        )
    ).scaled(1 / UNIT)
    return _Measured(estimate, *estimate.interval(alpha))


def _retention(returned: Sequence[tuple[int, int]], alpha: float) -> _Measured:
    """Return that of the rates in ``returned``: customers, and who came back, of each arm."""
    control, treatment = ((successes, n) for n, successes in returned)
    return _Measured(rate_difference(control, treatment), *newcombe(control, treatment, alpha))


def _value(arms: Sequence[ArmSums], alpha: float) -> _Measured:
    """Return that of the mean lifetime value, adjusted by what customers were worth before."""
    adjusted = cuped(
        *(
            moments(
                arm.valued,
                (arm.value, arm.value_squared),
                (arm.before, arm.before_squared),
                arm.value_before,
            )
            for arm in arms
        )
    )
    estimate = adjusted.estimate.scaled(1 / UNIT)
    return _Measured(estimate, *estimate.interval(alpha), adjusted.variance_reduction)
