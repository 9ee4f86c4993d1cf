"""The benchmark's application of Kafka Streams: a peer that is wrong would flatter us."""

import asyncio
import subprocess
from pathlib import Path

import numpy as np
import orjson
import pytest

from benchmarks import source, throughput, topics
from benchmarks.contenders import Course
from benchmarks.contenders.kafka_streams import KafkaStreams
from benchmarks.contenders.kafka_streams.build import LOCK, compiled
from benchmarks.plan import Plan
from benchmarks.processes import running
from benchmarks.shop import HORIZON_DAYS, PURCHASES, VALUES
from streamer.broker import EmbeddedKafka
from streamer.broker.jars import KAFKA_VERSION
from streamer.broker.java import find_java
from streamer.broker.ports import free_ports
from streamer.scoring.models.gamma_gamma import GammaGamma
from streamer.scoring.models.histories import histories
from streamer.scoring.models.mbg_nbd import MbgNbd

EVENTS = 400


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The class path of the compiled application."""
    return compiled(tmp_path_factory.mktemp("java"))


@pytest.mark.parametrize("horizon", [1.0, HORIZON_DAYS, 3650.0])
def test_its_forecasts_are_ours(classes: str, horizon: float) -> None:
    x = np.array([0.0, 0, 1, 2, 7, 200, 3])
    t_x = np.array([0.0, 0, 5, 200, 90, 3000, 0.5])
    age = np.array([0.0, 400, 5, 272, 1000, 3001, 0.5])
    mean = np.array([0.0, 0, 10, 35.22, 500, 20, 1])
    lines = "".join(f"{n:.0f} {a} {b} {m}\n" for n, a, b, m in zip(x, t_x, age, mean, strict=True))
    model = " ".join(map(repr, (*PURCHASES.values(), *VALUES.values(), horizon)))
    command = [str(find_java()), "-cp", classes, "Figures", model]
    done = subprocess.run(command, input=lines, check=True, capture_output=True, text=True)
    theirs = np.array([line.split() for line in done.stdout.splitlines()], np.float64)
    ours, customers = MbgNbd(**PURCHASES), histories(x=x, t_x=t_x, T=age)
    expected = (
        ours.probability_alive(customers),
        ours.no_purchase_probability(customers, horizon),
        ours.expected_purchases(customers, horizon),
        GammaGamma(**VALUES).expected_value(x, mean),
    )
    np.testing.assert_allclose(theirs, np.column_stack(expected), rtol=1e-8)


def test_each_purchase_is_scored_once(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    course = Course(
        bootstrap=kafka.bootstrap,
        prefix="peer-",
        partitions=2,
        group_id="peer-group",
        http_port=free_ports("127.0.0.1", 1)[0],
        folder=tmp_path,
    )
    plan = Plan(events=EVENTS, customers=50, partitions=2)
    asyncio.run(source.fill(kafka.bootstrap, course.source, source.purchases(plan), 2))
    peer = KafkaStreams("Kafka Streams", threads=2, commit_ms=50)
    peer.prepare(course)
    command = peer.command(course)
    with running("streams", command.arguments, tmp_path, command.environment) as child:
        for _ in throughput.progress(peer, course, EVENTS, child):
            pass
    peer.check(course, EVENTS)
    scores = asyncio.run(committed(course, peer.scores(course)))
    events = {orjson.loads(value)["event_id"]: value for _, _, value in source.purchases(plan)}
    assert {score["cause"]["id"] for score in scores} == set(events)
    assert all(300 < len(orjson.dumps(score)) < 800 for score in scores)


async def committed(course: Course, topic: str) -> list[dict[str, dict[str, str]]]:
    return [
        orjson.loads(record.value)
        async for records in topics.committed(course.bootstrap, topic, course.partitions)
        for record in records
    ]


def test_it_is_of_the_brokers_version() -> None:
    assert f"org.apache.kafka:kafka-streams:{KAFKA_VERSION} " in LOCK.read_text()
