"""The worker as its users see it: commands, topics, HTTP, signals. Kafka is real."""

import asyncio
import json
import socket
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from prometheus_client.parser import text_string_to_metric_families

from streamer.broker import EmbeddedKafka
from streamer.simulate import (
    AcquisitionCosts,
    Basket,
    Disturbances,
    Experiments,
    FollowUp,
    Payments,
    Profiles,
    Ratings,
    Refunds,
    Shares,
    Shop,
    disturb,
    simulate,
)
from tests.support.audit import auditing
from tests.support.cluster import without
from tests.support.load import send_all, wire_of
from tests.support.oracle import count
from tests.support.play import EXPLAINED
from tests.support.stage import Stage, stage
from tests.support.topics import read_topic
from tests.support.verdict import DAY_MICROS, decoded, micros

SCORES = ("ltv-updates", "churn-risk-updates")
ANNOUNCED = ("segment-changes", "recommended-actions")
COMPACTED = {
    *SCORES, *ANNOUNCED, "customers-changelog", "model-params", "programme-measures",
    "programme-partials",
}  # fmt: skip
INPUTS = {"purchases", "referrals", "interactions"}
STOP_SECONDS_MAX = 30
"""What deploy/ gives a worker to end in."""

PLAIN = Basket()
FULL = Basket(0.5, categories=4, due_days=20, checkout_seconds=90, coupon_rate=0.3)
MORE = (
    Payments(0.7),
    AcquisitionCosts(9.0),
    Ratings(0.4),
    Shares(0.4),
    Profiles(0.4),
    Experiments(0.4),
)
Sequences = dict[str, list[dict[str, Any]]]


def write_lines(file: Path, values: Iterable[bytes]) -> Path:
    file.write_bytes(b"".join(value + b"\n" for value in values))
    return file


def a_year(
    seed: int,
    referral_rate: float = 0.0,
    more: tuple[FollowUp, ...] = (),
    basket: Basket = PLAIN,
    **disturbances: float,
) -> list[bytes]:
    """Return the events of a small shop in the order of their times."""
    shop = Shop(
        customers=50,
        basket=basket,
        referral_rate=referral_rate,
        channels=2,
        follow_ups=(Refunds(0.2), *more),
    )
    wires = disturb(simulate(shop, seed), Disturbances(**disturbances), seed)
    return [wire.value for wire in wires]


async def configuration_of(admin: AIOKafkaAdminClient, topic: str) -> dict[str, str]:
    resource = ConfigResource(ConfigResourceType.TOPIC, topic)
    (response,) = await admin.describe_configs([resource])
    return {entry[0]: entry[1] for entry in response.resources[0][4]}


