"""One small shop's story on a real Kafka: every type of event, every row's figures by hand.

docs/rows/README.md says what the rows are. The story is ``tests/support/shop_story.py``, what must
be said of it ``tests/support/shop_figures.py``.
"""

import asyncio
import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from math import erfc, sqrt
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from streamer.broker import EmbeddedKafka
from tests.support.audit import auditing
from tests.support.cluster import Score, without
from tests.support.models import model_params
from tests.support.play import EXPLAINED
from tests.support.shop_figures import (
    CLV,
    NET,
    OF_RISK,
    OF_VALUE,
    ORDERS,
    REPEATS,
    SCORED,
    V14,
    V15,
    V16_MONTHS,
    Figures,
)
from tests.support.shop_story import (
    DAY_0,
    END,
    NAMES,
    SEGMENTS,
    SETTINGS,
    Event,
    beginning,
    chapters,
    encore,
    ending,
)
from tests.support.stage import Stage, stage
from tests.support.textbook import Buyer, gamma_gamma
from tests.support.topics import last_per_key, read_topic

TOLD_SECONDS_MAX = 90
TOPICS = ("ltv-updates", "churn-risk-updates", "segment-changes", "recommended-actions")
BY_ARRIVAL = (  # what depends on what came last
    "cause", "scored_at", "reasons", "loyalty_tier_change", "previous_loyalty_tier", *EXPLAINED,
)  # fmt: skip
TYPES = {
    "purchase", "refund", "payment", "referral", "rating", "share", "acquisition_cost", "profile",
    "experiment",
}  # fmt: skip
Told = dict[str, dict[str, Any]]


def test_the_story_has_every_type_of_event() -> None:
    assert {event["type"] for event in beginning()} == TYPES
    assert len(NAMES) == 12


async def test_a_shop_s_story_gives_the_figures_computed_by_hand(
    kafka: EmbeddedKafka, tmp_path: Path
) -> None:
    own = tmp_path / "segments.toml"
    own.write_text(SEGMENTS, encoding="utf-8")
    with stage(kafka.bootstrap, tmp_path, **SETTINGS, segments_file=own) as corner:
        worker = corner.worker("worker")
        worker.start()
        await worker.ready()
        async with auditing(corner) as audit:
            for part in chapters():
                send(corner, part)
                await audit.consumed()
            (letter,) = audit.dead_letters
        assert dict(letter.headers)["streamer.error.reason"] == b"self_referral"
        told = {topic: await last_told(corner, topic) for topic in TOPICS}
        check_value_and_risk(told)
        check_marketing(told)
        check_sizing(corner)
        check_shop(await until_measured(corner))
        check_same(told, replayed(corner))
        await check_model(corner)
        assert await worker.stop() == 0


# -- sending and reading ------------------------------------------------------------------------


def lines(file: Path, events: Iterable[Event]) -> Path:
    file.write_text("".join(json.dumps(event) + "\n" for event in events))
    return file


def send(corner: Stage, events: Iterable[Event]) -> None:
    done = corner.command("send", str(lines(corner.folder / "events.jsonl", events)))
    assert done.returncode == 0, done.stderr


async def last_told(corner: Stage, topic: str) -> Told:
    records = await read_topic(corner.bootstrap, corner.prefix + topic)
    return {
        (key or b"").decode(): json.loads(record.value)
        for key, record in last_per_key(records).items()
        if record.value is not None
    }


async def until_measured(corner: Stage) -> Told:
    """Return the measures once they reach the end of the story."""
    async with asyncio.timeout(TOLD_SECONDS_MAX):
        while True:
            corner.check_alive()
            measures = await last_told(corner, "programme-measures")
            everyone = measures.get("programme:all", {}).get("figures", {})
            if everyone.get("orders") == sum(ORDERS.values()) and everyone["clv"] == f"{CLV:.2f}":
                return measures
            await asyncio.sleep(0.2)


def replayed(corner: Stage) -> dict[str, Told]:
    file, out = lines(corner.folder / "all.jsonl", beginning() + ending()), corner.folder / "out"
    done = corner.command("replay", str(file), "--out", str(out))
    assert done.returncode == 0, done.stderr
    return {
        topic: {
            one["customer_id"]: one
            for one in map(json.loads, (out / f"{topic}.jsonl").read_text().splitlines())
        }
        for topic in TOPICS
    }


