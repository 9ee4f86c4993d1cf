"""The same scores by a Faust app of the kind that Faust's documentation teaches.

An agent, a table, JSON, a `send` for each update: nothing is left out that streamer's formula and
rhythm scores need, and nothing is added, such as duplicates, late events, refunds or exact money.
"""

import math
import os
from datetime import UTC, datetime, timedelta
from typing import Any

import faust
from faust.web import Request, Response, View

Json = dict[str, Any]

HORIZON_DAYS = 365.0
SHAPE, SCALE_DAYS = 1.0, 60.0
BANDS = (("medium", 0.5), ("high", 0.8), ("lapsed", 0.95))
LIFESPAN_YEARS, RETENTION, DISCOUNT = 3.0, 0.75, 0.1
WINDOW_DAYS = (7, 30, 90, 365)
DAY_SECONDS = 86_400.0

GROUP = os.environ["PLAIN_FAUST_ID"]
PARTITIONS = int(os.environ["PLAIN_FAUST_PARTITIONS"])

app = faust.App(
    GROUP,
    broker=os.environ["PLAIN_FAUST_BROKER"],
    store="memory://",
    value_serializer="json",
    key_serializer="raw",
    topic_partitions=PARTITIONS,
    processing_guarantee=os.environ["PLAIN_FAUST_GUARANTEE"],
    web_port=int(os.environ["PLAIN_FAUST_PORT"]),
)
purchases = app.topic(os.environ["PLAIN_FAUST_SOURCE"], key_type=bytes)
ltv_updates = app.topic(f"{GROUP}-ltv-updates", key_type=bytes)
churn_risk_updates = app.topic(f"{GROUP}-churn-risk-updates", key_type=bytes)
customers = app.Table("customers", default=dict, partitions=PARTITIONS)

consumed = 0


@app.agent(purchases)
async def score(stream: faust.StreamT[Any]) -> None:
    """Fold each purchase into its customer's row, and publish both scores."""
    global consumed  # noqa: PLW0603 - as a Faust app has it
    async for key, purchase in stream.items():
        customer_id = purchase["customer_id"]
        row = fold(customers[customer_id] or new_row(purchase), purchase)
        customers[customer_id] = row
        common = occasion(row, purchase)
        await ltv_updates.send(key=key, value=common | ltv(row))
        await churn_risk_updates.send(key=key, value=common | churn_risk(row))
        consumed += 1


@app.page("/metrics")
async def metrics(view: View, request: Request) -> Response:  # noqa: ARG001 - Faust passes it
    """Tell the benchmark how far the agent has come."""
    return view.text(f"plain_faust_events_total {consumed}\n")


def new_row(purchase: Json) -> Json:
    """Return the row of a customer not seen before."""
    first = datetime.fromisoformat(purchase["occurred_at"]).timestamp()
    return {
        "orders": 0,
        "revenue": 0.0,
        "occasions": 0,
        "first": first,
        "last": first,
        "before_last": None,
        "days": {},
    }


