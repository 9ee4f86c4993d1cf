"""What ends a transaction is told as what it is, on a real Kafka."""

import asyncio
import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerFenced

from streamer.broker import EmbeddedKafka
from streamer.engine import clients, transaction
from streamer.pipeline import Message, UnitOfWork
from streamer.records.kafka import CHURN_RISK_UPDATES, LTV_UPDATES
from streamer.settings import Settings
from tests.support.stage import stage


async def test_who_is_fenced_between_two_batches_is_told_so(
    kafka: EmbeddedKafka, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=1) as corner:
        settings = Settings(
            _env_file=None,
            brokers=kafka.bootstrap,
            topic_prefix=corner.prefix,
            group_id=f"{corner.prefix}group",
        )
        one, other = (clients.transactional_producer(settings, 0) for _ in range(2))
        send = transaction._send

        async def send_and_be_fenced(
            producer: AIOKafkaProducer, topic: str, partition: int, messages: Sequence[Message]
        ) -> list[asyncio.Future[object]]:
            if topic == settings.topics[LTV_UPDATES]:
                await other.start()
            sent = await send(producer, topic, partition, messages)
            await asyncio.wait(sent)
            return sent

        monkeypatch.setattr(transaction, "_send", send_and_be_fenced)
        unit = UnitOfWork()
        for name in (LTV_UPDATES, CHURN_RISK_UPDATES):
            unit.send(settings.topics[name], 0, Message(b"c1", b"{}"))
        unseen: list[dict[str, Any]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: unseen.append(told))
        await one.start()
        try:
            with pytest.raises(ProducerFenced):
                await transaction.write(one, unit)
        finally:
            await clients.stop(one)
            await clients.stop(other)
        del one
        gc.collect()
        assert not unseen, "an error that nobody retrieved"
