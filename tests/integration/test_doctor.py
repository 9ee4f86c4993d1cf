"""Misconfigurations as they happen, and what the doctor says of them. Kafka is real."""

import asyncio
import json
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streamer.broker import EmbeddedCluster, EmbeddedKafka
from streamer.cli.doctor import examine, quorum
from streamer.cli.doctor.cluster import SKEW_SECONDS_MAX
from streamer.cli.doctor.verdicts import Verdict
from streamer.engine.models import publish
from streamer.settings import Settings, load_settings
from tests.support.models import model_params
from tests.support.safe import ROOT, SafeKafka
from tests.support.stage import Stage, stage

CHANGED_SECONDS_MAX = 60
"""A broker hears of a change from the controller, after the administrator's answer."""


def settings_of(corner: Stage, **changes: Any) -> Settings:
    """Return what a command on this stage goes by."""
    return load_settings(**{**corner.settings, **changes})


async def found(settings: Settings) -> dict[str, list[Verdict]]:
    by_check: dict[str, list[Verdict]] = {}
    for verdict in await examine(settings):
        assert verdict.ok != bool(verdict.remedy), verdict
        by_check.setdefault(verdict.check, []).append(verdict)
    return by_check


async def test_topics_that_were_changed_by_hand_are_named(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=2) as corner:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
        await admin.start()
        try:
            await admin.create_partitions({f"{corner.prefix}referrals": NewPartitions(3)})
            changelog = f"{corner.prefix}customers-changelog"
            policy = {"cleanup.policy": "delete"}
            await admin.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, changelog, configs=policy)]
            )
        finally:
            await admin.close()
        told: dict[str, str] = {}
        async with asyncio.timeout(CHANGED_SECONDS_MAX):
            while len(told) < 2:
                verdicts = (await found(settings_of(corner)))["topics"]
                told = {verdict.text: verdict.remedy for verdict in verdicts}
    assert f"{corner.prefix}referrals: has 3 partitions, not 2" in told
    assert "cleanup.policy=compact" in told[f"{changelog}: has cleanup.policy=delete, not compact"]


async def test_a_model_of_long_ago_is_told_of(kafka: EmbeddedKafka, tmp_path: Path) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=1) as corner:
        settings = settings_of(corner)
        (none,) = (await found(settings))["model"]
        assert none.ok
        assert "by formula" in none.text
        for days, generation in ((5, 1), (200, 2)):
            fitted_at = datetime.now(UTC) - timedelta(days=days, hours=1)
            model = model_params(fitted_at=fitted_at, generation=generation, currency="USD")
            await publish(settings, model)
            (verdict,) = (await found(settings))["model"]
            assert f"fitted {days} days ago" in verdict.text
            assert verdict.ok == (days == 5)
            assert ("STREAMER_FIT_INTERVAL_HOURS=24" in verdict.remedy) == (days == 200)
            (asked,) = (await found(settings_of(corner, fit_interval_hours=24)))["model"]
            assert "every 24 hours" in asked.text
            assert "partition 0" in asked.remedy


async def test_a_single_replica_on_several_brokers_is_told_of(tmp_path: Path) -> None:
    with EmbeddedCluster(tmp_path / "kafka", size=2) as cluster:
        with stage(cluster.bootstrap, tmp_path, partitions=1, replication_factor=1) as corner:
            (single,) = (await found(settings_of(corner)))["replication"]
            assert "of one replica on 2 brokers" in single.text
            assert "STREAMER_REPLICATION_FACTOR=2" in single.remedy
        with stage(cluster.bootstrap, tmp_path, partitions=1, replication_factor=2) as corner:
            (double,) = (await found(settings_of(corner)))["replication"]
            assert double.ok
            assert double.text.startswith("2 replicas")


