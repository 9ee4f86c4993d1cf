"""A model is fitted to what is on Kafka, published, adopted without a restart. Kafka is real."""

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from streamer.broker import EmbeddedKafka
from streamer.simulate import Refunds, Shop, simulate
from tests.support.audit import Audit, auditing
from tests.support.oracle import count
from tests.support.stage import Stage, stage
from tests.support.topics import read_topic
from tests.support.verdict import decoded

CUSTOMERS = 400
ADOPTED_SECONDS_MAX = 60


def events(seed: int, customers: int = CUSTOMERS) -> list[bytes]:
    shop = Shop(
        customers=customers,
        start=datetime(2024, 1, 1, tzinfo=UTC),
        days=700,
        acquisition_days=300,
        channels=3,
        follow_ups=(Refunds(0.1),),
    )
    return [json.dumps(event).encode() for event in simulate(shop, seed)]


def written(values: list[bytes], folder: Path) -> Path:
    file = folder / "events.jsonl"
    file.write_bytes(b"\n".join(values) + b"\n")
    return file


def fitted(corner: Stage, *options: str) -> dict[str, Any]:
    done = corner.command("fit", "--from-kafka", "--json", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report


async def scored_by(corner: Stage, version: str) -> list[dict[str, Any]]:
    """Return all LTV updates once each customer's last is by the model ``version``."""
    async with asyncio.timeout(ADOPTED_SECONDS_MAX):
        while True:
            corner.check_alive()
            records = await read_topic(corner.bootstrap, f"{corner.prefix}ltv-updates")
            updates = [decoded(record.value) for record in records]
            last = {update["customer_id"]: update for update in updates}
            if last and {update["model_version"] for update in last.values()} == {version}:
                return updates
            await asyncio.sleep(0.2)


@pytest.mark.parametrize("killed", [False, True])
async def test_a_fit_on_kafka_is_that_of_the_file_and_scores_everyone_once(
    kafka: EmbeddedKafka, tmp_path: Path, killed: bool
) -> None:
    values = events(7)
    file = written(values, tmp_path)
    rate = 40 if killed else 2_000
    with stage(
        kafka.bootstrap, tmp_path, partitions=2, clock="stream", rescore_per_second=rate
    ) as corner:
        assert corner.command("send", str(file)).returncode == 0
        worker = corner.worker("worker")
        async with auditing(corner) as audit:
            worker.start()
            await worker.ready()
            await audit.consumed()
            model = fitted(corner)
            assert model["published"]
            assert model["profile"]["traits"]["channel"].keys() == {
                "channel-0",
                "channel-1",
                "channel-2",
            }
            check_against_file(corner, file, model)
            if killed:
                await some_scored_anew(audit)
                worker.kill()
                worker.start()
                await worker.ready()
            updates = await scored_by(corner, model["model_version"])
            await check_told(worker.get, corner, model)
            assert await worker.stop() == 0
            await audit.consumed()
        audit.check(count(values))
        check_scored_once(updates, audit)


def check_scored_once(updates: list[dict[str, Any]], audit: Audit) -> None:
    anew = [update for update in updates if update["cause"]["kind"] == "model"]
    assert Counter(update["customer_id"] for update in anew) == Counter(audit.rows.keys())
    for update in anew:
        low, mean, high = (float(update[f"predicted_clv{end}"]) for end in ("_low", "", "_high"))
        assert 0 <= low <= high
        assert mean >= 0
        assert update["predicted_clv_basis"] == "revenue"
        assert 0 < update["profile_closeness"] < 1
        assert {one["trait"] for one in update["profile_traits"]} <= {"channel", "rhythm"}


def check_against_file(corner: Stage, file: Path, model: dict[str, Any]) -> None:
    """The rows hold what a fit needs: the parameters are those of the whole file."""
    until = model["data_until"][:10]
    done = corner.command(
        "fit", str(file), "--time-unit", "day", "--calibration-end", until, "--json"
    )
    report = json.loads(done.stdout)
    assert model["customers"] == report["customers"] == CUSTOMERS
    assert model["repeat_customers"] == report["repeat_customers"]
    assert model["parameters"] == pytest.approx(report["parameters"], rel=1e-6)
    assert model["log_likelihood"] == pytest.approx(report["log_likelihood"], rel=1e-9)


async def some_scored_anew(audit: Audit) -> None:
    async with asyncio.timeout(ADOPTED_SECONDS_MAX):
        while not any(
            score["cause"]["kind"] == "model" for score in audit.last["ltv-updates"].values()
        ):
            await audit.read()
            await asyncio.sleep(0.05)


async def check_told(get: Any, corner: Stage, model: dict[str, Any]) -> None:
    records = await read_topic(corner.bootstrap, f"{corner.prefix}programme-measures")
    (record,) = [record for record in records if record.key == b"model_calibration"]
    measure = decoded(record.value)
    assert measure["measure"] == "model_calibration"
    assert measure["figures"] == model["check"]
    _, text = await get("/metrics")
    assert f"streamer_model_generation {float(model['generation'])}" in text
    assert f'streamer_model_info{{version="{model["model_version"]}"}} 1.0' in text
    assert 'streamer_calibration_auc_ratio{by="recency"}' in text
    told = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(told["streamer_calibration_error_ratio"]) > 0  # not known is NaN
    fitted_at = datetime.fromisoformat(model["fitted_at"]).timestamp()
    assert float(told["streamer_model_fitted_timestamp_seconds"]) == pytest.approx(fitted_at)


async def test_a_second_model_replaces_the_first_and_a_dry_run_changes_nothing(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    file = written(events(8), tmp_path)
    with stage(kafka.bootstrap, tmp_path, partitions=2, clock="stream") as corner:
        assert corner.command("send", str(file)).returncode == 0
        worker = corner.worker("worker")
        worker.start()
        await worker.ready()
        async with auditing(corner) as audit:
            await audit.consumed()
        first = fitted(corner)
        await scored_by(corner, first["model_version"])
        tried = fitted(corner, "--dry-run", "--model", "bg_nbd")
        assert (tried["published"], tried["generation"]) == (False, 2)
        second = fitted(corner, "--model", "pareto_nbd")
        assert second["generation"] == 2
        updates = await scored_by(corner, second["model_version"])
        assert tried["model_version"] not in {update["model_version"] for update in updates}
        revisions: dict[str, int] = {}
        for update in updates:
            assert update["revision"] > revisions.get(update["customer_id"], 0)
            revisions[update["customer_id"]] = update["revision"]
        assert await worker.stop() == 0


async def test_a_small_shop_stays_with_the_formula_and_says_why(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    file = written(events(9, customers=12), tmp_path)
    with stage(
        kafka.bootstrap, tmp_path, partitions=2, clock="stream", fit_interval_hours=0.002
    ) as corner:
        assert corner.command("send", str(file)).returncode == 0
        worker = corner.worker("worker")
        worker.start()
        await worker.ready()
        async with asyncio.timeout(ADOPTED_SECONDS_MAX):
            while not (
                records := await read_topic(corner.bootstrap, f"{corner.prefix}model-params")
            ):
                corner.check_alive()
                await asyncio.sleep(0.2)
        model = decoded(records[0].value)
        assert model["model"] == model["model_version"] == "formula"
        assert "a fit needs 30 repeat customers" in model["reason"]
        assert await worker.stop() == 0
