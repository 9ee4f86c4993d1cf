"""Other systems' records through a real Kafka, and a worker that is killed meanwhile."""

import asyncio
import json
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaProducer

from streamer.broker import EmbeddedKafka
from tests.support.stage import Stage, stage
from tests.support.topics import last_per_key, read_topic

SAMPLES = Path(__file__).parents[1] / "contracts" / "adapters"
CUSTOMER = "115310627314723954"
Headers = list[tuple[str, bytes]]
SHOPIFY: tuple[str, Headers] = "shopify_orders_create.json", [("X-Shopify-Topic", b"orders/create")]
SEGMENT: tuple[str, Headers] = "segment_batch.json", []


async def produce(corner: Stage, topic: str, value: bytes, headers: Headers) -> None:
    async with AIOKafkaProducer(bootstrap_servers=corner.bootstrap, acks="all") as producer:
        await producer.send_and_wait(corner.prefix + topic, value, headers=headers)


async def worth(corner: Stage) -> dict[str, Any]:
    """Return what each customer is worth by its last published score."""
    records = last_per_key(await read_topic(corner.bootstrap, f"{corner.prefix}ltv-updates"))
    values = [json.loads(record.value) for record in records.values()]
    return {value["customer_id"]: value["historic_clv"] for value in values}


async def until(corner: Stage, expected: dict[str, str]) -> None:
    async with asyncio.timeout(90):
        while await worth(corner) != expected:
            await asyncio.sleep(0.2)


async def test_what_a_shop_sends_already_is_scored_and_its_mistakes_are_put_right(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    adapters = json.dumps({"segment-events": "segment", "webhooks": "shopify"})
    with stage(kafka.bootstrap, tmp_path, partitions=2, adapters=adapters) as corner:
        worker = corner.worker("worker")
        worker.start()
        await worker.ready()
        for topic, (name, headers) in (("webhooks", SHOPIFY), ("segment-events", SEGMENT)):
            await produce(corner, topic, (SAMPLES / name).read_bytes(), headers)
        worker.kill()
        for topic, (name, headers) in (("webhooks", SHOPIFY), ("segment-events", SEGMENT)):
            await produce(corner, topic, (SAMPLES / name).read_bytes(), headers)
        wrong = (SAMPLES / "segment_order_refunded.json").read_bytes()
        await produce(corner, "segment-events", wrong.replace(b"19.00", b'"19,00"'), [])
        worker.start()
        await until(corner, {CUSTOMER: "398.10", "019mr8mf4r": "0.30", "AiUGstSDIg": "0.10"})
        file = tmp_path / "right.json"
        file.write_bytes(wrong.replace(b"19.00", b"0.05"))
        listed = json.loads(corner.command("dlq", "list", "--json").stdout)
        (letter,) = listed["dead_letters"]
        assert (letter["field"], listed["total"]) == ("properties.total", 1)
        place = f"{letter['topic']}/{letter['partition']}/{letter['offset']}"
        replayed = corner.command("dlq", "replay", place, "--payload", str(file))
        assert "1 sent" in replayed.stdout, replayed.stderr
        await until(corner, {CUSTOMER: "398.10", "019mr8mf4r": "0.30", "AiUGstSDIg": "0.05"})
        doctor = json.loads(corner.command("doctor", "--json").stdout)
        told = {finding["check"]: finding["ok"] for finding in doctor["findings"]}
        assert told["topics"]
        assert told["producers"]
