"""Watches that no customer's row or score goes back, in all that a cluster has committed."""

from collections import defaultdict
from itertools import pairwise
from typing import Any

import msgspec

from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.serdes.rows import CHECKPOINT_KEY, MODEL_KEY, decode_row, told_of
from tests.support.cluster import Cluster


def check_rising(cluster: Cluster) -> None:
    """``changes`` rises with whatever a row says, and ``revision`` from score to score."""
    for number in cluster.numbers:
        for name, rows in _written(cluster, number).items():
            for earlier, later in pairwise(rows):
                assert later["changes"] >= earlier["changes"], name
                assert later["changes"] > earlier["changes"] or _says(later) == _says(earlier), name
    for topic in (LTV_UPDATES, CHURN_RISK_UPDATES):
        last: dict[str, int] = {}
        for score in cluster.scores(topic):
            name = score["customer_id"]
            assert score["revision"] > last.get(name, -1), (topic, name)
            last[name] = score["revision"]


def _written(cluster: Cluster, number: int) -> dict[str, list[dict[str, Any]]]:
    rows: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for key, value in cluster.changelog(number):
        if key not in (CHECKPOINT_KEY, MODEL_KEY) and told_of(key) is None and value is not None:
            rows[key.decode()].append(msgspec.structs.asdict(decode_row(value)))
    return rows


def _says(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "applied"}
