"""Events sent over HTTP, by a shop without a Kafka client. Kafka and worker are real."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from streamer.broker import EmbeddedKafka
from streamer.broker.ports import free_ports
from streamer.settings import Settings
from streamer.web.intake import WAITING_MAX, EventIntake
from streamer.web.problems import Problem
from tests.support.stage import stage
from tests.support.topics import read_topic
from tests.support.worker import Worker

NOW = datetime.now(UTC)
WRITE, READ = "w" * 20, "r" * 20


def purchase(number: int, **changes: Any) -> dict[str, Any]:
    event = {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": "anna",
        "occurred_at": (NOW - timedelta(days=number)).isoformat(),
        "order_id": f"o{number}",
        "amount": "10.10",
        "currency": "USD",
    }
    return event | changes


def cloud_event(number: int) -> dict[str, Any]:
    """Return a CloudEvent in structured mode, whose subject is the customer."""
    data = {"order_id": f"o{number}", "amount": "1.00", "currency": "USD"}
    return {
        "specversion": "1.0",
        "id": f"e{number}",
        "source": "/shop",
        "type": "com.example.purchase.v1",
        "subject": "ben",
        "time": NOW.isoformat(),
        "data": data,
    }


def post(worker: Worker, body: bytes, token: str = WRITE, kind: str = "application/json") -> Any:
    """Return the status, and what it answers."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    request = Request(f"http://127.0.0.1:{worker.port}/v1/events", body, headers)
    try:
        with urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        return error.code, json.loads(error.read())


def batch(*events: Any) -> bytes:
    return json.dumps({"events": events}).encode()


async def test_events_are_published_before_they_are_answered_for(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    tokens = {"http_write_token": WRITE, "http_read_token": READ}
    with stage(kafka.bootstrap, tmp_path, partitions=2, **tokens) as corner:
        with corner.worker("worker") as worker:
            await worker.ready()
            future = purchase(3, occurred_at=(NOW + timedelta(days=9)).isoformat())
            share = purchase(4, type="share", network="x")
            body = batch(
                purchase(1), purchase(2, amount="-1"), future, share, cloud_event(5), "text", None
            )
            status, told = post(worker, body)
            assert (status, told["accepted"], told["refused"]) == (200, 3, 4)
            assert [one["status"][0] for one in told["events"]] == list("arraarr")
            assert told["events"][1]["reason"] == "invalid"
            assert told["events"][1]["field"] == "amount"
            assert told["events"][2]["reason"] == "future"
            await check_places(corner.bootstrap, told["events"], body)
            assert post(worker, body)[1]["accepted"] == 3  # it is the workers that drop duplicates
            check_refused(worker)
            async with asyncio.timeout(60):
                while "10.10" not in corner.command("customer", "anna").stdout:
                    await asyncio.sleep(0.2)
        found = json.loads(corner.command("customer", "anna", "--json").stdout)
        assert (found["ltv"]["historic_clv"], found["ltv"]["orders"]) == ("10.10", 1)


async def check_places(bootstrap: str, taken: list[dict[str, Any]], body: bytes) -> None:
    """Look at the records themselves: where the answer says, as they were sent."""
    events = json.loads(body)["events"]
    for event, told in zip(events, taken, strict=True):
        if told["status"] == "accepted":
            records = await read_topic(bootstrap, told["topic"])
            (record,) = (
                one
                for one in records
                if (one.partition, one.offset) == (told["partition"], told["offset"])
            )
            assert json.loads(record.value) == event
            assert record.key == event.get("customer_id", "ben").encode()
            assert told["event_id"] == event.get("event_id", event.get("id"))


def check_refused(worker: Worker) -> None:
    """Send what is no batch, and what may not be sent: nothing of it is taken."""
    assert post(worker, batch(purchase(1)), token=READ)[0] == 403
    assert post(worker, batch(purchase(1)), token="x" * 20)[0] == 401
    assert post(worker, batch(purchase(1)), kind="text/plain")[0] == 415
    assert post(worker, b'{"events": [')[0] == 400
    assert post(worker, batch())[0] == 400
    assert post(worker, batch(*([{}] * 1001)))[0] == 400
    assert post(worker, batch("x" * 2_000_000))[0] == 413


async def test_without_kafka_the_sender_is_told_to_come_again() -> None:
    (port,) = free_ports("127.0.0.1", 1)
    intake = EventIntake(Settings(brokers=f"127.0.0.1:{port}"))
    with pytest.raises(Problem) as refused:
        await intake.take([json.dumps(purchase(1)).encode()], NOW)
    assert refused.value.status == 503
    assert "Retry-After" in refused.value.headers
    with pytest.raises(Problem, match="too many events"):
        await intake.take([b"{}"] * (WAITING_MAX + 1), NOW)
    await intake.close()
