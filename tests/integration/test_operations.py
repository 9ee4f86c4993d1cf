"""What an SRE sees of a worker: health, metrics, and a partition that stands still."""

import asyncio
import json
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from prometheus_client.parser import text_string_to_metric_families

from streamer.broker import EmbeddedCluster, EmbeddedKafka
from tests.support.load import send_all, wire_of
from tests.support.scenario import scenario
from tests.support.stage import Stage, stage
from tests.support.worker import Worker

EVENTS = "streamer_events_total"
SCORED = "streamer_scores_total"
PATH = "/metrics"
TOLD_SECONDS_MAX = 90
WORK = (
    "streamer_records_consumed_total",
    "streamer_messages_produced_total",
    "streamer_dead_letters_total",
    "streamer_duplicates_dropped_total",
    "streamer_records_rekeyed_total",
    "streamer_processing_duration_seconds_count",
    "streamer_commit_duration_seconds_count",
    "streamer_end_to_end_latency_seconds_count",
    "streamer_commits_total",
    "streamer_rows",
    "streamer_state_bytes",
    "streamer_silence_timers",
    "streamer_sampled_events_total",
    "streamer_sampled_order_value_count",
)
"""What rises when events come in; lag and what stands still are looked at where something does, and
the model's and its calibration's metrics in test_models.py."""

RECOVERY = (
    "streamer_rebalances_total",
    "streamer_recovery_duration_seconds_count",
    "streamer_recovery_remaining_records",
)


def purchase(number: int, customer_id: str = "c1") -> dict[str, str]:
    return {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": customer_id,
        "occurred_at": "2026-09-01T10:00:00Z",
        "order_id": f"o{number}",
        "amount": "10.00",
        "currency": "USD",
    }


async def until(holds: Callable[[str], bool], worker: Worker, path: str) -> str:
    """Return the first answer for which ``holds`` is true."""
    deadline = time.monotonic() + TOLD_SECONDS_MAX
    while not holds(text := (await worker.get(path))[1]):
        assert time.monotonic() < deadline, worker.told(f"still says of {path}: {text}")
        await asyncio.sleep(0.1)
    return text


def partitions_in(metrics: str) -> set[str]:
    return {
        sample.labels["partition"]
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if "partition" in sample.labels
    }


def values(metrics: str, name: str, **labels: str) -> list[float]:
    """Return a metric's series with these labels, whatever others they have."""
    return [
        sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]


def figure(metrics: str, name: str, **labels: str) -> float:
    """Return the sum of a metric over its series; -1 where there is none."""
    found = values(metrics, name, **labels)
    return sum(found) if found else -1


async def test_health_and_metrics_are_served_before_the_worker_is_ready(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=2) as corner, corner.worker("w") as worker:
        await until(lambda text: "alive" in text, worker, "/livez")
        recovering, metrics = await worker.get("/readyz"), await worker.get("/metrics")
        assert recovering[0] == 503
        assert figure(metrics[1], "streamer_ready") == 0
        await worker.ready()
        ready = await until(lambda text: figure(text, "streamer_ready") == 1, worker, "/metrics")
        assert partitions_in(ready) == {"0", "1"}


async def test_what_a_worker_does_moves_the_metrics_promised_of_it(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    async with scenario(kafka.bootstrap, tmp_path, seed=13, seconds=1, per_second=1_500) as plot:
        worker = plot.corner.worker("worker")
        worker.start()
        await worker.ready()
        before = (await worker.get("/metrics"))[1]
        await plot.send(islice(plot._shop, 1_500))
        told = await until(lambda text: figure(text, SCORED) > figure(before, SCORED), worker, PATH)
        still = {name for name in WORK if not figure(told, name) > figure(before, name)}
        assert not still
        refused = figure(told, "streamer_dead_letters_total", reason="malformed")
        assert refused == len(plot.broken)
        assert figure(told, "streamer_rows") == len(plot.audit.rows)
        ages = [time.time() - at for at in values(told, "streamer_last_commit_timestamp_seconds")]
        assert len(ages) == plot.corner.partitions
        assert all(0 <= age < TOLD_SECONDS_MAX for age in ages)
        worker.kill()
        worker.start()
        await worker.ready()
        recovered = (await worker.get("/metrics"))[1]
        assert figure(recovered, "streamer_recovered_rows_total") > 0
        assert {name: figure(recovered, name) for name in RECOVERY} == {
            "streamer_rebalances_total": 1,
            "streamer_recovery_duration_seconds_count": plot.corner.partitions,
            "streamer_recovery_remaining_records": 0,
        }
        assert await worker.stop() == 0, worker.told("did not end well")


async def test_the_series_of_a_partition_go_with_it(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=2) as corner:
        first, second = (corner.worker(name) for name in ("first", "second"))
        first.start()
        await first.ready()
        await until(lambda text: partitions_in(text) == {"0", "1"}, first, "/metrics")
        second.start()
        await second.ready()
        await until(lambda text: len(partitions_in(text)) == 1, second, "/metrics")
        (left,) = partitions_in((await second.get("/metrics"))[1])
        await until(lambda text: partitions_in(text) == {"0", "1"} - {left}, first, "/metrics")


async def require_copies(corner: Stage, copies: int) -> None:
    """Have the changelog refuse writes while fewer than so many brokers have it."""
    changelog = f"{corner.prefix}customers-changelog"
    wanted = {"cleanup.policy": "compact", "min.insync.replicas": str(copies)}
    admin = AIOKafkaAdminClient(bootstrap_servers=corner.bootstrap)
    await admin.start()
    try:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, changelog, wanted)])
    finally:
        await admin.close()


async def test_liveness_ends_with_a_cause_while_a_partition_stands_still(tmp_path: Path) -> None:
    # Kafka answers, the topics can be read, but the changelog takes no writes: a broker is down
    # and the topic wants them all. No mock: that is how partitions come to stand still.
    settings = {"partitions": 1, "replication_factor": 3, "stall_seconds": 4}
    with (
        EmbeddedCluster(tmp_path / "kafka") as cluster,
        stage(cluster.bootstrap, tmp_path, **settings) as corner,
        corner.worker("worker") as worker,
    ):
        await require_copies(corner, 3)
        await worker.ready()
        await send_all(cluster.bootstrap, [wire_of(purchase(1))], corner.prefix)
        await until(lambda text: figure(text, EVENTS) == 1, worker, "/metrics")
        cluster.nodes[2].kill()
        await asyncio.sleep(4)  # until the others take it for gone
        await send_all(cluster.bootstrap, [wire_of(purchase(2))], corner.prefix)
        told = await until(lambda text: "stuck" in text, worker, "/livez")
        cause = f"partition 0: {corner.prefix}purchases stands at offset 1 with 1 to come"
        assert json.loads(told)["cause"].startswith(cause)
        assert (await worker.get("/livez"))[0] == 503
        metrics = (await worker.get("/metrics"))[1]
        assert figure(metrics, "streamer_consumer_lag_records") == 1, told
        assert figure(metrics, "streamer_partition_stalled_seconds") >= 4
        assert figure(metrics, "streamer_consumer_lag_seconds") >= 4
        assert cause in worker.log
        await asyncio.to_thread(cluster.start)
        await until(lambda text: "alive" in text, worker, "/livez")
        metrics = (await worker.get("/metrics"))[1]
        assert figure(metrics, "streamer_consumer_lag_seconds") == 0
        assert figure(metrics, EVENTS) == 2
