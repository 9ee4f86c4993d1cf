"""The commands that look at a running system, and the demo, as a user calls them. Kafka is real."""

import asyncio
import json
import signal
import subprocess
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from aiokafka import AIOKafkaProducer

from streamer.broker import EmbeddedKafka
from streamer.broker.ports import free_ports
from streamer.cli.demo.pulse import pulse_of
from streamer.files import cdnow_sample
from tests.support.stage import Stage, stage
from tests.support.topics import read_topic
from tests.support.worker import STREAMER, Worker, environment

NOW = datetime.now(UTC)
PARTITIONS = 3
BAD = (b'{"cut', b'{"type":"purchase"}', b'{"type":"purchase"}')
DEMO_SECONDS_MAX = 150


def purchase(number: int, customer: str, amount: str = "10.00", days_ago: float = 1) -> bytes:
    event = {
        "event_id": f"e{number}",
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": (NOW - timedelta(days=days_ago)).isoformat(),
        "order_id": f"o{number}",
        "amount": amount,
        "currency": "USD",
    }
    return json.dumps(event).encode()


EVENTS = [
    purchase(1, "anna", "30.00", days_ago=20),
    purchase(2, "ben"),
    *BAD,
    purchase(3, "anna", "12.50", days_ago=2),
    purchase(4, "carl", "-1.00"),
]


