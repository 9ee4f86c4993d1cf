"""The same scores by an application of the kind that Quix Streams' documentation teaches.

A streaming data frame, a stateful function, exactly once, two output topics. It runs in an
environment of its own, so it imports nothing of this project.

Two branches of the data frame, one for each topic, would read better, but Quix pickles a value for
every branch: one value goes to both topics, and each topic's serializer picks its score.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import orjson
from quixstreams import Application, State
from quixstreams.models import Serializer
from scipy.special import hyp2f1

Json = dict[str, Any]

DAY_SECONDS = 86_400.0
WINDOW_DAYS = (7, 30, 90, 365)
BANDS = ((0.95, "lapsed"), (0.8, "high"), (0.5, "medium"))
R, ALPHA, A, B, P, Q, GAMMA, HORIZON = map(float, os.environ["PEER_MODEL"].split())
PORT, PROCESSES = int(os.environ["PEER_PORT"]), int(os.environ["PEER_PROCESSES"])

scored = 0


class Score(Serializer):
    """Writes one of the two scores of a value."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def __call__(self, value: Json, ctx: object) -> bytes:  # noqa: ARG002 - Quix passes it
        """Return JSON."""
        return orjson.dumps(value[self._name])


def main() -> None:
    """Run until ended."""
    app = Application(
        broker_address=os.environ["PEER_BROKER"],
        consumer_group=os.environ["PEER_ID"],
        processing_guarantee="exactly-once",
        auto_offset_reset="earliest",
        state_dir=f"state-{PORT}",
        loglevel="WARNING",
        on_message_processed=count,
        consumer_extra_config={
            "fetch.wait.max.ms": 50,
            "queued.min.messages": 100_000,
            "max.partition.fetch.bytes": 4 << 20,
        },
        producer_extra_config={
            "linger.ms": 50,
            "batch.size": 1 << 20,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": 1_000_000,
        },
    )
    purchases = app.topic(os.environ["PEER_SOURCE"], key_deserializer="bytes")
    scores = app.dataframe(purchases).apply(score, stateful=True)
    for name in ("ltv", "churn_risk"):
        topic = os.environ[f"PEER_{name.upper()}"]
        scores = scores.to_topic(
            app.topic(topic, key_serializer="bytes", value_serializer=Score(name))
        )
    threading.Thread(target=serve_progress, daemon=True).start()
    app.run()


def count(topic: str, partition: int, offset: int) -> None:  # noqa: ARG001 - Quix passes them
    """Take note of a purchase that is done."""
    global scored  # noqa: PLW0603 - one counter of one process
    scored += 1


def serve_progress() -> None:
    """Tell the benchmark how far it has come."""

    class Progress(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"peer_events_total %d\n" % scored)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    HTTPServer(("127.0.0.1", PORT), Progress).serve_forever()


def score(purchase: Json, state: State) -> Json:
    """Fold a purchase into its customer's row; return both scores."""
    row = fold(purchase, state)
    occasion, expected = occasion_of(row, purchase), forecast(row)
    return {
        "ltv": occasion | ltv(row, expected),
        "churn_risk": occasion | churn_risk(expected),
    }


def fold(purchase: Json, state: State) -> Json:
    """Add a purchase to its customer's row."""
    at = datetime.fromisoformat(purchase["occurred_at"]).timestamp()
    cents = round(float(purchase["amount"]) * 100)
    row = state.get("row") or {
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
    state.set("row", row)
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


def start_the_others() -> None:
    """Start more processes of the same group, each with the next port."""
    if PROCESSES > 1:
        own = {"PEER_PORT": str(PORT + 1), "PEER_PROCESSES": str(PROCESSES - 1)}
        subprocess.Popen([sys.executable, __file__], env=os.environ | own)


if __name__ == "__main__":
    start_the_others()
    main()
