"""Webhooks on the real Kafka, to a real receiver that fails, dawdles and goes away."""

import asyncio
import json
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from streamer.broker import EmbeddedKafka
from streamer.cli.doctor import examine
from streamer.cli.doctor.verdicts import Verdict
from streamer.settings import load_settings
from tests.support.receiver import SECRET, Receiver, Request
from tests.support.stage import Stage, stage
from tests.support.worker import Worker

PARTITIONS = 2
CUSTOMERS = [f"c{number}" for number in range(8)]
ROUNDS = 5

Update = tuple[str, int]
"""A customer and a revision; 0 is an erasure."""


@contextmanager
def corner_of(
    kafka: EmbeddedKafka, folder: Path, receiver: Receiver, **settings: object
) -> Iterator[Stage]:
    own = {
        "partitions": PARTITIONS,
        "webhook_urls": json.dumps({"crm": receiver.url}),
        "webhook_secrets": json.dumps({"crm": SECRET}),
        "webhook_outputs": json.dumps({"crm": ["churn-risk-updates"]}),
        "webhook_from_beginning": True,
        "webhook_timeout_seconds": 5,
        **settings,
    }
    with stage(kafka.bootstrap, folder, **own) as corner:
        yield corner


async def publish(corner: Stage, updates: Iterable[Update]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=corner.bootstrap)
    await producer.start()
    try:
        for customer, revision in updates:
            value = {"customer_id": customer, "revision": revision}
            key = customer.encode()
            await producer.send_and_wait(
                f"{corner.prefix}churn-risk-updates",
                json.dumps(value).encode() if revision else None,
                key,
                partition=zlib.crc32(key) % PARTITIONS,
            )
    finally:
        await producer.stop()


def rounds(first: int = 1) -> list[Update]:
    return [
        (customer, revision) for revision in range(first, first + ROUNDS) for customer in CUSTOMERS
    ]


async def doctors(corner: Stage) -> Verdict:
    """Return what the doctor says of the endpoint."""
    own = {
        name: json.loads(value) if isinstance(value, str) and value.startswith("{") else value
        for name, value in corner.settings.items()
    }
    verdicts = await examine(load_settings(**own))
    (found,) = (one for one in verdicts if one.check == "webhooks")
    assert found.ok != bool(found.remedy)
    return found


def in_order(requests: Iterable[Request], until: int = ROUNDS) -> None:
    """Each customer's updates were taken, none left out, in their order."""
    told: dict[str, list[int]] = {}
    for request in requests:
        told.setdefault(request.data["customer_id"], []).append(request.data["revision"])
    assert told == {customer: list(range(1, until + 1)) for customer in CUSTOMERS}


async def has_found_it_closed(worker: Worker, said: int = 0) -> None:
    """Wait until ``worker`` says so, behind what it had ``said``."""
    async with asyncio.timeout(90):
        while "takes nothing" not in worker.log[said:]:
            await asyncio.sleep(0.1)


