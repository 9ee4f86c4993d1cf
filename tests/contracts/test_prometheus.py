"""Rules, alerts, runbooks and the dashboard agree with each other and with the worker's metrics."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.monitoring import (
    DEPLOY,
    RULES,
    alerts,
    dashboard,
    exposed,
    metrics_in,
    promtool,
    recorded_in,
    rules,
    targets,
)

PROMETHEUS = DEPLOY / "prometheus"
CASES = sorted((PROMETHEUS / "tests").glob("*.yml"))
RUNBOOKS = (DEPLOY.parent / "docs" / "runbooks.md").read_text(encoding="utf-8")
SECTIONS = {found.lower() for found in re.findall(r"^## (\w+)$", RUNBOOKS, re.MULTILINE)}
EXPRESSIONS = [(rule.get("alert") or rule["record"], rule["expr"]) for rule in rules()]


def test_prometheus_takes_configuration_and_rules() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")
    promtool("check", "rules", *RULES)


@pytest.mark.parametrize("file", CASES, ids=lambda path: path.stem)
def test_alerts_fire_when_they_must_and_only_then(file: Path) -> None:
    promtool("test", "rules", file)


def test_each_alert_is_seen_to_fire() -> None:
    fired = " ".join(file.read_text(encoding="utf-8") for file in CASES)
    for alert in alerts():
        labels = f'alertname="{alert["alert"]}"'
        window = alert["labels"].get("window")
        assert (labels + f', window="{window}"' if window else labels) in fired


@pytest.mark.parametrize(("name", "expression"), [*EXPRESSIONS, *targets()])
def test_every_metric_asked_for_is_one_of_the_workers(name: str, expression: str) -> None:
    asked, recorded = metrics_in(expression), recorded_in(expression)
    assert asked | recorded or "up{" in expression, f"{name} asks for nothing"
    assert asked <= exposed(), name
    assert recorded <= {rule.get("record") for rule in rules()}, name


def test_a_metric_that_no_worker_has_would_be_found() -> None:
    known, unknown = "streamer_rows", "streamer_no_such_thing_total"
    asked = metrics_in(f'sum by (job) (rate({unknown}{{a="streamer_x"}}[5m])) / {known}')
    assert asked == {known, unknown}
    assert asked - exposed() == {unknown}


def test_each_alert_has_a_runbook_and_each_runbook_an_alert() -> None:
    for alert in alerts():
        path, _, section = alert["annotations"]["runbook_url"].partition("#")
        assert (path, section) == ("docs/runbooks.md", alert["alert"].lower())
        assert {"summary", "description"} <= alert["annotations"].keys()
        assert alert["labels"]["severity"] in {"critical", "warning"}
    assert {alert["alert"].lower() for alert in alerts()} == SECTIONS


def test_runbooks_name_metrics_and_settings_that_there_are() -> None:
    assert set(re.findall(r"\bstreamer_[a-z_]+\b", RUNBOOKS)) <= exposed()


# -- the dashboard ----------------------------------------------------------------------------


def test_prometheus_can_read_each_query_of_the_dashboard(tmp_path: Path) -> None:
    queries = [{"record": f"q{n}", "expr": query} for n, (_, query) in enumerate(targets())]
    assert len(queries) > 50
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": queries}]}))
    promtool("check", "rules", file)


def test_panels_have_their_own_place_and_number() -> None:
    panels = dashboard()["panels"]
    numbers = [panel["id"] for panel in panels]
    assert len(set(numbers)) == len(numbers)
    for one, other in combinations((panel["gridPos"] for panel in panels), 2):
        assert apart(one, other), (one, other)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in panels)


def apart(one: dict[str, int], other: dict[str, int]) -> bool:
    return any(
        first[at] + first[size] <= second[at]
        for at, size in (("x", "w"), ("y", "h"))
        for first, second in ((one, other), (other, one))
    )


def test_the_dashboard_shows_what_an_sre_asks_for() -> None:
    asked = set().union(*(metrics_in(query) | recorded_in(query) for _, query in targets()))
    for part in (
        "end_to_end", "records_consumed", "lag_records", "dead_letters", "commits", "recovery",
        "state_bytes", "model_age", "calibration", "segment_customers", "silence",
    ):  # fmt: skip
        assert any(part in name for name in asked), part


def test_grafana_is_told_where_data_and_dashboards_are() -> None:
    provisioning = DEPLOY / "grafana" / "provisioning"
    (source,) = load(provisioning / "datasources" / "prometheus.yml")["datasources"]
    (provider,) = load(provisioning / "dashboards" / "streamer.yml")["providers"]
    compose = load(DEPLOY.parent / "docker-compose.yml")["services"]
    host, port = source["url"].removeprefix("http://").split(":")
    assert host in compose
    assert f"--web.listen-address=:{port}" in compose[host]["command"]
    mounted = {volume["target"]: volume["source"] for volume in compose["grafana"]["volumes"]}
    assert mounted[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    assert mounted["/etc/grafana/provisioning"] == "./deploy/grafana/provisioning"
    for variable in dashboard()["templating"]["list"]:
        assert metrics_in(str(variable["query"])) <= exposed()


def load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found
