"""The LTV updates of rows: historic value (V1), formula LTV (V2), referral value (V6), and more.

Acquisition (V8), ratings (V9) and loyalty (V10) have modules of their own.
"""

from datetime import datetime
from typing import NamedTuple

import numpy as np

from streamer.records.money import format_amounts, minor_digits
from streamer.records.scores import SCHEMA_VERSION, LtvUpdate, Window
from streamer.scoring.acquisition import acquisition, lifetime_of
from streamer.scoring.columns import Columns, Flags, Integers, window_sums
from streamer.scoring.explanation import Explanations, reasons
from streamer.scoring.forecast import Forecast
from streamer.scoring.formula import (
    OCCASIONS_MIN,
    formula_ltv,
    formula_margin_ltv,
    purchase_frequency,
)
from streamer.scoring.ideal.closeness import closeness
from streamer.scoring.interaction import interaction
from streamer.scoring.location import location
from streamer.scoring.loyalty import loyalty
from streamer.scoring.margins import margins
from streamer.scoring.measure import alike
from streamer.scoring.nulls import ltv_nulls
from streamer.scoring.occasion import Occasions, datetimes_beside, where_known
from streamer.scoring.parameters import ScoringParameters
from streamer.scoring.penetration import penetration
from streamer.scoring.ratings import ratings
from streamer.scoring.referrals import referrals
from streamer.scoring.regularity import regularity
from streamer.scoring.rhythm import Floats
from streamer.scoring.rounding import rounded


def windows(columns: Columns, digits: int) -> list[dict[str, Window]]:
    """Return orders and net revenue of the last 7, 30, 90 and 365 UTC days of each row."""
    orders, revenue = window_sums(columns)
    year = list(map(Window, orders[:, -1].tolist(), format_amounts(revenue[:, -1], digits)))
    quarter = _narrower(year, orders[:, 2:], revenue[:, 2:], digits)
    month = _narrower(quarter, orders[:, 1:], revenue[:, 1:], digits)
    week = _narrower(month, orders, revenue, digits)
    return [
        {"7": last_7, "30": last_30, "90": last_90, "365": last_365}
        for last_7, last_30, last_90, last_365 in zip(week, month, quarter, year, strict=True)
    ]


def _narrower(
    wider: list[Window], orders: Integers, revenue: Integers, digits: int
) -> list[Window]:
    """Return the windows of the first column; most are as those of the second, ``wider``."""
    differs = (orders[:, 0] != orders[:, 1]) | (revenue[:, 0] != revenue[:, 1])
    (places,) = differs.nonzero()
    if not len(places):
        return wider
    narrower = list(wider)
    texts = format_amounts(revenue[places, 0], digits)
    for place, count, text in zip(places.tolist(), orders[places, 0].tolist(), texts, strict=True):
        narrower[place] = Window(count, text)
    return narrower


class _Predicted(NamedTuple):
    """The columns of the predicted value, as texts."""

    mean: list[str | None]
    low: list[str | None]
    high: list[str | None]
    total: list[str | None]
    basis: list[str | None]
    null_reasons: list[str | None]
    lifetime: tuple[Floats, Flags]
    """The total in millionths, and where it is known."""


def _predicted(columns: Columns, expected: Forecast, digits: int) -> _Predicted:
    n, value = len(columns.rows), expected.value
    if value is None:
        nothing: list[str | None] = [None] * n
        reason = "no_model" if expected.probability_alive is None else "no_value_model"
        unknown = np.zeros(n), np.zeros(n, np.bool_)
        return _Predicted(nothing, nothing, nothing, nothing, nothing, [reason] * n, unknown)
    bought = columns.orders > 0
    known = bought & value.known
    earned = np.where(value.on_margin, columns.margin, columns.net)
    is_known = known.tolist()
    return _Predicted(
        rounded(value.mean, known, digits),
        rounded(value.low, known, digits),
        rounded(value.high, known, digits),
        rounded(earned + value.mean, known, digits),
        where_known(np.where(value.on_margin, "margin", "revenue").tolist(), is_known),
        [
            None if is_known_here else "no_value_model" if has_bought else "no_purchase"
            for is_known_here, has_bought in zip(is_known, bought.tolist(), strict=True)
        ],
        (earned + value.mean, known),
    )


