"""The row of a customer and both of its scores, as any application would make them."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from scipy.special import hyp2f1

Json = dict[str, Any]

DAY_SECONDS = 86_400.0
WINDOW_DAYS = (7, 30, 90, 365)
BANDS = ((0.95, "lapsed"), (0.8, "high"), (0.5, "medium"))
R, ALPHA, A, B, P, Q, GAMMA, HORIZON = map(float, os.environ["PEER_MODEL"].split())


def scores(row: Json, purchase: Json) -> Json:
    """Return both scores after a purchase that is in the row."""
    occasion, expected = occasion_of(row, purchase), forecast(row)
    return {
        "ltv": occasion | ltv(row, expected),
        "churn_risk": occasion | churn_risk(expected),
    }


def fold(purchase: Json, row: Json | None) -> Json:
    """Add a purchase to its customer's row, None before the first."""
    at = datetime.fromisoformat(purchase["occurred_at"]).timestamp()
    cents = round(float(purchase["amount"]) * 100)
    row = row or {
        "orders": 0, "occasions": 0, "cents": 0, "first_day_cents": 0,
        "first": at, "last": at, "days": {},
    }  # fmt: skip
    row["first"], row["last"] = min(row["first"], at), max(row["last"], at)
    row["orders"] += 1
    row["cents"] += cents
    day = int(at // DAY_SECONDS)
    if day == row["first"] // DAY_SECONDS:
        row["first_day_cents"] += cents
    if str(day) not in row["days"]:
        row["occasions"] += 1
        reach = row["last"] // DAY_SECONDS - WINDOW_DAYS[-1]
        row["days"] = {name: sums for name, sums in row["days"].items() if int(name) > reach}
        row["days"][str(day)] = [0, 0]
    sums = row["days"][str(day)]
    sums[0] += 1
    sums[1] += cents
    return row


def forecast(row: Json) -> Json:
    """Return what is expected of a customer who has just purchased."""
    x, age = row["occasions"] - 1, (row["last"] - row["first"]) / DAY_SECONDS
    alive = 1 / (1 + A / (B + x))
    buys = 1 - ((ALPHA + age) / (ALPHA + age + HORIZON)) ** (R + x)
    z = HORIZON / (ALPHA + age + HORIZON)
    series = float(hyp2f1(A + B - R, A - 1, A + B + x, z))
    mean = (row["cents"] - row["first_day_cents"]) / 100 / x if x else 0.0
    return {
        "age": age,
        "alive": alive,
        "churn": 1 - alive * buys,
        "purchases": alive * (A + B + x) / (A - 1) * (1 - (1 - z) ** (A - 1) * series),
        "value": P * (GAMMA + x * mean) / (P * x + Q - 1),
    }


def ltv(row: Json, expected: Json) -> Json:
    """Return the value of a customer."""
    predicted = expected["purchases"] * expected["value"]
    return {
        "currency": "USD",
        "historic_clv": f"{row['cents'] / 100:.2f}",
        "predicted_clv": f"{predicted:.2f}",
        "total_clv": f"{row['cents'] / 100 + predicted:.2f}",
        "orders": row["orders"],
        "average_order_value": f"{row['cents'] / 100 / row['orders']:.2f}",
        "tenure_days": expected["age"],
        "expected_orders": expected["purchases"],
        "windows": dict(windows(row)),
    }


def windows(row: Json) -> Iterator[tuple[str, Json]]:
    """Give orders and revenue of the last days."""
    today = int(row["last"] // DAY_SECONDS)
    for width in WINDOW_DAYS:
        within = [sums for day, sums in row["days"].items() if int(day) > today - width]
        revenue = sum(sums[1] for sums in within) / 100
        yield str(width), {"orders": sum(sums[0] for sums in within), "revenue": f"{revenue:.2f}"}


def churn_risk(expected: Json) -> Json:
    """Return the churn risk of a customer."""
    churn = expected["churn"]
    return {
        "churn_probability": churn,
        "probability_alive": expected["alive"],
        "risk_band": next((band for threshold, band in BANDS if churn >= threshold), "low"),
    }


def occasion_of(row: Json, purchase: Json) -> Json:
    """Return what both scores share."""
    return {
        "score_id": f"{purchase['customer_id']}-{row['orders']}",
        "customer_id": purchase["customer_id"],
        "revision": row["orders"],
        "as_of": purchase["occurred_at"],
        "scored_at": datetime.now(UTC).isoformat(),
        "model_version": "mbg_nbd",
        "cause": {"kind": "event", "id": purchase["event_id"], "type": "purchase"},
        "horizon_days": HORIZON,
        "schema_version": 1,
    }