def fold(row: Json, purchase: Json) -> Json:
    """Add a purchase to a row."""
    at = datetime.fromisoformat(purchase["occurred_at"]).timestamp()
    amount = float(purchase["amount"])
    day = str(int(at // DAY_SECONDS))
    if day not in row["days"]:
        row["days"][day] = [0, 0.0]
        row["occasions"] += 1
    row["days"][day][0] += 1
    row["days"][day][1] += amount
    row["before_last"] = row["last"] if row["orders"] else None
    row["orders"] += 1
    row["revenue"] += amount
    row["last"] = max(row["last"], at)
    reach = int(row["last"] // DAY_SECONDS) - WINDOW_DAYS[-1]
    row["days"] = {name: sums for name, sums in row["days"].items() if int(name) > reach}
    return row


def occasion(row: Json, purchase: Json) -> Json:
    """Return what both scores share."""
    return {
        "score_id": f"{purchase['customer_id']}-{row['orders']}",
        "customer_id": purchase["customer_id"],
        "revision": row["orders"],
        "as_of": purchase["occurred_at"],
        "scored_at": datetime.now(UTC).isoformat(),
        "model_version": "formula",
        "cause": {"kind": "event", "id": purchase["event_id"], "type": purchase["type"]},
        "events_seen": row["orders"],
        "horizon_days": HORIZON_DAYS,
        "schema_version": 1,
    }


def ltv(row: Json) -> Json:
    """Return the value of a customer."""
    orders, revenue = row["orders"], row["revenue"]
    tenure_days = (row["last"] - row["first"]) / DAY_SECONDS
    frequency = orders / tenure_days * 365 if tenure_days else None
    average = revenue / orders
    rate = (SHAPE + row["occasions"] - 1) / (SCALE_DAYS + tenure_days)
    retained = RETENTION / (1 + DISCOUNT - RETENTION)
    return {
        "currency": "USD",
        "interval_level": 0.8,
        "historic_clv": f"{revenue:.2f}",
        "revenue": f"{revenue:.2f}",
        "refunded": "0.00",
        "margin": None,
        "orders": orders,
        "refunds": 0,
        "average_order_value": f"{average:.2f}",
        "average_margin": None,
        "purchase_frequency": frequency,
        "tenure_days": tenure_days,
        "first_purchase_at": iso(row["first"]),
        "last_purchase_at": iso(row["last"]),
        "windows": windows(row),
        "expected_orders": rate * HORIZON_DAYS,
        "formula_ltv": f"{average * frequency * LIFESPAN_YEARS:.2f}" if frequency else None,
        "formula_margin_ltv": f"{average * frequency * retained:.2f}" if frequency else None,
        "referral_value": None,
        "referred_customers": None,
        "referred_by": None,
        "reasons": [f"{orders} orders, {revenue:.2f} USD net of refunds"],
        "null_reasons": {"margin": "no order's cost is known", "predicted_clv": "no model yet"},
        "predicted_clv": None,
        "total_clv": None,
    }


def windows(row: Json) -> Json:
    """Return orders and revenue of the last days."""
    today = int(row["last"] // DAY_SECONDS)
    found = {}
    for width in WINDOW_DAYS:
        within = [sums for day, sums in row["days"].items() if int(day) > today - width]
        revenue = sum(sums[1] for sums in within)
        found[str(width)] = {"orders": sum(sums[0] for sums in within), "revenue": f"{revenue:.2f}"}
    return found


def churn_risk(row: Json) -> Json:
    """Return the churn risk of a customer who has just purchased."""
    shape = SHAPE + row["occasions"] - 1
    scale = SCALE_DAYS + (row["last"] - row["first"]) / DAY_SECONDS
    crossings = {name: scale * math.expm1(-math.log1p(-q) / shape) for name, q in BANDS}
    median = scale * math.expm1(math.log(2) / shape)
    return {
        "churn_probability": math.exp(-shape * math.log1p(HORIZON_DAYS / scale)),
        "risk_band": "low",
        "previous_risk_band": previous_band(row, shape, scale),
        "silence_quantile": 0.0,
        "expected_date_of_next_order": iso(row["last"] + median * DAY_SECONDS),
        "win_back_by": iso(row["last"] + crossings["lapsed"] * DAY_SECONDS),
        "next_band_crossing_at": iso(row["last"] + crossings["medium"] * DAY_SECONDS),
        "reasons": [f"silent for 0 days, even odds are at {median:.0f}"],
        "null_reasons": {"probability_alive": "no model yet"},
        "probability_alive": None,
    }


def previous_band(row: Json, shape: float, scale: float) -> str | None:
    """Return the band that the customer was in until this purchase."""
    if row["before_last"] is None:
        return None
    silence = (row["last"] - row["before_last"]) / DAY_SECONDS
    quantile = -math.expm1(-shape * math.log1p(silence / scale))
    return next((name for name, q in reversed(BANDS) if quantile >= q), "low")


def iso(seconds: float) -> str:
    """Return an instant as it stands on the wire."""
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).isoformat()
