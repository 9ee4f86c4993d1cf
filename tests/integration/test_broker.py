import signal
import socket
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from streamer.broker import BrokerError, EmbeddedCluster, EmbeddedKafka
from streamer.broker.java import bundled_java

TOPIC = "purchases"
MESSAGE = b'{"amount": "19.90"}'


async def create_topic(bootstrap: str, name: str, replicas: int = 1) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, replicas)])
    finally:
        await admin.close()


async def produce(bootstrap: str, topic: str, value: bytes, **settings: object) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, **settings) as producer:
        await producer.send_and_wait(topic, value)


async def consume_one(bootstrap: str, topic: str) -> bytes | None:
    async with consumer_of(bootstrap, topic) as consumer:
        record = await consumer.getone()
        return bytes(record.value)


@asynccontextmanager
async def consumer_of(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        yield consumer
    finally:
        await consumer.stop()


@pytest.mark.parametrize("compression", [None, "gzip", "lz4", "snappy", "zstd"])
async def test_a_message_comes_back(kafka: EmbeddedKafka, compression: str | None) -> None:
    topic = f"round-trip-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic)
    await produce(kafka.bootstrap, topic, MESSAGE * 50, compression_type=compression)
    assert await consume_one(kafka.bootstrap, topic) == MESSAGE * 50


async def test_a_large_batch_is_taken(kafka: EmbeddedKafka) -> None:
    topic = f"large-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic)
    large = bytes(10 * 1024 * 1024)
    await produce(kafka.bootstrap, topic, large, max_request_size=11 * 1024 * 1024)
    assert await consume_one(kafka.bootstrap, topic) == large


async def test_a_transaction_commits(kafka: EmbeddedKafka) -> None:
    topic = f"transaction-{uuid.uuid4()}"
    await create_topic(kafka.bootstrap, topic)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=topic)
    async with producer, producer.transaction():
        await producer.send(topic, MESSAGE)
    assert await consume_one(kafka.bootstrap, topic) == MESSAGE


async def test_data_outlive_restarts_and_crashes(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path)
    with broker:
        await create_topic(broker.bootstrap, TOPIC)
        await produce(broker.bootstrap, TOPIC, MESSAGE)
    broker.start()
    assert await consume_one(broker.bootstrap, TOPIC) == MESSAGE
    broker.kill()
    assert not broker.is_running()
    with EmbeddedKafka(tmp_path) as another:  # same folder, another port
        assert await consume_one(another.bootstrap, TOPIC) == MESSAGE


async def test_the_bundled_java_runs_it(tmp_path: Path) -> None:
    with EmbeddedKafka(tmp_path, java=bundled_java(), fast_start=False) as broker:
        assert Path(f"/proc/{broker.pid}/exe").readlink() == bundled_java().resolve()
        await create_topic(broker.bootstrap, TOPIC)
        await produce(broker.bootstrap, TOPIC, MESSAGE, compression_type="zstd")
        assert await consume_one(broker.bootstrap, TOPIC) == MESSAGE


async def test_three_nodes_stand_the_loss_of_one(tmp_path: Path) -> None:
    with EmbeddedCluster(tmp_path) as cluster:
        await create_topic(cluster.bootstrap, TOPIC, replicas=3)
        await produce(cluster.bootstrap, TOPIC, MESSAGE, acks="all")
        cluster.nodes[0].kill()
        await produce(cluster.bootstrap, TOPIC, b"still here", acks="all")
        assert await consume_one(cluster.bootstrap, TOPIC) == MESSAGE


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(BrokerError, match=f"Port {port} .* is taken"):
            EmbeddedKafka(tmp_path, port).start()


def test_a_failed_start_shows_the_log_and_leaves_nothing(tmp_path: Path) -> None:
    broker = EmbeddedKafka(tmp_path, properties={"num.io.threads": "none"})
    with pytest.raises(BrokerError, match=r"num\.io\.threads"):
        broker.start()
    assert not broker.is_running()


def test_starting_twice_is_refused(kafka: EmbeddedKafka) -> None:
    with pytest.raises(BrokerError, match="runs already"):
        kafka.start()
    assert kafka.is_running()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_runs_until_it_is_stopped(tmp_path: Path, ending: signal.Signals) -> None:
    run = "import sys, typer; from streamer.cli.broker import broker; typer.run(broker)"
    command = [sys.executable, "-c", run, "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        first = process.stdout.readline().split()
        assert first[0] == "ready"
        host, port = first[1].split(":")
        socket.create_connection((host, int(port))).close()
        process.send_signal(ending)
        assert process.stdout.read() == ""
        assert process.wait() == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)))
