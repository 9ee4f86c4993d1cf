"""A unit of work leaves no cycles of objects: the worker looks for them twice a minute only."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from streamer.pipeline import Configuration
from streamer.records.instants import from_datetime
from tests.support.cluster import Cluster
from tests.support.histories import configuration
from tests.support.marketing import marketing

START = datetime(2026, 1, 1, tzinfo=UTC)
SHOP = replace(
    configuration(partitions=2),
    segmentation=marketing().segmentation,
    playbook=marketing().playbook,
)


def happenings(day: int) -> Iterator[dict[str, object]]:
    """Give one event of each type that concerns rows in ways of its own, and a bad one."""
    at = (START + timedelta(days=day)).isoformat()
    for customer in ("ann", "bob", "cyd"):
        common = {"customer_id": customer, "occurred_at": at, "schema_version": 1}
        money = {"order_id": f"o{day}{customer}", "amount": "10", "currency": "USD"}
        yield {"event_id": f"p{day}{customer}", "type": "purchase", **common, **money}
        yield {"event_id": f"x{day}{customer}", "type": "purchase", **common, **money, "amount": -1}
        yield {"event_id": f"r{day}{customer}", "type": "rating", **common, "rating": 2}
    common = {"occurred_at": at, "schema_version": 1}
    yield {
        "event_id": f"f{day}",
        "type": "referral",
        "customer_id": "ann",
        "referred_customer_id": f"dan{day}",
        **common,
    }
    yield {"event_id": f"e{day}", "type": "erasure", "customer_id": "cyd", **common}


def play(cluster: Cluster, days: range) -> None:
    for day in days:
        for event in happenings(day):
            cluster.send(event)
        cluster.settle()
        cluster.tell_silence(from_datetime(START + timedelta(days=400 + day)))


@pytest.mark.parametrize("shop", [SHOP, replace(SHOP, every_event=True)], ids=["last", "every"])
def test_units_of_work_leave_no_cycles(shop: Configuration) -> None:
    cluster = Cluster(shop)
    play(cluster, range(2))  # what libraries make but once
    gc.collect()
    gc.disable()
    try:
        before = cluster.counts["scores"]
        play(cluster, range(2, 5))
        assert cluster.counts["scores"] > before
        assert gc.collect() == 0
    finally:
        gc.enable()
