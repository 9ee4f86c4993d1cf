"""The LTV update of a row: historic value (V1), formula LTV (V2), referral value (V6)."""

from datetime import datetime
from typing import NamedTuple

from streamer.records.instants import DAY, NEVER, to_datetime
from streamer.records.money import UNIT, format_amount, minor_digits, round_amount
from streamer.records.scores import Cause, LtvUpdate, Window
from streamer.scoring.formula import formula_ltv, formula_margin_ltv, purchase_frequency
from streamer.scoring.nulls import ltv_nulls
from streamer.scoring.parameters import ScoringParameters
from streamer.state.row import Row
from streamer.state.windows import WINDOW_DAYS, window_sums

MODEL_VERSION = "formula"
"""Until a model is fitted, scores are by formula and say so."""


class Occasion(NamedTuple):
    """What both updates of one scoring share."""

    score_id: str
    customer_id: str
    revision: int
    as_of: int
    scored_at: datetime
    cause: Cause


def expected_orders(row: Row, as_of: int, parameters: ScoringParameters) -> float | None:
    """Return the posterior mean rate (r + x)/(α + T) times the horizon; null without purchase."""
    if not row.orders:
        return None
    tenure_days = (as_of - row.first_purchase_at) / DAY
    rate = (parameters.rhythm_shape + row.occasions - 1) / (
        parameters.rhythm_scale_days + tenure_days
    )
    return rate * parameters.horizon_days


def windows(row: Row, as_of: int, digits: int) -> dict[str, Window]:
    """Return orders and net revenue of the last 7, 30, 90 and 365 UTC days."""
    sums = window_sums(row, as_of)
    return {
        str(days): Window(orders, format_amount(revenue, digits))
        for days, (orders, revenue) in zip(WINDOW_DAYS, sums, strict=True)
    }


def ltv_update(row: Row, occasion: Occasion, parameters: ScoringParameters) -> LtvUpdate:
    """Return the value of ``row`` at ``occasion.as_of``."""
    digits = minor_digits(parameters.currency)
    net = row.revenue - row.refunded
    orders = row.orders
    bought, costed = orders > 0, 0 < orders == row.costed_orders
    margin = net - row.cost if costed else None
    frequency = purchase_frequency(row, occasion.as_of)
    formula = margin_formula = None
    if frequency is not None:
        formula = formula_ltv(net / orders, frequency, parameters.lifespan_years)
        if margin is not None:
            margin_formula = formula_margin_ltv(
                margin / orders * frequency, parameters.retention_rate, parameters.discount_rate
            )
    programme = parameters.referral_programme or row.referrals_sent > 0 or row.referred_customers > 0
    net_text = format_amount(net, digits)
    first, last = row.first_purchase_at, row.last_purchase_at
    return LtvUpdate(
        score_id=occasion.score_id,
        customer_id=occasion.customer_id,
        revision=occasion.revision,
        as_of=to_datetime(occasion.as_of),
        scored_at=occasion.scored_at,
        model_version=MODEL_VERSION,
        cause=occasion.cause,
        events_seen=row.events_seen,
        currency=parameters.currency,
        historic_clv=net_text,
        predicted_clv=None,
        predicted_clv_low=None,
        predicted_clv_high=None,
        interval_level=parameters.interval_level,
        total_clv=None,
        horizon_days=parameters.horizon_days,
        formula_ltv=None if formula is None else round_amount(formula, digits),
        formula_margin_ltv=None if margin_formula is None else round_amount(margin_formula, digits),
        expected_orders=expected_orders(row, occasion.as_of, parameters),
        orders=orders,
        refunds=row.refunds,
        revenue=format_amount(row.revenue, digits),
        refunded=format_amount(row.refunded, digits),
        margin=None if margin is None else format_amount(margin, digits),
        average_order_value=round_amount(net / orders, digits) if bought else None,
        average_margin=None if margin is None else round_amount(margin / orders, digits),
        purchase_frequency=frequency,
        tenure_days=(occasion.as_of - first) / DAY if bought else None,
        first_purchase_at=None if first == NEVER else to_datetime(first),
        last_purchase_at=None if last == NEVER else to_datetime(last),
        windows=windows(row, occasion.as_of, digits),
        referral_value=format_amount(row.referred_revenue, digits) if programme else None,
        referred_customers=row.referred_customers if programme else None,
        referred_by=row.referrer or None,
        ltv_to_cac=None,
        category_depth=None,
        loyalty_tier=None,
        reasons=_reasons(row, net_text, frequency, parameters),
        null_reasons=ltv_nulls(
            bought=bought,
            repeated=frequency is not None,
            costed=costed,
            programme=programme,
            referred=bool(row.referrer),
        ),
    )


def _reasons(
    row: Row, net: str, frequency: float | None, parameters: ScoringParameters
) -> list[str]:
    currency = parameters.currency
    reasons = [f"{row.orders} orders worth {net} {currency} net of refunds"]
    if frequency is not None:
        reasons.append(f"{frequency:.1f} orders a year since the first")
    if row.referred_revenue:
        brought = row.referred_revenue / UNIT
        reasons.append(f"brought customers who spent {brought:.2f} {currency}")
    return reasons
