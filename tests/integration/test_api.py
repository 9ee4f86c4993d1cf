"""The HTTP API of two real workers on a real Kafka, asked as its users ask it."""

import asyncio
import json
from collections.abc import Iterator
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from streamer.broker import EmbeddedKafka
from tests.support.schemas import validator
from tests.support.stage import Stage, stage
from tests.support.topics import last_per_key, read_topic
from tests.support.web import SETTINGS, TIERS, Api, open_shop, until

HEALTH = list(HealthCheck)
"""Requests are slow, and negative ones hard to make: neither tells of the API."""

Shop = tuple[Stage, Api, Api, int]
"""Where it is, its two workers, and how many customers it has."""


@pytest.fixture(scope="module")
def shop(kafka: EmbeddedKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with stage(kafka.bootstrap, tmp_path_factory.mktemp("api"), **SETTINGS) as corner:
        workers = [corner.worker(name) for name in ("one", "two")]
        for worker in workers:
            worker.start()
        for worker in workers:
            asyncio.run(worker.ready())
        customers = open_shop(corner)
        one, two = (Api(worker.port) for worker in workers)
        one.wait_until_settled(customers)
        fitted = corner.command("fit", "--from-kafka")
        assert fitted.returncode == 0, fitted.stderr
        until(lambda: one.get("overview")["predicted_customers"] == customers)
        one.wait_until_settled(customers)
        until(lambda: len(one.get("programme")["groups"]) > 1)
        yield corner, one, two, customers


def _is_known(api: Api, path: str) -> bool:
    return api.get(path).status == 200


async def _published(corner: Stage, topic: str) -> dict[str, dict[str, Any]]:
    records = last_per_key(await read_topic(corner.bootstrap, corner.prefix + topic))
    return {
        (key or b"").decode(): json.loads(record.value or b"") for key, record in records.items()
    }


@pytest.fixture(scope="module")
def published(shop: Shop) -> tuple[dict[str, dict[str, Any]], ...]:
    """What was told of each customer last: value, risk, segments, actions."""
    names = ("ltv-updates", "churn-risk-updates", "segment-changes", "recommended-actions")
    return tuple(asyncio.run(_published(shop[0], name)) for name in names)


# -- the document ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
def test_the_api_answers_any_request_as_its_document_says(shop: Shop, mode: GenerationMode) -> None:
    """Ask what it promises to take, and what it does not."""
    document = schemathesis.openapi.from_url(f"{shop[1].address}/v1/openapi.json")
    for found in document.exclude(path="/v1/changes").get_all_operations():  # it never ends
        operation: Any = found.ok()  # type: ignore[union-attr] # else it raises
        if mode.is_positive or operation.query or operation.body:
            _ask(operation, mode)


def _ask(operation: Any, mode: GenerationMode) -> None:
    # Figures may not go together, which no schema says: such a change is refused with a 422.
    but = [positive_data_acceptance] if operation.path == "/v1/what-if" else []

    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=HEALTH)
    @given(operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=but)

    ask()


def test_every_answer_keeps_to_the_document(shop: Shop) -> None:
    _, one, _, _ = shop
    document = one.get("openapi.json")
    customer = one.get("customers", limit=1)["customers"][0]["customer_id"]
    given = {"customer_id": customer, "group": "channel:channel-0", "experiment": "free-shipping"}
    asked = 0
    for path, operations in document["paths"].items():
        if "get" not in operations or path in {"/v1/changes", "/v1/openapi.json"}:
            continue
        answer = one.get(path.removeprefix("/v1/").format(**given))
        assert answer.status == 200, (path, answer)
        content = operations["get"]["responses"]["200"]["content"]["application/json"]
        schema = {**content["schema"], "components": document["components"]}
        Draft202012Validator(schema).validate(dict(answer))
        asked += 1
    assert asked >= 14


# -- customers ------------------------------------------------------------------------------


def test_a_customer_is_told_as_published(shop: Shop, published: Any) -> None:
    _, one, _, _ = shop
    values, risks, segments, actions = published
    for customer_id in list(values)[:40]:
        told = one.get(f"customers/{customer_id}")
        value, risk = told["ltv"], told["churn_risk"]
        validator("ltv-update.json").validate(value)
        validator("churn-risk-update.json").validate(risk)
        assert value["revision"] == values[customer_id]["revision"]
        assert risk["risk_band"] == risks[customer_id]["risk_band"]
        for figure in ("historic_clv", "orders", "margin", "referral_value", "loyalty_tier"):
            assert value[figure] == values[customer_id][figure]
        assert told["segments"] == list(segments[customer_id]["segments"])
        ranked = [one["action"] for one in actions[customer_id]["actions"]]
        assert [one["action"] for one in told["recommended"]["actions"]] == ranked
        assert value["predicted_clv_low"] is not None
        assert value["reasons"]
        assert sum(day["orders"] for day in told["history"]["days"]) <= value["orders"]