def day_of(text: str | None) -> float | None:
    return None if text is None else (datetime.fromisoformat(text) - DAY_0).total_seconds() / 86_400


# -- V1, V2, V4 to V12, V19 -----------------------------------------------------------------------


def check_value_and_risk(told: dict[str, Told]) -> None:
    for topic, rows in (("ltv-updates", OF_VALUE), ("churn-risk-updates", OF_RISK)):
        assert told[topic].keys() == set(NAMES)
        for name, day in SCORED.items():
            assert day_of(told[topic][name]["as_of"]) == pytest.approx(day, abs=1e-9), name
        for row in rows:
            check_row(row, told[topic])


def check_row(row: Figures, told: Told) -> None:
    for name, figures in row.items():
        for field, expected in figures.items():
            found = told[name].get(field)
            near = pytest.approx(expected, rel=1e-5) if isinstance(expected, float) else expected
            assert found == near, (name, field)


# -- V14, V15 -----------------------------------------------------------------------------------


def check_marketing(told: dict[str, Told]) -> None:
    segments = {name: set(one["segments"]) for name, one in told["segment-changes"].items()}
    assert segments == V14
    for name, (actions, outcome) in V15.items():
        found = told["recommended-actions"][name]
        for action, (kind, money, deadline) in zip(found["actions"], actions, strict=True):
            assert (action["action"], action["money_at_stake"]) == (kind, money), name
            assert day_of(action["deadline"]) == pytest.approx(deadline, abs=1e-6), name
        assert (found["previous"] and found["previous"]["outcome"]) == outcome, name


# -- V16, V17, V18 --------------------------------------------------------------------------------


def check_shop(measures: Told) -> None:
    everyone = measures["programme:all"]
    figures = everyone["figures"]
    assert (figures["customers"], figures["repeat_customers"], figures["orders"]) == (12, 8, 25)
    assert figures["repeat_purchase_rate"] == pytest.approx(8 / 12)
    assert figures["average_order_value"] == "65.64"  # 1640.90 ÷ 25
    months = {
        month["month"]: (
            *(month[name] for name in ("customers", "new_customers", "retained_customers")),
            month["revenue"],
        )
        for month in everyone["months"]
    }
    assert months == V16_MONTHS
    february = everyone["months"][1]
    assert (february["retention_rate"], february["churn_rate"]) == (2 / 8, 6 / 8)
    cohorts = {one["cohort"]: one for one in everyone["cohorts"]}
    # anna, hugo, gina, bert, cleo, jana; of them anna and cleo in February.
    assert [month["customers"] for month in cohorts["2024-01"]["months"]][:4] == [6, 2, 2, 1]
    web = measures["programme:channel:web"]["figures"]  # anna and bert: (205 + 30) ÷ 4
    assert (web["customers"], web["average_order_value"]) == (2, "58.75")
    review = measures["programme:segment:needs_review"]["figures"]  # finn
    assert (review["customers"], review["clv"]) == (1, "3287.25")
    check_experiment(measures["experiment:banner"])


def check_experiment(measure: dict[str, Any]) -> None:
    """anna, cleo, hugo and kurt against bert and jana: 4 and 2, where 3 and 3 were due."""
    assert measure["arms"] == {"control": 4, "offer": 2}
    ratio = measure["sample_ratio"]
    assert ratio["chi_square"] == pytest.approx(2 * 1 / 3)
    assert ratio["p"] == pytest.approx(erfc(sqrt(1 / 3)))  # of χ² with one degree of freedom
    assert measure["trustworthy"]
    (comparison,) = measure["comparisons"]
    assert {one["verdict"] for one in comparison["uplifts"]} == {"too_little_data"}  # 30 an arm


def check_sizing(corner: Stage) -> None:
    """5 × 18 × 5 = 450 a customer; 100,000 ÷ 450 = 222.2 customers."""
    options = "--more-per-order 5 --orders-per-year 18 --years 5 --target 100000 --json"
    done = corner.command("what-if", *options.split())
    sizing = json.loads(done.stdout)["sizing"]
    assert (sizing["value_per_customer"], sizing["customers_for_target"]) == ("450.00", 222)


# -- the replay ---------------------------------------------------------------------------------


def check_same(told: dict[str, Told], again: dict[str, Told]) -> None:
    for topic in ("ltv-updates", "churn-risk-updates"):
        for name in NAMES:
            one, other = compared(told[topic][name]), compared(again[topic][name])
            assert one == other, (topic, name)
    members = (
        {name: set(one["segments"]) for name, one in each["segment-changes"].items()}
        for each in (told, again)
    )
    assert next(members) == next(members)


