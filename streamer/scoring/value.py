"""The LTV update of a row: historic value (V1), formula LTV (V2), referral value (V6)."""

from streamer.records.instants import DAY, to_datetime
from streamer.records.money import format_amount, minor_digits, round_amount
from streamer.records.scores import LtvUpdate, Window
from streamer.scoring.formula import formula_ltv, formula_margin_ltv, purchase_frequency
from streamer.scoring.nulls import ltv_nulls
from streamer.scoring.occasion import MODEL_VERSION, Occasion
from streamer.scoring.parameters import ScoringParameters
from streamer.state.row import Row
from streamer.state.windows import window_sums


def expected_orders(row: Row, as_of: int, parameters: ScoringParameters) -> float | None:
    """Return the posterior mean rate (r + x)/(α + T) times the horizon; null without purchase."""
    if not row.orders:
        return None
    shape = parameters.rhythm_shape + row.occasions - 1
    scale_days = parameters.rhythm_scale_days + (as_of - row.first_purchase_at) / DAY
    return shape / scale_days * parameters.horizon_days


def windows(row: Row, as_of: int, digits: int) -> dict[str, Window]:
    """Return orders and net revenue of the last 7, 30, 90 and 365 UTC days."""
    week, month, quarter, year = (
        Window(orders, format_amount(revenue, digits)) for orders, revenue in window_sums(row, as_of)
    )
    return {"7": week, "30": month, "90": quarter, "365": year}


def formulas(
    row: Row, as_of: int, net: int, margin: int | None, parameters: ScoringParameters
) -> tuple[float | None, float | None, float | None]:
    """Return orders a year, formula LTV and margin formula LTV, money in millionths."""
    frequency = purchase_frequency(row, as_of)
    if frequency is None:
        return None, None, None
    by_revenue = formula_ltv(net / row.orders, frequency, parameters.lifespan_years)
    if margin is None:
        return frequency, by_revenue, None
    yearly_margin = margin / row.orders * frequency
    by_margin = formula_margin_ltv(
        yearly_margin, parameters.retention_rate, parameters.discount_rate
    )
    return frequency, by_revenue, by_margin


def ltv_update(row: Row, occasion: Occasion, parameters: ScoringParameters) -> LtvUpdate:
    """Return the value of ``row`` at ``occasion.instant``."""
    as_of, orders, currency = occasion.instant, row.orders, parameters.currency
    digits = minor_digits(currency)
    net = row.revenue - row.refunded
    margin = net - row.cost if 0 < orders == row.costed_orders else None
    frequency, by_revenue, by_margin = formulas(row, as_of, net, margin, parameters)
    programme = parameters.referral_programme or bool(row.referrals_sent or row.referred_customers)
    net_text = format_amount(net, digits)
    # Positional, in the order of the fields: a quarter of the time of keywords.
    return LtvUpdate(
        occasion.score_id,
        occasion.customer_id,
        occasion.revision,
        occasion.as_of,
        occasion.scored_at,
        MODEL_VERSION,
        occasion.cause,
        row.events_seen,
        currency,
        parameters.interval_level,
        parameters.horizon_days,
        net_text,
        net_text if not row.refunded else format_amount(row.revenue, digits),
        format_amount(row.refunded, digits),
        None if margin is None else format_amount(margin, digits),
        orders,
        row.refunds,
        round_amount(net / orders, digits) if orders else None,
        None if margin is None else round_amount(margin / orders, digits),
        frequency,
        (as_of - row.first_purchase_at) / DAY if orders else None,
        to_datetime(row.first_purchase_at) if orders else None,
        to_datetime(row.last_purchase_at) if orders else None,
        windows(row, as_of, digits),
        expected_orders(row, as_of, parameters),
        None if by_revenue is None else round_amount(by_revenue, digits),
        None if by_margin is None else round_amount(by_margin, digits),
        format_amount(row.referred_revenue, digits) if programme else None,
        row.referred_customers if programme else None,
        row.referrer or None,
        (f"{orders} orders, {net_text} {currency} net of refunds",),
        ltv_nulls(
            orders > 0, frequency is not None, margin is not None, programme, bool(row.referrer)
        ),
    )
