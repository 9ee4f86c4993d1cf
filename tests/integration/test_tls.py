"""Who is spoken to, and who may hear a password: against a real Kafka with TLS and SASL."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import get_args

import pytest
import uvloop
from aiokafka.conn import AIOKafkaConnection
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from streamer.broker import EmbeddedKafka
from streamer.engine import clients, loop
from streamer.engine.access import refusal
from streamer.security import Mechanism
from tests.support.authority import Authority
from tests.support.safe import HOST, ROOT, USERS, SafeKafka, safe_broker
from tests.support.stage import Stage, stage

CUSTOMER = "zoe-7"
PURCHASES = [
    {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": CUSTOMER,
        "occurred_at": f"2026-0{number}-01T10:00:00Z",
        "order_id": f"o{number}",
        "amount": "20.00",
        "currency": "USD",
    }
    for number in (1, 2, 3)
]
MALLORY = 'mallory"} 1\nstreamer_rows{partition="0'
"""A customer who would like to be a metric."""

EVENTS = [
    *PURCHASES,
    {**PURCHASES[0], "event_id": "e9", "amount": "-5-nobody-must-log-this"},
    {
        **PURCHASES[0],
        "event_id": "e8",
        "customer_id": MALLORY,
        "channel": MALLORY,
        "location": MALLORY,
    },
]
LINES = "".join(json.dumps(event) + "\n" for event in EVENTS)


def refused(done: CompletedProcess[str], *said: str) -> None:
    """A refusal is one sentence, an exit code, and no secret."""
    text = " ".join(done.stderr.split())
    assert done.returncode == 1, done.stdout + done.stderr
    assert text.startswith("streamer: ")
    assert "Traceback" not in text
    assert not [word for word in said if word not in text], text
    assert not [word for word in USERS.values() if word in done.stdout + done.stderr]


@pytest.mark.timeout(400)  # several commands beside a worker
async def test_everything_works_over_tls_with_a_password(
    safe_kafka: SafeKafka, tmp_path: Path
) -> None:
    secure = safe_kafka.settings(ROOT, log_level="DEBUG")
    with stage(safe_kafka.bootstrap, tmp_path, clock="stream", **secure) as corner:
        assert corner.command("send", "-", stdin=LINES).returncode == 0
        with corner.worker("worker") as worker:
            await worker.ready()
            card = await scored(corner)
            letters = corner.command("dlq", "list", "--json")
            doctor = corner.command("doctor")
            shown = corner.command("config", "show")
            metrics = (await worker.get("/metrics"))[1]
            if sys.platform == "linux":
                assert listening(worker.pid) == {f"0100007F:{worker.port:04X}"}
            assert await worker.stop() == 0, worker.told("did not end well")
    assert (card["orders"], card["historic_clv"]) == (3, "60.00")
    assert letters.stdout.count("e9") == 1, letters.stderr
    assert doctor.returncode == 0, doctor.stdout
    assert "[DEBUG]" in worker.log
    for text in (worker.log, metrics, doctor.stdout, shown.stdout, shown.stderr):
        assert USERS[ROOT] not in text
    assert "STREAMER_SASL_PASSWORD=(hidden)" in shown.stdout
    above_debug = [line for line in worker.log.splitlines() if "[DEBUG]" not in line]
    for secret in ("nobody-must-log-this", "mallory", CUSTOMER, "20.00"):
        assert not [line for line in above_debug if secret in line]
    labels = {
        value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        for value in sample.labels.values()
    }
    assert not [value for value in labels if "mallory" in value or CUSTOMER in value]


def listening(pid: int) -> set[str]:
    """Return where a process takes connections, as Linux writes it: 0100007F is 127.0.0.1."""
    links = (str(fd.readlink()) for fd in Path(f"/proc/{pid}/fd").iterdir() if fd.is_symlink())
    sockets = {link.removeprefix("socket:[").removesuffix("]") for link in links}
    lines = [
        line.split()
        for table in ("tcp", "tcp6")
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {fields[1] for fields in lines if fields[3] == "0A" and fields[9] in sockets}


async def scored(corner: Stage) -> dict[str, object]:
    """Wait for the three orders to be scored."""
    for _ in range(20):
        done = corner.command("customer", CUSTOMER, "--json")
        if done.returncode == 0:
            card: dict[str, object] = json.loads(done.stdout)["ltv"]
            if card["orders"] == len(PURCHASES):
                return card
    raise AssertionError("the customer is not scored")


@pytest.mark.parametrize("mechanism", get_args(Mechanism))
async def test_each_mechanism_proves_the_password(safe_kafka: SafeKafka, mechanism: str) -> None:
    settings = safe_kafka.loaded(ROOT, sasl_mechanism=mechanism)
    assert await refusal(settings) is None
    wrong = settings.model_copy(update={"sasl_password": SecretStr("not-it")})
    assert "does not accept the password" in str(await refusal(wrong))


@pytest.mark.parametrize(
    ("mechanism", "command"),
    [
        ("SCRAM-SHA-512", ["worker"]),
        ("PLAIN", ["topics", "create"]),
        ("SCRAM-SHA-256", ["customer", "ann"]),
    ],
)
def test_a_wrong_password_is_told_in_a_sentence(
    safe_kafka: SafeKafka, tmp_path: Path, command: list[str], mechanism: str
) -> None:
    wrong = safe_kafka.settings(ROOT, sasl_password="not-it-at-all", sasl_mechanism=mechanism)
    corner = Stage(safe_kafka.bootstrap, tmp_path, wrong)
    done = corner.command(*command)
    refused(done, "does not accept the password of 'root'", mechanism)
    assert "not-it-at-all" not in done.stdout + done.stderr


def test_the_doctor_says_why_kafka_refuses(safe_kafka: SafeKafka, tmp_path: Path) -> None:
    wrong = safe_kafka.settings(ROOT, sasl_password="not-it")
    done = Stage(safe_kafka.bootstrap, tmp_path, wrong).command("doctor", "--json")
    assert done.returncode == 1, done.stdout + done.stderr
    finding = json.loads(done.stdout)["findings"][-1]
    assert finding["text"].endswith("does not accept the password of 'root' by SCRAM-SHA-512")
    assert "STREAMER_SASL_PASSWORD" in finding["remedy"]


def test_a_worker_that_makes_no_topics_is_told_the_same(
    safe_kafka: SafeKafka, tmp_path: Path
) -> None:
    wrong = safe_kafka.settings(ROOT, sasl_password="not-it", create_topics=False)
    refused(Stage(safe_kafka.bootstrap, tmp_path, wrong).command("worker"), "password of 'root'")


@pytest.mark.parametrize("knows_another", [True, False])
def test_an_unknown_authority_is_refused(
    safe_kafka: SafeKafka, tmp_path: Path, knows_another: bool
) -> None:
    known = Authority(tmp_path).file if knows_another else ""
    settings = safe_kafka.settings(ROOT, ssl_ca_file=known)
    done = Stage(safe_kafka.bootstrap, tmp_path, settings).command("worker")
    refused(done, "certificate that is not to be trusted", "STREAMER_SSL_CA_FILE")


def test_a_certificate_of_another_host_is_refused(safe_kafka: SafeKafka, tmp_path: Path) -> None:
    port = safe_kafka.bootstrap.partition(":")[2]
    corner = Stage(f"localhost:{port}", tmp_path, safe_kafka.settings(ROOT))
    refused(corner.command("worker"), "certificate of another host", "localhost")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"security_protocol": "SASL_PLAINTEXT", "ssl_ca_file": ""}, "unencrypted"),
        ({"security_protocol": "PLAINTEXT", "ssl_ca_file": ""}, "would not be used"),
        ({"security_protocol": "PLAINTEXT", "sasl_username": "", "sasl_password": ""}, "CA_FILE"),
    ],
)
def test_a_downgrade_is_refused_before_anything_is_sent(
    tmp_path: Path, settings: dict[str, object], said: str
) -> None:
    secure = {"ssl_ca_file": "ca.pem", "sasl_username": ROOT, "sasl_password": USERS[ROOT]}
    corner = Stage("127.0.0.1:1", tmp_path, {**secure, **settings})
    refused(corner.command("worker"), said, "STREAMER_SECURITY_PROTOCOL=")


def test_a_client_without_tls_or_password_is_told_what_the_broker_speaks(
    safe_kafka: SafeKafka, tmp_path: Path
) -> None:
    for more in ({}, {"security_protocol": "SSL", "ssl_ca_file": safe_kafka.authority.file}):
        settings: dict[str, object] = {**more}
        done = Stage(safe_kafka.bootstrap, tmp_path, settings).command("worker")
        refused(done, "closes connections", "STREAMER_SECURITY_PROTOCOL")


def test_a_broker_without_tls_is_told_from_one_that_is_away(
    kafka: EmbeddedKafka, safe_kafka: SafeKafka, tmp_path: Path
) -> None:
    corner = Stage(kafka.bootstrap, tmp_path, safe_kafka.settings(ROOT))
    refused(corner.command("worker"), "does not speak TLS")
    corner.settings["brokers"] = "127.0.0.1:1"
    refused(corner.command("worker"), "cannot be reached")


def test_a_certificate_stands_for_a_password(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with safe_broker(tmp_path, authority, protocol="SSL") as kafka:
        known: dict[str, object] = {"security_protocol": "SSL", "ssl_ca_file": authority.file}
        corner = Stage(kafka.bootstrap, tmp_path, known)
        refused(corner.command("topics", "create"), "STREAMER_SSL_CERTIFICATE_FILE")
        corner.settings |= {
            "ssl_certificate_file": authority.certificate("me.example", password="of-the-key"),
            "ssl_key_password": "of-the-key",
        }
        corner.create_topics()
        corner.settings["ssl_key_password"] = "another"
        refused(corner.command("topics", "create"), "STREAMER_SSL_KEY_PASSWORD")


def test_a_password_in_the_clear_must_be_wanted(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with safe_broker(tmp_path, authority, protocol="SASL_PLAINTEXT") as kafka:
        clear: dict[str, object] = {
            "security_protocol": "SASL_PLAINTEXT",
            "sasl_username": ROOT,
            "sasl_password": USERS[ROOT],
        }
        corner = Stage(kafka.bootstrap, tmp_path, clear)
        refused(corner.command("topics", "create"), "STREAMER_SASL_ALLOW_PLAINTEXT")
        corner.settings["sasl_allow_plaintext"] = True
        corner.create_topics()


def test_the_brokers_settings_are_its_owners_alone(safe_kafka: SafeKafka) -> None:
    settings = safe_kafka.kafka.log_file.with_name("server.properties")
    assert settings.stat().st_mode & 0o077 == 0
    assert HOST in safe_kafka.bootstrap


@pytest.fixture
def loop_of_a_worker() -> Iterator[None]:
    policy = asyncio.get_event_loop_policy()
    loop.install()
    yield
    asyncio.set_event_loop_policy(policy)
    AIOKafkaConnection.send, AIOKafkaConnection.close = loop._send, loop._close


def test_a_broker_that_says_no_goodbye_is_not_waited_for(
    safe_kafka: SafeKafka, loop_of_a_worker: None
) -> None:
    """TLS would wait for half a minute; whoever tells a worker to end waits no longer than that."""
    uvloop.run(stopped_while_it_hangs(safe_kafka))


async def stopped_while_it_hangs(safe_kafka: SafeKafka) -> None:
    settings = safe_kafka.loaded(ROOT, topic_prefix="hangs.")
    consumer, producer = (
        clients.plain_consumer(settings),
        clients.transactional_producer(settings, 0),
    )
    await consumer.start()
    await producer.start()
    os.kill(safe_kafka.kafka.pid, signal.SIGSTOP)
    try:
        async with asyncio.timeout(25):
            await consumer.stop()
            await clients.stop(producer)
    finally:
        os.kill(safe_kafka.kafka.pid, signal.SIGCONT)
