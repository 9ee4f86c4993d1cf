"""Counts a cluster's partitions for the figures of the shop, as the engine and a replay do."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec

from streamer.pipeline import Shop
from streamer.records.kafka import PROGRAMME_PARTIALS
from streamer.records.measures import ShopMeasure, key_of
from tests.support.cluster import Cluster

NOW = datetime(2030, 1, 1, tzinfo=UTC)
Measures = dict[str, dict[str, Any]]


def tell(cluster: Cluster, number: int) -> None:
    """Write the partition's news as part of a unit of work."""
    partition = cluster.partition(number)
    if not partition.counting.has_news:
        return
    news = partition.partials()
    unit = cluster.attempt(number, [])
    unit.messages[cluster.configuration.topics[PROGRAMME_PARTIALS], number] = news
    cluster.write(unit)
    partition.commit(unit)


def finish(cluster: Cluster) -> None:
    """Count all that is pending and write it."""
    for number in cluster.numbers:
        partition = cluster.partition(number)
        partition.count(1)
        while partition.counting.pending:
            partition.count(7)
        tell(cluster, number)


def shop_of(cluster: Cluster) -> Shop:
    """Return the shop as its publisher knows it."""
    configured = cluster.configuration
    shop = Shop(configured.scoring.currency, configured.trials, configured.goals)
    for record in cluster.log(PROGRAMME_PARTIALS):
        shop.take(record.partition, record.key, record.value)
    return shop


def measures_of(shop: Shop) -> Measures:
    """Return what it would publish, as on the wire, by key."""
    told: list[ShopMeasure] = list(shop.measures(NOW))
    return {key_of(measure): json.loads(msgspec.json.encode(measure)) for measure in told}