async def done(worker: Worker, corner: Stage, events: int) -> None:
    """Wait until the worker has committed what follows from so many events."""
    async with asyncio.timeout(60):
        while not pulse_of((await worker.get("/metrics"))[1], corner.prefix).is_done(events):
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def shop(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A stage whose worker runs and has done all of ``EVENTS``."""
    folder = tmp_path_factory.mktemp("shop")
    with stage(kafka.bootstrap, folder, partitions=PARTITIONS) as corner:
        file = folder / "events.jsonl"
        file.write_bytes(b"".join(event + b"\n" for event in EVENTS))
        assert corner.command("send", str(file)).returncode == 0
        with corner.worker("worker") as worker:
            asyncio.run(worker.ready())
            asyncio.run(done(worker, corner, len(EVENTS)))
            yield corner


def refused(corner: Stage, *arguments: str) -> str:
    """Return the one sentence of a command that cannot do what it was asked."""
    result = corner.command(*arguments)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert result.stderr.startswith("streamer: ")
    return result.stderr


# -- customer ---------------------------------------------------------------------------------


async def test_a_customers_last_updates_are_shown(shop: Stage) -> None:
    found = shop.told("customer", "anna")
    for name, topic in (("ltv", "ltv-updates"), ("churn_risk", "churn-risk-updates")):
        records = await read_topic(shop.bootstrap, shop.prefix + topic)
        values = [json.loads(record.value) for record in records if record.key == b"anna"]
        assert found[name] == values[-1]
    assert (found["ltv"]["historic_clv"], found["ltv"]["orders"]) == ("42.50", 2)
    card = shop.command("customer", "anna").stdout
    assert "42.50 USD" in card
    assert max(map(len, card.splitlines())) == 80


def test_an_unknown_customer_is_an_error_with_a_way_out(shop: Stage) -> None:
    assert "no score of customer 'nobody'" in refused(shop, "customer", "nobody")
    assert "dlq list" in refused(shop, "customer", "carl", "--json")


def test_a_customer_long_silent_is_found_too(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=1) as corner:
        asyncio.run(fill(corner, records=9_000))
        assert corner.told("customer", "old") == {
            "customer_id": "old",
            "ltv": {"number": 1},
            "churn_risk": None,
        }
        assert corner.told("customer", "busy")["ltv"] == {"number": 8_999}


async def fill(corner: Stage, records: int) -> None:
    """Write so many values, all but the first two of one busy customer."""
    topic = f"{corner.prefix}ltv-updates"
    async with AIOKafkaProducer(bootstrap_servers=corner.bootstrap, linger_ms=5) as producer:
        for number in range(records):
            key = b"old" if number < 2 else b"busy"
            await producer.send(topic, json.dumps({"number": number}).encode(), key)


# -- dlq --------------------------------------------------------------------------------------


def test_dead_letters_are_listed_with_their_reasons(shop: Stage) -> None:
    found = shop.told("dlq", "list")
    assert (found["total"], found["by_reason"]) == (4, {"invalid": 3, "malformed": 1})
    letters = found["dead_letters"]
    assert {letter["value"] for letter in letters} >= {value.decode() for value in BAD}
    (negative,) = (letter for letter in letters if letter["key"] == "carl")
    assert negative["field"] == "amount"
    assert negative["topic"] == f"{shop.prefix}purchases"
    assert datetime.fromisoformat(negative["failed_at"]) > NOW
    table = shop.command("dlq", "list").stdout
    assert max(map(len, table.splitlines())) <= 80
    assert "4 dead letters: 3 invalid, 1 malformed" in table


def test_dead_letters_can_be_chosen(shop: Stage) -> None:
    assert shop.told("dlq", "list", "--reason", "malformed")["total"] == 1
    one = shop.told("dlq", "list", "--limit", "1")
    assert (one["total"], len(one["dead_letters"])) == (4, 1)
    assert shop.told("dlq", "list", "--since", NOW.isoformat())["total"] == 4
    later = (NOW + timedelta(days=1)).isoformat()
    assert shop.told("dlq", "list", "--since", later)["total"] == 0
    assert shop.command("dlq", "list", "--since", later).stdout == "no dead letters\n"
    assert "give one of empty, too_large" in refused(shop, "dlq", "list", "--reason", "bad")
    assert "--since" in refused(shop, "dlq", "list", "--since", "today")


# -- doctor -----------------------------------------------------------------------------------


def findings(corner: Stage, code: int) -> dict[str, list[dict[str, Any]]]:
    """Return what the doctor finds, by check."""
    result = corner.command("doctor", "--json")
    assert result.returncode == code, result.stdout + result.stderr
    report = json.loads(result.stdout)
    assert report["ok"] == (code == 0)
    by_check: dict[str, list[dict[str, Any]]] = {}
    for finding in report["findings"]:
        assert finding["ok"] != bool(finding["remedy"])
        by_check.setdefault(finding["check"], []).append(finding)
    return by_check


def test_all_is_well_with_a_shop_at_work(shop: Stage) -> None:
    found = findings(shop, 0)
    assert found.keys() == {
        "disk", "codecs", "brokers", "clock", "topics", "replication", "model", "group",
        "producers",
    }  # fmt: skip
    assert "1 worker, nothing behind" in found["group"][0]["text"]
    assert "0.0 s" in found["clock"][0]["text"]
    assert "all is well" in shop.command("doctor").stdout


def test_records_without_a_worker_are_told_of(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=PARTITIONS) as corner:
        assert corner.command("send", "-", stdin=purchase(1, "anna").decode()).returncode == 0
        (group,) = findings(corner, 1)["group"]
        assert "0 workers, 1 record behind" in group["text"]
        assert "streamer worker" in group["remedy"]
        assert "→ start `streamer worker`" in corner.command("doctor").stdout


def test_what_does_not_fit_is_told_of(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    corner = Stage(kafka.bootstrap, tmp_path, {"partitions": PARTITIONS})
    (missing,) = findings(corner, 1)["topics"]
    assert "is missing" in missing["text"]
    assert "streamer topics create" in missing["remedy"]


def test_a_producer_that_partitions_in_its_own_way_is_named(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=PARTITIONS) as corner:
        asyncio.run(send_by_crc32(corner, customers=30))
        with corner.worker("worker") as worker:
            asyncio.run(worker.ready())
            asyncio.run(done(worker, corner, 30))
            (producer,) = findings(corner, 1)["producers"]
    assert f"of {corner.prefix}purchases" in producer["text"]
    assert "librdkafka" in producer["text"]
    assert "murmur2_random" in producer["remedy"]


async def send_by_crc32(corner: Stage, customers: int) -> None:
    async with AIOKafkaProducer(bootstrap_servers=corner.bootstrap) as producer:
        for number in range(customers):
            key = f"c{number}".encode()
            value = purchase(number, key.decode())
            place = zlib.crc32(key) % PARTITIONS
            await producer.send(f"{corner.prefix}purchases", value, key, place)


def test_without_kafka_commands_say_what_to_do(tmp_path: Path) -> None:
    (port,) = free_ports("127.0.0.1", 1)
    corner = Stage(f"127.0.0.1:{port}", tmp_path, {})
    for command in (["customer", "anna"], ["dlq", "list"], ["topics", "check"], ["send", "-"]):
        assert "set STREAMER_BROKERS" in refused(corner, *command)
    found = findings(corner, 1)
    assert found.keys() == {"disk", "codecs", "brokers"}


# -- demo -------------------------------------------------------------------------------------


def demo(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return started(folder, "--sample", *arguments)


def started(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [STREAMER, "demo", *arguments],
        cwd=folder,
        env=environment({"data_dir": folder / "data"}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left_behind(folder: Path) -> list[str]:
    """Return the command lines of processes that have to do with a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().replace("\0", " ")
            variables = (process / "environ").read_text(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(folder) in command + variables:
            found.append(command)
    return found


def sums_of_sample() -> tuple[int, int, Decimal]:
    """Return purchases, customers and revenue of CDNOW's tenth."""
    rows = [line.split() for line in cdnow_sample().read_text().splitlines() if line.strip()]
    return (
        len(rows),
        len({row[0] for row in rows}),
        sum((Decimal(row[-1]) for row in rows), Decimal()),
    )


def test_the_demo_shows_a_real_shop(tmp_path: Path) -> None:
    output, errors = demo(tmp_path, "--json").communicate(timeout=DEMO_SECONDS_MAX)
    summary = json.loads(output)
    outcome = summary["outcome"]
    sums = summary["sent"]["purchases"], outcome["customers"], Decimal(outcome["worth"])
    assert sums == sums_of_sample()
    assert sum(outcome["dead_letters"].values()) == summary["sent"]["planted_errors"] == 8
    assert summary["scores"] > summary["silences"] > 0
    assert summary["latency"]["p99_ms"] >= summary["latency"]["p50_ms"] > 0
    assert {customer["risk"]["risk_band"] for customer in outcome["at_risk"]} <= {"medium", "high"}
    assert all(customer["risk"]["win_back_by"] > "1998-06" for customer in outcome["at_risk"])
    assert outcome["referrers"][0]["value"]["referred_customers"] >= 1
    assert summary["model"]["model"] == "mbg_nbd"
    assert summary["model"]["customers"] == outcome["customers"]
    assert 0 < Decimal(outcome["expected"]) < Decimal(outcome["worth"])
    assert errors.count("✓") == 7
    assert not left_behind(tmp_path)


def test_the_demo_stays_with_its_page_until_it_is_told_to_end(tmp_path: Path) -> None:
    with demo(tmp_path, "--stay") as process:
        assert process.stdout
        told = next(line for line in process.stdout if "Look around at" in line)
        address = told.split(" at ")[1].split(",")[0]
        with urlopen(address) as page:
            assert "<title>streamer</title>" in page.read().decode()
        with urlopen(f"{address}v1/overview") as answer:
            assert json.load(answer)["customers"] > 0
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (0, "")
    assert not left_behind(tmp_path)


OWN = """Rechnung;Kunde;Datum;Betrag;Währung
1;K1;02.01.2026;1.040,50;EUR
2;K1;03.02.2026;20,00;EUR
3;K2;04.02.2026;-5,00;EUR
4;K3;05.02.2026;30,00;EUR
"""
HOW = "customer=Kunde,order=Rechnung,date=Datum,amount=Betrag,currency=Währung"


def test_a_shops_own_file_is_scored_on_the_page(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text(OWN, encoding="utf-8")
    layout = ["--columns", HOW, "--date-format", "%d.%m.%Y", "--decimal-comma"]
    with started(tmp_path, "own.csv", *layout, "--stay") as process:
        assert process.stdout
        told = ""
        for line in process.stdout:
            told += line
            if "Look around at" in line:
                break
        address = told.split(" at ")[-1].split(",")[0]
        with urlopen(f"{address}v1/overview") as answer:
            overview = json.load(answer)
        with urlopen(f"{address}v1/customers/K1") as answer:
            customer = json.load(answer)
        process.send_signal(signal.SIGINT)
        assert (process.wait(timeout=30), overview["customers"]) == (0, 2)
    assert overview["currency"] == customer["ltv"]["currency"] == "EUR"
    assert (customer["ltv"]["historic_clv"], customer["ltv"]["orders"]) == ("1060.50", 2)
    words = " ".join(told.split())
    for part in ("values in EUR", "risk by formula", "1 dead letters: 1 invalid", "own.csv:4"):
        assert part in words
    assert not left_behind(tmp_path)


def test_a_file_that_cannot_be_read_is_told_before_anything_is_started(tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("customer,date,amount\na,2026-01-01,x\n")
    output, errors = started(tmp_path, "own.csv").communicate(timeout=30)
    assert errors.startswith("streamer: own.csv, line 2: cannot read 'x' as amount")
    assert "Kafka" not in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_that_the_demo_started_ends_with_it(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path) as process:
        assert process.stdout
        for line in process.stdout:
            if "a worker" in line:
                break
        assert len(left_behind(tmp_path)) >= 3
        process.send_signal(number)
        output, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "")
    assert "stopped" in output
    assert not left_behind(tmp_path)


def test_kill_9_leaves_nothing_of_the_demo_either(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        assert process.stdout
        for line in process.stdout:
            if "Kafka" in line:
                break
        process.kill()
    deadline = time.monotonic() + 60
    while left_behind(tmp_path) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not left_behind(tmp_path)