def test_every_worker_knows_every_customer(shop: Shop) -> None:
    _, one, two, customers = shop
    everyone = list(one.customers())
    assert len(everyone) == customers == len({item["customer_id"] for item in everyone})
    assert list(two.customers()) == everyone
    places = set()
    for item in everyone[:30]:
        path = f"customers/{item['customer_id']}"
        here, there = one.get(path), two.get(path)
        assert here.status == there.status == 200
        here["ltv"].pop("scored_at"), there["ltv"].pop("scored_at")
        here["churn_risk"].pop("scored_at"), there["churn_risk"].pop("scored_at")
        assert here == there
        places.add(here["partition"])
    assert len(places) == 4


def test_the_curve_rises_with_silence_and_passes_now(shop: Shop) -> None:
    _, one, _, _ = shop
    item = next(one.customers(risk_band="low"))
    customer = one.get(f"customers/{item['customer_id']}")
    curve = one.get(f"customers/{item['customer_id']}/churn-curve", days=700)
    probabilities = [point["churn_probability"] for point in curve["points"]]
    assert probabilities == sorted(probabilities)
    before = [p for p in curve["points"] if p["at"] <= curve["as_of"]][-1]
    after = next(p for p in curve["points"] if p["at"] >= curve["as_of"])
    now = customer["churn_risk"]["churn_probability"]
    assert before["churn_probability"] <= now <= after["churn_probability"]
    for crossing in curve["crossings"]:
        if crossing["at"] is not None:
            inside = [p for p in curve["points"] if p["at"] >= crossing["at"]]
            assert all(p["risk_band"] != "low" for p in inside)


def test_pages_are_ordered_by_money_at_stake(shop: Shop) -> None:
    _, one, _, customers = shop
    found = list(one.customers(limit=7))
    stakes = [int(item["cursor"].partition(".")[0]) / 1_000_000 for item in found]
    assert stakes == sorted(stakes, reverse=True)
    shown = [float(item["money_at_stake"]) for item in found]
    assert shown == sorted(shown, reverse=True)
    # What is at stake is what is expected, and may be some hours old; the forecast is of now.
    assert shown == pytest.approx(
        [float(item["predicted_clv"]) for item in found], rel=0.05, abs=0.05
    )
    assert len({item["customer_id"] for item in found}) == customers


def test_customers_are_found_by_segment_band_and_tier(shop: Shop, published: Any) -> None:
    _, one, _, _ = shop
    values, risks, segments, _ = published
    wanted = {"segment": "repeat_buyers", "risk_band": "medium", "tier": "bronze"}
    found = {item["customer_id"] for item in one.customers(100, **wanted)}
    assert found == {
        customer_id
        for customer_id in values
        if "repeat_buyers" in segments[customer_id]["segments"]
        and risks[customer_id]["risk_band"] == "medium"
        and values[customer_id]["loyalty_tier"] == "bronze"
    }
    assert found


def test_ids_of_any_characters_can_be_asked_for(shop: Shop) -> None:
    corner, one, two, customers = shop
    odd = "a/b ?#%2F é☃"
    event = {
        "event_id": "odd-1", "type": "purchase", "customer_id": odd, "order_id": "odd",
        "occurred_at": "2026-01-01T00:00:00Z", "amount": 10, "currency": "USD",
    }  # fmt: skip
    assert corner.command("send", "-", stdin=json.dumps(event)).returncode == 0
    path = f"customers/{quote(odd, safe='')}"
    for api in (one, two):
        until(partial(_is_known, api, path))
        assert api.get(path)["customer_id"] == odd
        assert api.get(path + "/churn-curve")["customer_id"] == odd
    one.wait_until_settled(customers + 1)
    # The module's other tests count on the shop as it was: this one is the last of its customers.
    assert next(item for item in one.customers() if item["customer_id"] == odd)


# -- the shop -------------------------------------------------------------------------------