async def test_a_moody_receiver_is_told_all_in_order(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        chance = zlib.crc32(f"{id_} {time}".encode()) % 10
        await asyncio.sleep(chance / 200)
        return 500 if chance < 2 and time < 3 else 200

    async with Receiver(mood) as receiver:
        with corner_of(kafka, tmp_path, receiver) as corner:
            await publish(corner, [*rounds(), ("gone", 0)])
            with corner.teller() as worker:
                told = await receiver.until(ROUNDS * len(CUSTOMERS) + 1)
                await asyncio.sleep(2)  # it commits each second
                assert (await doctors(corner)).text.endswith("is reached, told all")
                _, worker_said = await worker.get("/metrics")
                assert await worker.stop() == 0
            log = worker.log
    (erased,) = (one for one in told if one.type == "churn_risk.erased")
    assert erased.data == {"customer_id": "gone"}
    in_order(one for one in told if one is not erased)
    assert len({one.id for one in told}) == len(told)
    assert all(one.id.startswith(f"{corner.prefix}churn-risk-updates-") for one in told)
    assert 'streamer_webhook_tries_total{endpoint="crm",outcome="failed"}' in worker_said
    assert 'streamer_webhook_dead_letters_total{endpoint="crm"} 0.0' in worker_said
    assert not [word for word in (SECRET[6:], "t0ken", "c1") if word in log]


@pytest.mark.timeout(300)  # five commands beside a process
async def test_what_is_refused_is_kept_and_can_be_told_once_more(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    async def mood(id_: str, data: dict[str, Any], time: int) -> int:
        return 422 if data["customer_id"] == "c3" and data["revision"] == 2 else 200

    async with Receiver(mood) as receiver:
        with corner_of(kafka, tmp_path, receiver, webhook_attempts_max=2) as corner:
            await publish(corner, rounds())
            with corner.teller() as worker:
                told = await receiver.until(ROUNDS * len(CUSTOMERS) - 1)
                assert await worker.stop() == 0
            (refused,) = await asyncio.to_thread(corner.told, "webhooks", "list")
            assert (refused["endpoint"], refused["message"]) == (
                "crm",
                "crm answered 2 times: 422 Unprocessable Entity",
            )
            assert sum(one.id == refused["id"] for one in receiver.requests) == 2
            again = await asyncio.to_thread(corner.command, "webhooks", "resend", "crm")
            assert again.returncode == 1
            assert "refused 1" in " ".join(again.stderr.split())
            receiver.mood = Receiver().mood
            again = await asyncio.to_thread(corner.command, "webhooks", "resend", "crm")
            assert again.returncode == 0, again.stderr
            tried = await asyncio.to_thread(corner.command, "webhooks", "test", "crm")
            assert "204 No Content" in tried.stdout, tried.stderr
    assert [one.data["revision"] for one in told if one.data["customer_id"] == "c3"] == [1, 3, 4, 5]
    last, test = receiver.accepted[-2:]
    assert (last.id, last.data) == (refused["id"], {"customer_id": "c3", "revision": 2})
    assert test.type == "test"


@pytest.mark.timeout(300)
async def test_neither_an_outage_nor_kill_9_loses_anything(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    async def slowly(id_: str, data: dict[str, Any], time: int) -> int:
        await asyncio.sleep(0.1)
        return 200

    receiver = Receiver(slowly)
    with corner_of(kafka, tmp_path, receiver, webhook_attempts_max=1) as corner:
        await publish(corner, rounds())
        with corner.teller() as worker:
            await has_found_it_closed(worker)
            worker.kill()
            await receiver.open()
            worker.start()
            await receiver.until(len(CUSTOMERS))
            worker.kill()  # while some are under way
            await receiver.close()
            said = len(worker.log)
            worker.start()
            await has_found_it_closed(worker, said)
            await receiver.open()
            told = await receiver.until(ROUNDS * len(CUSTOMERS), 120)
            assert await worker.stop() == 0
        refused = await asyncio.to_thread(corner.told, "webhooks", "list")
    await receiver.close()
    in_order(told)
    assert refused == []


@pytest.mark.timeout(300)
async def test_processes_share_the_customers_and_hand_them_over(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    async with Receiver() as receiver:
        with corner_of(kafka, tmp_path, receiver) as corner:
            first, second = corner.teller("first"), corner.teller("second")
            await publish(corner, rounds())
            with first, second:
                for worker in (first, second):
                    await worker.ready(120)
                await receiver.until(ROUNDS * len(CUSTOMERS), 120)
                assert await first.stop() == 0
                await publish(corner, rounds(ROUNDS + 1))
                told = await receiver.until(2 * ROUNDS * len(CUSTOMERS), 120)
                assert await second.stop() == 0
    in_order(told, until=2 * ROUNDS)


async def test_a_new_endpoint_is_told_only_what_comes(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        with corner_of(kafka, tmp_path, receiver, webhook_from_beginning=False) as corner:
            await publish(corner, rounds())
            with corner.teller() as worker:
                async with asyncio.timeout(90):
                    told: list[Request] = []
                    while not told:  # until it has found the ends, what comes is before them
                        await publish(corner, [("c1", 99)])
                        await asyncio.sleep(0.5)
                        told = receiver.accepted
                assert await worker.stop() == 0
    assert {one.data["revision"] for one in told} == {99}


async def test_the_doctor_says_who_cannot_be_told(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    async with Receiver() as receiver:
        with corner_of(kafka, tmp_path, receiver) as corner:
            nobody = await doctors(corner)
            assert nobody.text.endswith("is told by nobody")
            assert "streamer webhooks run" in nobody.remedy
            await receiver.close()
            away = await doctors(corner)
    assert "cannot be reached" in away.text
    assert receiver.requests == [], "nothing is told by looking"
    assert "t0ken" not in away.text
