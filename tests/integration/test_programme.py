"""The figures of the shop on a real Kafka: figures by hand, a killed worker, and a replay."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from streamer.broker import EmbeddedKafka
from tests.support.schemas import validator
from tests.support.stage import Stage, stage
from tests.support.topics import last_per_key, read_topic

TOLD_SECONDS_MAX = 60
IN_EACH_ARM = 40
RETURNED = {"control": 10, "offer": 20}
Measures = dict[str, dict[str, Any]]


def purchase(customer: str, day: str, amount: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"{customer}-{day}",
        "type": "purchase",
        "customer_id": customer,
        "occurred_at": f"{day}T12:00:00Z",
        "order_id": f"{customer}-{day}",
        "amount": amount,
        "currency": "USD",
        **fields,
    }


def january() -> Iterator[dict[str, Any]]:
    """80 customers buy: every other for 20 instead of 10 and from search instead of email.

    The control is told of with the purchases, the offer by events of its own.
    """
    for n in range(IN_EACH_ARM):
        fields = {"channel": ("email", "search")[n % 2]}
        arm = {"id": "free-shipping", "arm": "control"}
        yield purchase(f"c{n}", "2025-01-10", 10 + n % 2 * 10, experiment=arm, **fields)
        yield {
            "event_id": f"o{n}-exposed",
            "type": "experiment",
            "customer_id": f"o{n}",
            "occurred_at": "2025-01-10T11:00:00Z",
            "experiment_id": "free-shipping",
            "arm": "offer",
        }
        yield purchase(f"o{n}", "2025-01-10", 10 + n % 2 * 10, **fields)


def later() -> Iterator[dict[str, Any]]:
    """10 of the control and 20 of the offer buy again, for 30; in March somebody new, for 5."""
    for arm, number in RETURNED.items():
        for n in range(number):
            yield purchase(f"{arm[0]}{n}", "2025-02-05", 30)
    yield purchase("zoe", "2025-03-20", 5)


def lines(file: Path, events: Iterator[dict[str, Any]]) -> Path:
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file


def content(measure: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in measure.items() if name not in ("as_of", "measured_at")}


def replayed(corner: Stage, folder: Path) -> Measures:
    file = lines(folder / "all.jsonl", iter([*january(), *later()]))
    done = corner.command("replay", str(file), "--out", str(folder / "out"))
    assert done.returncode == 0, done.stderr
    told = (folder / "out" / "programme-measures.jsonl").read_text().splitlines()
    return {key_of(measure): measure for measure in map(json.loads, told)}


def key_of(measure: dict[str, Any]) -> str:
    kind = measure["measure"]
    if kind == "ideal_profile":
        return "profile:ideal"
    return f"{kind}:{measure['group' if kind == 'programme' else 'experiment']}"


async def published(corner: Stage) -> Measures:
    records = await read_topic(corner.bootstrap, f"{corner.prefix}programme-measures")
    return {
        (key or b"").decode(): json.loads(record.value)
        for key, record in last_per_key(records).items()
        if record.value is not None
    }


async def until_told(corner: Stage, customers: int) -> Measures:
    """Wait until so many customers are published."""
    async with asyncio.timeout(TOLD_SECONDS_MAX):
        while True:
            corner.check_alive()
            measures = await published(corner)
            if measures and measures["programme:all"]["figures"]["customers"] == customers:
                return measures
            await asyncio.sleep(0.2)


async def until_same(corner: Stage, expected: Measures) -> Measures:
    measures: Measures = {}
    async with asyncio.timeout(TOLD_SECONDS_MAX):
        while {key: content(one) for key, one in measures.items()} != {
            key: content(one) for key, one in expected.items()
        }:
            corner.check_alive()
            await asyncio.sleep(0.2)
            measures = await published(corner)
    return measures


async def test_a_shop_s_figures_survive_a_kill_and_are_those_by_hand(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    with stage(
        kafka.bootstrap,
        tmp_path,
        partitions=2,
        clock="stream",
        programme_interval_seconds=0.3,
    ) as corner:
        expected = replayed(corner, tmp_path)
        check_groups(expected)
        check_programme(expected)
        check_values(expected, tmp_path / "out")
        check_experiment(expected["experiment:free-shipping"])
        worker = corner.worker("worker")
        assert corner.command("send", str(lines(tmp_path / "1", january()))).returncode == 0
        worker.start()
        await worker.ready()
        await until_told(corner, 2 * IN_EACH_ARM)
        assert corner.command("send", str(lines(tmp_path / "2", later()))).returncode == 0
        worker.kill()
        worker.start()
        measures = await until_same(corner, expected)
        assert measures["programme:all"]["as_of"] == expected["programme:all"]["as_of"]
        for measure in measures.values():
            validator("programme-measure.json").validate(measure)
        check_shown(corner, measures)
        _, text = await worker.get("/metrics")
        assert "streamer_programme_customers 81.0" in text
        assert await worker.stop() == 0


def check_groups(measures: Measures) -> None:
    groups = ("all", "channel:email", "channel:search")
    segments = {key for key in measures if key.startswith("programme:segment:")}
    assert measures.keys() - segments == {
        *(f"programme:{one}" for one in groups), "experiment:free-shipping", "profile:ideal",
    }  # fmt: skip
    members = {
        name: measures[f"programme:segment:{name}"]["figures"]["customers"]
        for name in ("everyone", "repeat_buyers", "one_time_buyers")
    }
    assert members == {"everyone": 81, "repeat_buyers": 30, "one_time_buyers": 51}
    profile = measures["profile:ideal"]
    assert (profile["customers"], profile["traits"]) == (30, None), "a tenth of 30 is too few"


def check_programme(measures: Measures) -> None:
    everyone = measures["programme:all"]
    assert (everyone["as_of"], everyone["currency"]) == ("2025-03-20T12:00:00Z", "USD")
    figures = everyone["figures"]
    in_january, in_february, in_march = 40 * 10 + 40 * 20, 30 * 30, 5
    assert figures["average_order_value"] == f"{(in_january + in_february + in_march) / 111:.2f}"
    assert (figures["customers"], figures["repeat_customers"], figures["orders"]) == (81, 30, 111)
    months = {month["month"]: month for month in everyone["months"]}
    assert [months[one]["customers"] for one in ("2025-01", "2025-02", "2025-03")] == [80, 30, 1]
    assert [months[one]["new_customers"] for one in ("2025-01", "2025-02", "2025-03")] == [80, 0, 1]
    assert (months["2025-02"]["retention_rate"], months["2025-02"]["churn_rate"]) == (0.375, 0.625)
    assert months["2025-03"]["retention_rate"] == 0.0
    assert [months[one]["revenue"] for one in ("2025-02", "2025-03")] == ["900.00", "5.00"]
    first, last = everyone["cohorts"]
    assert (first["cohort"], first["figures"]["customers"]) == ("2025-01", 80)
    assert [month["customers"] for month in first["months"]] == [80, 30, 0]
    assert (last["cohort"], last["figures"]["customers"]) == ("2025-03", 1)
    email = measures["programme:channel:email"]["figures"]
    # Every other customer: 20 of each arm, of whom 5 and 10 bought again.
    assert (email["customers"], email["repeat_customers"], email["orders"]) == (40, 15, 55)
    assert email["average_order_value"] == f"{(40 * 10 + 15 * 30) / 55:.2f}"


def check_values(measures: Measures, folder: Path) -> None:
    """CLV is the mean of what was said last of who has bought on two days."""
    updates = map(json.loads, (folder / "ltv-updates.jsonl").read_text().splitlines())
    last = {update["customer_id"]: update["formula_ltv"] for update in updates}
    values = [float(value) for value in last.values() if value is not None]
    figures = measures["programme:all"]["figures"]
    assert figures["valued_customers"] == len(values) == 30
    assert float(figures["clv"]) == pytest.approx(sum(values) / 30, abs=0.011)


def check_experiment(measure: dict[str, Any]) -> None:
    assert measure["arms"] == {"control": 40, "offer": 40}
    assert measure["trustworthy"]
    assert measure["sample_ratio"]["p"] == 1.0
    ((order_value, retention, ltv),) = [one["uplifts"] for one in measure["comparisons"]]
    # 20 * 10 + 20 * 20, and 30 for each who came back.
    assert order_value["control"] == pytest.approx((600 + 300) / 50)
    assert order_value["treatment"] == pytest.approx((600 + 600) / 60)
    assert (retention["control"], retention["treatment"]) == (0.25, 0.5)
    assert retention["difference"] == 0.25
    assert retention["always_valid_low"] < 0 < retention["low"]
    assert retention["verdict"] == "not_significant"
    assert "not significant, +25.00 points" in retention["sentence"]
    assert (ltv["verdict"], ltv["customers_control"]) == ("too_little_data", 10)


def check_shown(corner: Stage, measures: Measures) -> None:
    """The commands read the topic as any subscriber does."""
    told: Measures = {}
    for command in ("programme", "experiments", "ideal"):
        done = corner.command(command, "--json")
        assert done.returncode == 0, done.stderr
        shown = json.loads(done.stdout)
        shown = shown if isinstance(shown, list) else [shown]
        told |= {key_of(measure): measure for measure in shown}
    assert told == measures
    table = corner.command("programme", "--group", "channel:email").stdout
    assert "channel:search" in table
    assert "2025-02" in table
    assert "not significant" in corner.command("experiments").stdout
    missing = corner.command("programme", "--group", "nobody")
    assert (missing.returncode, "channel:email" in missing.stderr) == (1, True)