def test_the_whole_is_the_sum_of_both_workers(shop: Shop, published: Any) -> None:
    _, one, two, customers = shop
    values, risks, segments, _ = published
    overview = one.get("overview")
    assert overview["customers"] in {customers, customers + 1}
    for band in overview["bands"]:
        told = sum(risk["risk_band"] == band["risk_band"] for risk in risks.values())
        assert abs(band["customers"] - told) <= 1
    assert sum(bucket["customers"] for bucket in overview["values"]) == overview["customers"]
    assert {tier["tier"] for tier in overview["tiers"]} == set(TIERS)
    members = {one["segment"]: one["customers"] for one in two.get("segments")["segments"]}
    told = sum("repeat_buyers" in one["segments"] for one in segments.values())
    assert members["repeat_buyers"] == told
    assert abs(members["everyone"] - len(values)) <= 1


def test_the_bands_course_is_kept(shop: Shop) -> None:
    _, one, _, _ = shop
    until(lambda: len(one.get("overview")["history"]) > 1)
    history = one.get("overview")["history"]
    assert [one["measured_at"] for one in history] == sorted(one["measured_at"] for one in history)


def test_programme_and_experiments_are_those_of_the_command_line(shop: Shop) -> None:
    corner, one, _, _ = shop
    told: dict[str, Any] = {}

    def both_know_the_last_customers_groups() -> bool:  # the figures follow the scores
        told.update({m["group"]: m for m in corner.told("programme", "--json")})
        return {group["group"] for group in one.get("programme")["groups"]} == set(told)

    until(both_know_the_last_customers_groups)
    channel = one.get("programme/channel:channel-1")
    assert channel["months"] == told["channel:channel-1"]["months"]
    cohorts = one.get("programme/all/cohorts")["cohorts"]
    assert [one["cohort"] for one in cohorts] == [one["cohort"] for one in told["all"]["cohorts"]]
    (experiment,) = one.get("experiments")["experiments"]
    assert experiment == one.get(f"experiments/{experiment['experiment']}")
    assert experiment["comparisons"][0]["uplifts"][0]["sentence"]


def test_model_and_calibration(shop: Shop) -> None:
    _, one, _, _ = shop
    model = one.get("model")
    assert model["model_version"] == model["params"]["model_version"]
    assert set(model["params"]["parameters"]) == {"r", "alpha", "a", "b"}
    assert len(one.get("calibration")["figures"]["deciles"]) == 10


def test_what_if_is_the_worked_example(shop: Shop) -> None:
    _, one, _, _ = shop
    asked = {"more_per_order": "5", "orders_per_year": "18", "years": "5", "target": "100000"}
    assert one.post("what-if", asked)["sizing"] == {
        "value_per_customer": "450.00",
        "target": "100000.00",
        "customers_for_target": 222,
        "customers_to_reach_target": 223,
    }
    refused = one.post("what-if", {"margin": "2"})
    assert refused.status == 400
    assert refused["field"] == "margin"
    refused = one.post("what-if", {**asked, "order_value": "3", "more_per_order": "-5"})
    assert refused.status == 422
    assert "order_value after the change" in refused["detail"]


# -- changes --------------------------------------------------------------------------------


def publish(corner: Stage, *numbers: int) -> None:
    event = {
        "type": "purchase", "customer_id": "streamed", "occurred_at": "2026-01-02T00:00:00Z",
        "amount": 10, "currency": "USD",
    }  # fmt: skip
    for number in numbers:  # each in a unit of work of its own: the last one of a unit is told
        own = {"event_id": f"streamed-{number}", "order_id": f"s{number}"}
        done = corner.command("send", "-", stdin=json.dumps(event | own))
        assert done.returncode == 0, done.stderr


def in_topic(corner: Stage, more_than: int) -> list[int]:
    """Return the revisions that were published, as a subscriber reads them."""
    topic = f"{corner.prefix}churn-risk-updates"
    until(lambda: len(_revisions_of(corner.bootstrap, topic)) > more_than)
    return _revisions_of(corner.bootstrap, topic)


def _revisions_of(bootstrap: str, topic: str) -> list[int]:
    records = asyncio.run(read_topic(bootstrap, topic))
    return [json.loads(one.value or b"")["revision"] for one in records if one.key == b"streamed"]


def revisions(stream: Any, number: int) -> list[tuple[int, str]]:
    """Return revision and id of the next so many events of churn risk."""
    told: list[tuple[int, str]] = []
    while len(told) < number:
        lines = dict(line.split(": ", 1) for line in _event(stream))
        if "data" in lines:
            assert lines["event"] == "churn_risk"
            update = json.loads(lines["data"])
            assert update["customer_id"] == "streamed"
            validator("churn-risk-update.json").validate(update)
            told.append((update["revision"], lines["id"]))
    return told