def _moments(columns: Columns, occasions: Occasions) -> tuple[list[datetime], list[datetime]]:
    """Return the first and the last purchase of each row; most are one, and that scored now."""
    last = datetimes_beside(columns.last, columns.as_of, occasions.as_of)
    return datetimes_beside(columns.first, columns.last, last), last


def ltv_updates(
    columns: Columns,
    expected: Forecast,
    occasions: Occasions,
    explained: Explanations,
    parameters: ScoringParameters,
) -> list[LtvUpdate]:
    """Return the value of each row at its instant."""
    rows, n = list(columns.rows), len(columns.rows)
    digits, currency = minor_digits(parameters.currency), parameters.currency
    bought, costed = (columns.orders > 0), columns.costed
    repeated = columns.occasions >= OCCASIONS_MIN
    orders = np.maximum(columns.orders, 1).astype(np.float64)
    value, margin = columns.net / orders, columns.margin / orders
    frequency = purchase_frequency(orders, columns.t)
    by_revenue = formula_ltv(value, frequency, parameters.lifespan_years)
    by_margin = formula_margin_ltv(
        margin * frequency, parameters.retention_rate, parameters.discount_rate
    )
    first, last = _moments(columns, occasions)
    is_bought, is_repeated, is_costed = bought.tolist(), repeated.tolist(), costed.tolist()
    net = format_amounts(columns.net, digits)
    refunded = columns.revenue - columns.net
    referred = referrals(
        rows, parameters.referral_weights, digits, programme=parameters.referral_programme
    )
    referrers = [row.referrer or None for row in rows]
    predicted = _predicted(columns, expected, digits)
    lifetime = lifetime_of(
        bought, predicted.lifetime, (by_margin, repeated & costed), (by_revenue, repeated)
    )
    ratio, acquired = acquisition(
        rows, lifetime, parameters.channel_cost_amounts, parameters.ltv_to_cac_target, digits
    )
    tiers, loyal = loyalty(rows, parameters.loyalty)
    depth, penetrated = penetration(columns, parameters)
    measures = (
        acquired,
        ratings(rows),
        loyal,
        interaction(columns),
        penetrated,
        regularity(columns),
        margins(columns, parameters.low_margin_rate),
        location(rows),
    )
    model = parameters.model
    close = closeness(
        rows,
        None if model is None else model.ideal,
        modelled=expected.probability_alive is not None,
    )
    nulls = [measure.nulls for measure in (*measures, close, referred.chain)]
    # Column after column, in the order of the fields: `map` then makes the records in C.
    return list(
        map(
            LtvUpdate,
            occasions.score_id,
            occasions.customer_id,
            occasions.revision,
            occasions.as_of,
            [occasions.scored_at] * n,
            [parameters.model_version] * n,
            occasions.cause,
            [row.events_seen for row in rows],
            [currency] * n,
            [parameters.interval_level] * n,
            [parameters.horizon_days] * n,
            net,
            format_amounts(columns.revenue, digits) if refunded.any() else net,
            format_amounts(refunded, digits),
            where_known(format_amounts(np.where(costed, columns.margin, 0), digits), is_costed)
            if costed.any()
            else [None] * n,
            columns.orders.tolist(),
            [row.refunds for row in rows],
            rounded(value, bought, digits),
            rounded(margin, costed, digits),
            where_known(frequency.tolist(), is_repeated),
            where_known(columns.t.tolist(), is_bought),
            where_known(first, is_bought),
            where_known(last, is_bought),
            windows(columns, digits),
            where_known(expected.expected_orders.tolist(), is_bought),
            rounded(by_revenue, repeated, digits),
            rounded(by_margin, repeated & costed, digits),
            referred.value,
            referred.customers,
            referrers,
            reasons(
                explained.values.sentences,
                [
                    f"{count} order{'' if count == 1 else 's'}, {amount} {currency} net of refunds"
                    for count, amount in zip(columns.orders.tolist(), net, strict=True)
                ],
            ),
            alike(
                ltv_nulls,
                is_bought,
                is_repeated,
                is_costed,
                referred.known,
                [referrer is not None for referrer in referrers],
                predicted.null_reasons,
                explained.values.nulls,
                *nulls,
            ),
            predicted.mean,
            predicted.low,
            predicted.high,
            predicted.total,
            ratio,
            depth,
            tiers,
            [SCHEMA_VERSION] * n,
            predicted.basis,
            *(column for measure in measures for column in measure.columns),
            *explained.values.wire_columns,
            *close.columns,
            *referred.chain.columns,
        )
    )