def compared(score: dict[str, Any]) -> dict[str, Any]:
    reasons = without(Score(score["null_reasons"]), *BY_ARRIVAL)
    return without(Score(score), *BY_ARRIVAL) | {"null_reasons": reasons}


# -- V3, and V4 and V19 by a model ----------------------------------------------------------------


async def check_model(corner: Stage) -> None:
    """CDNOW's published parameters; everyone is scored as of the story's end."""
    model = model_params()
    producer = AIOKafkaProducer(bootstrap_servers=corner.bootstrap)
    await producer.start()
    try:
        value = msgspec.json.encode(model)
        await producer.send_and_wait(f"{corner.prefix}model-params", value, b"current", 0)
    finally:
        await producer.stop()
    values, risks = await until_scored_by(corner, model.model_version)
    for name in NAMES:
        check_forecast(name, values[name], risks[name])
    send(corner, encore())
    async with asyncio.timeout(TOLD_SECONDS_MAX):
        while (now := (await last_told(corner, "ltv-updates"))["ivan"])["orders"] < 7:
            corner.check_alive()
            await asyncio.sleep(0.2)
    check_explained(values["ivan"], now)


async def until_scored_by(corner: Stage, version: str) -> tuple[Told, Told]:
    async with asyncio.timeout(TOLD_SECONDS_MAX):
        while True:
            corner.check_alive()
            values = await last_told(corner, "ltv-updates")
            risks = await last_told(corner, "churn-risk-updates")
            told = [*values.values(), *risks.values()]
            if {one["model_version"] for one in told} == {version}:
                return values, risks
            await asyncio.sleep(0.2)


FIRST_DAY_VALUE = {
    "anna": 100.0, "cleo": 80.0, "finn": 60.0, "hugo": 20.0, "ivan": 40.0, "jana": 20.0,
    "kurt": 200.0, "lena": 10.0,
}  # fmt: skip
REFUNDED = {"anna": 20.0, "cleo": 10.0}
MARGIN_RATES = {"anna": 70 / 205, "jana": 0.1}


def check_forecast(name: str, value: dict[str, Any], risk: dict[str, Any]) -> None:
    x, t_x = REPEATS[name]
    age = END - day_of_first(value)
    buyer = Buyer(x, t_x, age)
    assert day_of(value["as_of"]) == END
    assert risk["probability_alive"] == pytest.approx(buyer.alive, rel=1e-6)
    assert risk["churn_probability"] == pytest.approx(buyer.churn(365), rel=1e-6)
    assert value["expected_orders"] == pytest.approx(buyer.purchases(365), rel=1e-5)
    # Gamma-Gamma leaves the first day out; a refund takes its share of each occasion.
    gross = NET[name] + REFUNDED.get(name, 0)
    repeat = (gross - FIRST_DAY_VALUE[name]) / x * NET[name] / gross if x else 0.0
    worth = gamma_gamma(x, repeat) * MARGIN_RATES.get(name, 1.0)
    predicted = buyer.discounted(365, 0.1) * worth
    assert float(value["predicted_clv"]) == pytest.approx(predicted, abs=0.006, rel=1e-5)
    assert value["predicted_clv_basis"] == ("margin" if name in MARGIN_RATES else "revenue")
    earned = NET[name] * MARGIN_RATES.get(name, 1.0)
    assert float(value["total_clv"]) == pytest.approx(earned + predicted, abs=0.011)
    low, high = (float(value[f"predicted_clv_{end}"]) for end in ("low", "high"))
    assert 0 <= low <= float(value["predicted_clv"]) <= high


def day_of_first(value: dict[str, Any]) -> float:
    day = day_of(value["first_purchase_at"])
    assert day is not None
    return day


def check_explained(before: dict[str, Any], now: dict[str, Any]) -> None:
    """What moved ivan's forecast adds up to its change, to the cent."""
    assert now["previous_predicted_clv"] == before["predicted_clv"]
    moved = {one["input"]: Decimal(one["change"]) for one in now["contributions"]}
    change = Decimal(now["predicted_clv"]) - Decimal(now["previous_predicted_clv"])
    assert sum(moved.values()) == change
    assert moved["value"] > 0  # 80 is more than he ever spent
    assert moved["silence"] < 0