def test_changes_are_sent_as_they_are_published_and_resumed_without_loss(shop: Shop) -> None:
    corner, one, two, _ = shop
    path = "/v1/changes?kind=churn_risk&customer_id=streamed"
    with urlopen(one.address + path, timeout=30) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert stream.readline() == b"retry: 2000\n"
        (begin,) = _event(stream)
        publish(corner, 1)
        ((first, id_),) = revisions(stream, 1)
    known = len(in_topic(corner, 0))
    publish(corner, 2, 3)  # while nobody listens
    published = in_topic(corner, known + 1)
    missed = published[published.index(first) + 1 :]
    assert len(missed) >= 2
    asked = Request(two.address + path, headers={"Last-Event-ID": id_})
    with urlopen(asked, timeout=30) as stream:
        heard = [revision for revision, _ in revisions(stream, len(missed))]
        assert heard == missed
        publish(corner, 4)
        assert revisions(stream, 1)[0][0] > missed[-1]
    asked = Request(one.address + path, headers={"Last-Event-ID": begin.removeprefix("id: ")})
    with urlopen(asked, timeout=30) as stream:
        heard = [revision for revision, _ in revisions(stream, len(published))]
        assert heard == published


def test_an_id_of_another_stream_is_refused(shop: Shop) -> None:
    _, one, _, _ = shop
    path = f"{one.address}/v1/changes?kind=ltv"
    for id_ in ("ltv-updates-0-17", "00000000.1.2.3.4", "x" * 100):
        with pytest.raises(HTTPError) as error:
            urlopen(Request(path, headers={"Last-Event-ID": id_}), timeout=30)
        assert error.value.code == 400
        assert json.loads(error.value.read())["field"] == "Last-Event-ID"
    named = one.get("openapi.json")["paths"]["/v1/changes"]["get"]["parameters"]
    (header,) = (parameter for parameter in named if parameter["in"] == "header")
    assert (header["name"], header["required"]) == ("Last-Event-ID", False)


def _event(stream: Any) -> list[str]:
    """Return the next event's lines, an id alone too."""
    lines: list[str] = []
    while True:
        line = stream.readline().decode().rstrip("\n")
        if line and not line.startswith((":", "retry")):
            lines.append(line)
        elif lines and not line:
            return lines


# -- errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("customers/nobody", 404, None),
        ("customers/nobody/churn-curve", 404, None),
        ("customers?risk_band=purple", 400, "risk_band"),
        ("customers?limit=0", 400, "limit"),
        ("customers?limt=5", 400, "limt"),
        ("customers?cursor=1.99999999999999999999", 400, "cursor"),
        ("customers?segment=none_such", 404, "segment"),
        ("programme/none", 404, None),
        ("nothing/here", 404, None),
    ],
)
def test_errors_are_problem_details(shop: Shop, path: str, status: int, field: str | None) -> None:
    answer = shop[1].get(path)
    assert answer.status == status == answer["status"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert {"type", "title", "detail"} <= answer.keys()
    assert answer.get("field") == field


def test_a_page_of_another_site_cannot_ask_by_a_name_that_points_here(shop: Shop) -> None:
    assert shop[1].get("overview", headers={"Host": "evil.example:80"}).status == 403


# -- partitions on the move -----------------------------------------------------------------


def test_a_customer_is_known_or_not_at_hand_but_never_unknown_while_workers_come_and_go(
    shop: Shop,
) -> None:
    """It is the last test: it takes a worker away."""
    corner, one, two, _ = shop
    found = one.get("customers", limit=200)["customers"]
    known = (f"customers/{quote(item['customer_id'], safe='')}" for item in found)
    of_each = {one.get(path)["partition"]: path for path in known}
    assert len(of_each) == 4
    paths = list(of_each.values())
    (worker,) = (one for one in corner.workers if one.name == "one")
    worker.kill()
    seen = {two.status(path) for _ in range(5) for path in paths}
    worker.start()

    def all_known() -> bool:
        now = {two.status(path) for path in paths}
        seen.update(now)
        return now == {200}

    until(all_known)
    asyncio.run(worker.ready())
    assert [one.get(path).status for path in paths] == [200] * 4
    assert seen <= {200, 503}
    assert 503 in seen  # the holder was gone
