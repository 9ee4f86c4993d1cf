"""Plays events through a cluster in different ways, and tells what they ended in."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import cycle
from typing import Any

import msgspec

from streamer.pipeline import Configuration
from streamer.state.row import Row
from tests.support.cluster import Cluster, Score, without

EXPLAINED = (
    "explanation",
    "explained_since",
    "contributions",
    "previous_predicted_clv",
    "previous_churn_probability",
)
End = tuple[dict[str, dict[str, Any]], dict[tuple[str, str], Score]]


def play(
    events: Iterable[Mapping[str, Any]], settings: Configuration, sizes: Sequence[int] = (1,)
) -> Cluster:
    """Send ``events`` and take them through units of these sizes, in turn; return the cluster.

    Each unit reads all that was sent before its last event, as a worker that keeps up does.
    """
    cluster = Cluster(settings)
    size = cycle(sizes)
    left = next(size)
    for event in events:
        cluster.send(event)
        left -= 1
        if not left:
            cluster.settle()
            left = next(size)
    cluster.settle()
    return cluster


def rows(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Return the rows' fields, apart from the offsets, which depend on the way."""
    return {
        customer: {k: v for k, v in msgspec.to_builtins(_named(row)).items() if k != "applied"}
        for customer, row in cluster.rows().items()
    }


def end(cluster: Cluster, *apart_from: str) -> End:
    """Return what every way of playing the same events must end in: rows and last scores.

    Which event came last, the cause, depends on the order of arrival; so does what explains it.
    """
    scores = cluster.last_scores("cause", "scored_at", "reasons", *EXPLAINED, *apart_from)
    for score in scores.values():
        if "null_reasons" in score:
            score["null_reasons"] = without(score["null_reasons"], *EXPLAINED, "explanation")
    return rows(cluster), scores


def compared_with_oracle(found: Mapping[str, Row]) -> dict[str, dict[str, Any]]:
    """Return the sums in rows in the form in which ``oracle.count`` gives them."""
    return {customer: _sums(row) for customer, row in found.items()}


def _sums(row: Row) -> dict[str, Any]:
    return {
        "events_seen": row.events_seen,
        "orders": row.orders,
        "refunds": row.refunds,
        "revenue": _money(row.revenue),
        "refunded": _money(row.refunded),
        "net": _money(row.revenue - row.refunded),
        "cost": _money(row.cost),
        "costed_orders": row.costed_orders,
        "occasions": row.occasions,
        "first_purchase_at": _moment(row.first_purchase_at),
        "last_purchase_at": _moment(row.last_purchase_at),
        "referrer": row.referrer or None,
        "joined": row.joined,
        "referred_customers": row.referred_customers,
        "referred_orders": row.referred_orders,
        "referred_revenue": _money(row.referred_revenue),
    }


def _money(micros: int) -> Decimal:
    return Decimal(micros) / 1_000_000


def _moment(instant: int) -> datetime | None:
    return None if instant < 0 else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(0, 0, instant)


def _named(row: msgspec.Struct) -> dict[str, Any]:
    return msgspec.structs.asdict(row)