async def test_topics_are_made_once_and_as_needed(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    corner = Stage(kafka.bootstrap, tmp_path, {"partitions": 3})
    first, second = corner.create_topics(), corner.create_topics()
    assert first.count("created") == len(first.splitlines()) - 1 >= 9
    assert second.count("created") == 0
    assert corner.command("topics", "check").returncode == 0
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        ours = [name for name in await admin.list_topics() if name.startswith(corner.prefix)]
        assert {*INPUTS, *COMPACTED, "dead-letters", "rekeyed", "referral-credits"} <= {
            name.removeprefix(corner.prefix) for name in ours
        }
        for topic in await admin.describe_topics(ours):
            name = topic["topic"].removeprefix(corner.prefix)
            settings = await configuration_of(admin, topic["topic"])
            policy = "compact" if name in COMPACTED else "delete"
            assert (len(topic["partitions"]), settings["cleanup.policy"]) == (3, policy), name
    finally:
        await admin.close()


async def test_topics_that_do_not_fit_are_named(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    corner = Stage(kafka.bootstrap, tmp_path, {"partitions": 2})
    missing = corner.command("topics", "check")
    assert missing.returncode == 1
    assert f"{corner.prefix}purchases is missing" in " ".join(missing.stdout.split())
    corner.create_topics()
    corner.settings["partitions"] = 5
    wrong = corner.command("topics", "check")
    assert wrong.returncode == 1
    assert "has 2 partitions, not 5" in wrong.stdout


def test_a_taken_port_is_told_of_in_one_sentence(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with stage(kafka.bootstrap, tmp_path, create_topics=True, http_port=port) as play:
            refused = play.command("worker")
    assert refused.returncode == 1
    assert f"streamer: port {port} on 127.0.0.1 is taken" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr


async def test_events_of_a_file_are_scored_and_a_restart_goes_on(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    values = a_year(1, referral_rate=0.3)
    half = len(values) // 2
    with stage(kafka.bootstrap, tmp_path, partitions=3, clock="stream") as corner:
        worker = corner.worker("worker")
        async with auditing(corner) as audit:
            for part in (values[:half], values[half:]):
                sent = corner.command("send", str(write_lines(tmp_path / "events", part)))
                assert (sent.returncode, sent.stderr.strip()) == (0, "")
                assert f"{len(part)} events" in sent.stdout
                worker.start()
                await worker.ready()
                await audit.consumed()
                assert (await worker.get("/livez"))[0] == 200
                await check_metrics((await worker.get("/metrics"))[1])
                assert await worker.stop(STOP_SECONDS_MAX) == 0, worker.told("did not end well")
        audit.check(count(values))
        assert not audit.dead_letters


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
async def test_processes_of_one_worker_share_the_work(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    values = a_year(4, referral_rate=0.3)
    with stage(kafka.bootstrap, tmp_path, processes=2, clock="stream") as corner:
        assert corner.command("send", str(write_lines(tmp_path / "events", values))).returncode == 0
        worker = corner.worker("worker")
        async with auditing(corner) as audit:
            worker.start()
            await worker.ready()
            await audit.consumed()
            first = children_of(worker.pid)
            worker.kill()
            await asyncio.to_thread(wait_for_end, first)
            worker.start()
            await worker.ready()
            second = children_of(worker.pid)
            assert await worker.stop() == 0, worker.told("did not end well")
            await asyncio.to_thread(wait_for_end, second)
        assert (len(first), len(second)) == (2, 2)
        audit.check(count(values))


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def wait_for_end(pids: Iterable[int], seconds_max: float = 30) -> None:
    deadline = time.monotonic() + seconds_max
    while left := [pid for pid in pids if Path(f"/proc/{pid}").exists()]:
        assert time.monotonic() < deadline, f"{left} outlive their parent"
        time.sleep(0.05)


async def check_metrics(text: str) -> None:
    """Whatever is exposed can be parsed and is named as the conventions have it."""
    families = list(text_string_to_metric_families(text))
    ours = [family for family in families if family.name.startswith("streamer_")]
    assert ours
    for family in ours:
        assert family.documentation, family.name
        assert not family.name.endswith(("_ms", "_milliseconds")), family.name
        for sample in family.samples:
            assert "customer" not in sample.labels


# -- replay and live --------------------------------------------------------------------------


async def live(corner: Stage, file: Path) -> dict[str, list[dict[str, Any]]]:
    """Send a file to a worker and return all that it committed, by topic."""
    assert corner.command("send", str(file)).returncode == 0
    async with auditing(corner) as audit:
        with corner.worker("worker") as worker:
            await worker.ready()
            await audit.consumed()
            assert await worker.stop() == 0, worker.told("did not end well")
            await audit.read()
    found = {"dead-letters": [told_of(letter) for letter in audit.dead_letters]}
    for topic in (*SCORES, *ANNOUNCED):
        records = await read_topic(corner.bootstrap, corner.prefix + topic)
        found[topic] = [decoded(record.value) for record in records]
    return found


def told_of(letter: ConsumerRecord) -> dict[str, Any]:
    headers = {name.removeprefix("streamer.error."): raw.decode() for name, raw in letter.headers}
    return headers | {name: int(headers[name]) for name in ("partition", "offset", "attempt")}


def replayed(corner: Stage, file: Path) -> dict[str, list[dict[str, Any]]]:
    """Replay a file without Kafka and return what it wrote."""
    out = corner.folder / "out"
    done = corner.command("replay", str(file), "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    return {
        topic: [json.loads(line) for line in (out / f"{topic}.jsonl").read_text().splitlines()]
        for topic in (*SCORES, *ANNOUNCED, "dead-letters")
    }


def by_customer(scores: Iterable[dict[str, Any]], *apart_from: str) -> Sequences:
    sequences: Sequences = defaultdict(list)
    for score in scores:
        compared = {k: v for k, v in score.items() if k not in {"scored_at", *apart_from}}
        if "null_reasons" in compared:
            compared["null_reasons"] = without(compared["null_reasons"], *apart_from)
        sequences[score["customer_id"]].append(compared)
    return sequences


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_replay_says_what_the_worker_said(
    kafka: EmbeddedKafka, tmp_path: Path, partitions: int
) -> None:
    values = a_year(2, more=(Payments(0.7),), basket=FULL, duplicate_rate=0.1, poison_rate=0.1)
    file = write_lines(tmp_path / "events.jsonl", values)
    settings = {"partitions": partitions, "clock": "stream", "emit": "every_event"}
    with stage(kafka.bootstrap, tmp_path, **settings) as corner:
        said, again = await live(corner, file), replayed(corner, file)
    for topic in (*SCORES, *ANNOUNCED):
        first, second = (by_customer(one[topic]) for one in (said, again))
        assert second.keys() == first.keys()
        for customer_id, scores in first.items():
            assert second[customer_id] == scores
    place = itemgetter("topic", "partition", "offset")
    letters = [sorted(one["dead-letters"], key=place) for one in (said, again)]
    for letter, same in zip(*letters, strict=True):
        assert {name: same[name] for name in letter} == letter | {"failed_at": same["failed_at"]}


@pytest.mark.parametrize("partitions", [1, 3])
async def test_a_replay_ends_where_the_worker_ended(
    kafka: EmbeddedKafka, tmp_path: Path, partitions: int
) -> None:
    values = a_year(3, referral_rate=0.4, more=MORE, basket=FULL)
    file = write_lines(tmp_path / "events.jsonl", values)
    settings = {
        "partitions": partitions,
        "clock": "stream",
        "emit": "latest",
        "loyalty_tiers": '{"bronze": 0, "silver": 90, "gold": 300}',
        "loyalty_points_per_share": 20,
        "catalogue_categories": '["category-0", "category-1", "category-2", "category-3"]',
        "low_order_value": 30,
    }
    with stage(kafka.bootstrap, tmp_path, **settings) as corner:
        said, again = await live(corner, file), replayed(corner, file)
    for topic in SCORES:
        # Two friends' purchases reach the one who brought them in any order, and a change of tier
        # is told from score to score.
        tiers = "previous_loyalty_tier", "loyalty_tier_change"
        apart = "cause", "reasons", *tiers, *EXPLAINED
        last, same = (by_customer(one[topic], *apart) for one in (said, again))
        assert {name: scores[-1] for name, scores in last.items()} == {
            name: scores[-1] for name, scores in same.items()
        }
    members, same_members = (by_customer(one["segment-changes"]) for one in (said, again))
    assert {name: changes[-1]["segments"] for name, changes in members.items()} == {
        name: changes[-1]["segments"] for name, changes in same_members.items()
    }
    figures = "orders_paid", "unpaid_orders_overdue", "checkout_seconds_average", "next_category"
    values_told = by_customer(said["ltv-updates"])
    for name in (*figures, "margin_rate", "widen_basket", "discounted_orders"):
        assert any(scores[-1].get(name) for scores in values_told.values()), name


# -- silence ----------------------------------------------------------------------------------


async def test_silence_is_told_of_without_any_event(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    silence = timedelta(days=60)  # half of the first gaps are over by then
    with stage(kafka.bootstrap, tmp_path, partitions=1, silence_grace_seconds=1) as corner:
        async with auditing(corner) as audit:
            with corner.worker("worker") as worker:
                await worker.ready()
                crossing = datetime.now(UTC) + timedelta(seconds=4)
                event = {
                    "event_id": "e1",
                    "type": "purchase",
                    "customer_id": "c1",
                    "occurred_at": (crossing - silence).isoformat(),
                    "order_id": "o1",
                    "amount": "10.00",
                    "currency": "USD",
                }
                await send_all(kafka.bootstrap, [wire_of(event)], corner.prefix)
                await audit.wait_for(lambda: audit.silences["c1"], 60, "silence was not told of")
                await asyncio.sleep(2)
                await audit.read()
    (score,) = audit.silences["c1"]
    assert (score["previous_risk_band"], score["risk_band"]) == ("low", "medium")
    expected = micros(event["occurred_at"]) + 60 * DAY_MICROS
    assert micros(score["as_of"]) == pytest.approx(expected, abs=2, rel=0)
    assert audit.last["churn-risk-updates"]["c1"] == score