async def test_a_wrong_password_is_told_of(safe_kafka: SafeKafka) -> None:
    right = safe_kafka.loaded(ROOT)
    (let_in,) = (await found(right))["access"]
    assert let_in.ok
    (refused,) = (await found(safe_kafka.loaded(ROOT, sasl_password="wrong")))["access"]
    assert "does not accept the password" in refused.text
    assert "STREAMER_SASL_PASSWORD" in refused.remedy


@pytest.mark.parametrize(("ahead", "word"), [(3600.0, "ahead of"), (-30.0, "behind")])
async def test_a_wrong_clock_is_told_of(
    kafka: EmbeddedKafka,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ahead: float,
    word: str,
) -> None:
    """The brokers' clock is the real one; no test may set this machine's, so only ours is moved."""
    moved = SimpleNamespace(time=lambda: time.time() + ahead)
    monkeypatch.setattr(quorum, "time", moved)
    (verdict,) = (await found(load_settings(brokers=kafka.bootstrap, data_dir=tmp_path)))["clock"]
    assert not verdict.ok
    assert word in verdict.text
    assert abs(float(verdict.text.split()[0]) - abs(ahead)) < SKEW_SECONDS_MAX
    assert "NTP" in verdict.remedy


async def test_records_that_wait_though_there_is_a_worker_are_told_of(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with stage(kafka.bootstrap, tmp_path, partitions=1) as corner:
        topic, group = f"{corner.prefix}purchases", str(corner.settings["group_id"])
        (idle,) = (await found(settings_of(corner)))["group"]
        assert "0 workers, nothing behind" in idle.text
        assert "start `streamer worker`" in idle.remedy
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)
        # A member of the group that gets nothing done, as a worker that hangs.
        member = AIOKafkaConsumer(
            topic, bootstrap_servers=kafka.bootstrap, group_id=group, enable_auto_commit=False
        )
        await producer.start()
        await member.start()
        try:
            written_ms = round(time.time() * 1000) - 600_000
            await producer.send_and_wait(topic, b"{}", b"ann", timestamp_ms=written_ms)
            (lag,) = (await found(settings_of(corner)))["group"]
        finally:
            await producer.stop()
            await member.stop()
    assert "1 worker, 1 record behind, the oldest written 60" in lag.text
    assert "add workers" in lag.remedy


def test_a_disk_that_is_full_is_told_of(tmp_path: Path) -> None:
    """A real one, of two megabytes, that only the process which asks can see."""
    code = (
        "import sys, msgspec\n"
        "from streamer.cli.doctor.verdicts import disk\n"
        "from streamer.settings import Settings\n"
        "print(msgspec.json.encode(disk(Settings(data_dir=sys.argv[1]))).decode())\n"
    )
    own = ["unshare", "--map-root-user", "--mount"]
    mount = 'mount -t tmpfs -o size=2m tmpfs "$1"'
    if subprocess.run([*own, "sh", "-c", mount, "sh", tmp_path], check=False).returncode:
        pytest.skip("this system lets nobody mount a file system of his own")
    script = f'{mount} && dd if=/dev/zero of="$1/data" bs=64k 2>/dev/null; exec "$2" -c "$3" "$1"'
    done = subprocess.run(
        [*own, "sh", "-c", script, "sh", tmp_path, sys.executable, code],
        capture_output=True,
        text=True,
        check=True,
    )
    verdict = json.loads(done.stdout)
    assert not verdict["ok"]
    assert verdict["text"] == f"0.0 GiB free under {tmp_path}"
    assert "STREAMER_DATA_DIR" in verdict["remedy"]


def test_a_codec_that_is_not_installed_is_told_of() -> None:
    code = """
import sys
sys.modules["cramjam"] = None  # as if the extras of aiokafka were not installed
import msgspec
from streamer.cli.doctor.verdicts import codecs
print(msgspec.json.encode(codecs()).decode())
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    verdict = json.loads(done.stdout)
    assert not verdict["ok"]
    assert verdict["text"].startswith("snappy, lz4, zstd cannot be read")
    assert "aiokafka[lz4,snappy,zstd]" in verdict["remedy"]
