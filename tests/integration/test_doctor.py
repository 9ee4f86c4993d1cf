"""Misconfigurations as they happen, and what the doctor says of them. Kafka is real."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from streamer.broker import EmbeddedCluster, EmbeddedKafka
from streamer.cli.doctor import examine
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
