"""`streamer erase` on a real Kafka: what is gone, what stays gone, and who may come back."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from streamer.broker import EmbeddedKafka
from streamer.cli.demo.pulse import pulse_of
from streamer.records.kafka import CHANGELOG, SCORE_TOPICS
from streamer.serdes.rows import erased_key, told_key
from tests.support.stage import Stage, stage
from tests.support.topics import last_per_key, read_topic
from tests.support.worker import Worker

NOW = datetime.now(UTC)


def event(number: int, kind: str, customer: str, days_ago: float, **fields: Any) -> str:
    common = {
        "event_id": f"e{number}",
        "type": kind,
        "customer_id": customer,
        "occurred_at": (NOW - timedelta(days=days_ago)).isoformat(),
    }
    return json.dumps(common | fields)


def purchase(number: int, customer: str, days_ago: float) -> str:
    money = {"order_id": f"o{number}", "amount": "10.00", "currency": "USD"}
    return event(number, "purchase", customer, days_ago, **money)


EVENTS = [
    event(1, "referral", "anna", 40, referred_customer_id="ben"),
    purchase(2, "anna", 30),
    purchase(3, "ben", 20),
    purchase(4, "anna", 10),
    event(5, "rating", "anna", 9, rating=5),
]


def refused(corner: Stage, *arguments: str) -> str:
    """Return the one sentence of a command that cannot do what it was asked."""
    result = corner.command(*arguments)
    assert result.returncode == 1, result.stdout + result.stderr
    return result.stderr


async def sent(corner: Stage, worker: Worker, *events: str) -> None:
    """Send ``events`` and wait until ``worker``, just started, has committed what follows."""
    before = pulse_of((await worker.get("/metrics"))[1], corner.prefix).consumed
    result = corner.command("send", "-", stdin="\n".join(events))
    assert result.returncode == 0, result.stderr
    async with asyncio.timeout(60):
        while True:
            pulse = pulse_of((await worker.get("/metrics"))[1], corner.prefix)
            if pulse.is_done(before + len(events)):
                return
            await asyncio.sleep(0.1)


async def nulls(corner: Stage, customer: str) -> list[str]:
    """Return the topics in which the last record of each of the customer's keys is null."""
    found = []
    for topic in (*SCORE_TOPICS, CHANGELOG):
        last = last_per_key(await read_topic(corner.bootstrap, corner.prefix + topic))
        keys = [customer.encode()] + [told_key(customer)] * (topic == CHANGELOG)
        if all(key in last and last[key].value is None for key in keys):
            found.append(topic)
    return found


async def test_who_is_erased_is_gone_and_may_come_back(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with (
        stage(kafka.bootstrap, tmp_path, partitions=2) as corner,
        corner.worker("worker") as worker,
    ):
        await worker.ready()
        await sent(corner, worker, *EVENTS)
        assert corner.told("customer", "ben")["ltv"]["referred_by"] == "anna"
        before = corner.told("customer", "anna")["ltv"]
        await check_erased(corner)

        worker.kill()
        worker.start()
        await worker.ready()
        await check_stays_erased(corner, worker)

        await sent(corner, worker, purchase(6, "anna", -0.1))
        ltv = corner.told("customer", "anna")["ltv"]
        assert (ltv["orders"], ltv["events_seen"]) == (1, 1)
        assert ltv["revision"] > before["revision"]
        assert "nothing was known" in corner.command("erase", "nobody", "--yes").stdout
        assert await worker.stop() == 0, worker.told("did not end well")


async def check_erased(corner: Stage) -> None:
    """Erase anna, and look for what is left of her."""
    done = corner.told("erase", "anna", "--yes", "--reason", "she asked for it")
    assert all(done["removed"].values())
    assert done["removed"].keys() == {*SCORE_TOPICS, CHANGELOG}
    assert corner.prefix + "purchases" in done["remaining"]
    assert await nulls(corner, "anna") == [*SCORE_TOPICS, CHANGELOG]
    assert "was erased" in refused(corner, "customer", "anna")
    changelog = last_per_key(await read_topic(corner.bootstrap, corner.prefix + CHANGELOG))
    assert changelog[erased_key(b"anna")].value is not None
    async with asyncio.timeout(60):  # ben's partition hears of it
        while corner.told("customer", "ben")["ltv"]["referred_by"] is not None:
            await asyncio.sleep(0.2)


async def check_stays_erased(corner: Stage, worker: Worker) -> None:
    """Send the old events again, under their own ids and under others."""
    others = [json.dumps({**json.loads(one), "event_id": f"again-{one[:20]}"}) for one in EVENTS]
    await sent(corner, worker, *EVENTS, *others)
    assert "was erased" in refused(corner, "customer", "anna")
    assert corner.told("customer", "ben")["ltv"]["referred_by"] is None


def test_an_erasure_that_no_worker_does_is_told_of(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=1) as corner:
        assert "no worker" in refused(corner, "erase", "anna", "--yes", "--seconds", "1")
        assert "--yes" in refused(corner, "erase", "anna")
