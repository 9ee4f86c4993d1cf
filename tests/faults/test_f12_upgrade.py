"""F12: a worker of today takes over from one of an earlier version, on the changelog it left."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streamer.broker import EmbeddedKafka
from streamer.records.kafka import CHANGELOG, CHURN_RISK_UPDATES, LTV_UPDATES, SOURCE_TOPICS
from streamer.state.row import Row
from tests.contracts.golden.make import FOLDER, configuration
from tests.support.audit import auditing
from tests.support.histories import RATES
from tests.support.load import Wire, send_all, wire_of
from tests.support.stage import stage

LOGS = (*SOURCE_TOPICS, LTV_UPDATES, CHURN_RISK_UPDATES)
SPENT = 12_500_000
KEPT = ("refunds", "refunded", "first_purchase_at", "referrer")


@pytest.mark.parametrize("version", sorted(path.name for path in FOLDER.glob("rows-*")))
async def test_a_worker_goes_on_from_what_an_older_one_left(
    tmp_path: Path, version: str, summary: Callable[..., None]
) -> None:
    settings = {
        "topic_prefix": "",  # as in the checkpoints of then
        "partitions": configuration().partitions,
        "rates": json.dumps(RATES, default=str),
    }
    with (
        EmbeddedKafka(tmp_path / "kafka") as kafka,
        stage(kafka.bootstrap, tmp_path, **settings) as corner,
    ):
        await leave_behind(kafka.bootstrap, FOLDER / version)
        async with auditing(corner) as audit:
            await audit.read()
            before = dict(audit.rows)
            assert before
            with corner.worker("worker") as worker:
                await worker.ready()
                await send_all(corner.bootstrap, map(purchase, before))
                await audit.consumed()
                assert await worker.stop() == 0, worker.told("did not end well")
                await audit.read()
    assert not audit.faults
    for name, row in before.items():
        check(row, audit.rows[name])
    summary("F12 upgrade", version=version, customers=len(before))


async def leave_behind(bootstrap: str, folder: Path) -> None:
    """Write the topics of then, record for record in their places."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        for topic in LOGS:
            for line in lines(folder / f"{topic}.jsonl"):
                key, value = (line[name] and line[name].encode() for name in ("key", "value"))
                headers = [(name, text and text.encode()) for name, text in line["headers"]]
                await producer.send_and_wait(
                    topic, value, key, partition=line["partition"], headers=headers
                )
        for number in range(configuration().partitions):
            for line in lines(folder / f"changelog-{number}.jsonl"):
                await producer.send_and_wait(
                    CHANGELOG, bytes.fromhex(line["value"]), line["key"].encode(), partition=number
                )


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def purchase(customer_id: str) -> Wire:
    return wire_of(
        {
            "event_id": f"today-{customer_id}",
            "type": "purchase",
            "customer_id": customer_id,
            "occurred_at": datetime.now(UTC).isoformat(),
            "order_id": f"today-{customer_id}",
            "amount": "12.50",
            "currency": "USD",
        }
    )


def check(before: Row, after: Row) -> None:
    """All that was known is still known, and today's purchase besides."""
    assert after.events_seen == before.events_seen + 1
    assert after.orders == before.orders + 1
    assert after.revenue == before.revenue + SPENT
    if before.orders:
        assert {n: getattr(after, n) for n in KEPT} == {n: getattr(before, n) for n in KEPT}
