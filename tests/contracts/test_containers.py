"""The Dockerfile and docker-compose.yml name what exists, keep to their schema and are hardened."""

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.support.deployment import ROOT, load, settings_of

COMPOSE = load(ROOT / "docker-compose.yml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("streamer:")}
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
LINES = [line for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]
IGNORED = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
PORT_OF_IMAGE = {"kafka": {29092}, "prometheus": {9090}, "grafana": {3000}, "topics": {8080}}


def instructions(name: str) -> list[str]:
    return [line.split(None, 1)[1] for line in LINES if line.startswith(f"{name} ")]


def faults(document: dict[str, Any]) -> list[str]:
    folder = files("check_jsonschema") / "builtin_schemas" / "vendor"
    schema = json.loads((folder / "compose-spec.json").read_text(encoding="utf-8"))
    return [fault.message for fault in Draft7Validator(schema).iter_errors(document)]


def test_the_compose_file_keeps_to_the_compose_specification() -> None:
    assert faults(COMPOSE) == []


@pytest.mark.parametrize(
    "wrong",
    [{"imgae": "x"}, {"healthcheck": {"tset": []}}, {"ports": [{"target": {}}]}, {"profiles": "a"}],
)
def test_a_mistake_in_the_compose_file_would_be_found(wrong: dict[str, Any]) -> None:
    assert faults({"services": {"worker": {"image": "a:1", **wrong}}}) != []


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_refers_to_exists(name: str) -> None:
    service = SERVICES[name]
    assert service.get("depends_on", {}).keys() <= SERVICES.keys()
    for needed, how in service.get("depends_on", {}).items():
        assert how["condition"] == "service_healthy"
        assert "healthcheck" in SERVICES[needed]
    for volume in service.get("volumes", ()):
        if volume["type"] == "bind":
            assert (ROOT / volume["source"]).exists(), volume["source"]
            assert volume["read_only"], volume["source"]
        else:
            assert volume["source"] in COMPOSE["volumes"]
    build = service.get("build")
    assert not build or (ROOT / build["context"] / build["dockerfile"]).is_file()


def test_images_are_pinned() -> None:
    images = [service["image"] for service in SERVICES.values()]
    images.append("python:" + re.findall(r"^ARG PYTHON=(\S+)", DOCKERFILE, re.MULTILINE)[0])
    for image in images:
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+[\w.-]*", image), image
    lock = (ROOT / "streamer" / "broker" / "kafka.lock").read_text(encoding="utf-8")
    (tested,) = re.findall(r"^org\.apache\.kafka:kafka_2\.13:(\S+)", lock, re.MULTILINE)
    assert SERVICES["kafka"]["image"] == f"apache/kafka:{tested}", "not the version that is tested"
    built = load_version()
    assert {SERVICES[name]["image"] for name in OURS} == {f"streamer:{built}"}


def load_version() -> str:
    return str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])


def test_ports_are_this_machines_alone_and_those_that_are_served() -> None:
    published = [(name, port) for name, one in SERVICES.items() for port in one.get("ports", ())]
    assert {name for name, _ in published} == PORT_OF_IMAGE.keys()
    for name, port in published:
        host, outside, inside = port.split(":")
        assert host == "127.0.0.1", "whoever publishes it to the network must decide so"
        assert outside == inside
        assert int(inside) in PORT_OF_IMAGE[name]


def test_what_runs_on_has_a_health_check() -> None:
    for name, service in SERVICES.items():
        assert "healthcheck" in service or name == "demo", name
        assert service.get("restart") == "unless-stopped" or name == "demo", name


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_get_settings_of_ours_and_may_write_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = SERVICES[name]
    settings = settings_of(service["environment"], monkeypatch)
    host, port = settings.brokers.split(":")
    assert (
        f"INTERNAL://{host}:{port}"
        in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    )
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    written = {mount.split(":")[0] for mount in service["tmpfs"]}
    assert written == {"/tmp", str(settings_of(image_environment(), monkeypatch).data_dir)}


@pytest.mark.parametrize("name", ["worker", "webhooks"])
def test_who_serves_metrics_is_asked_and_scraped_where_it_listens(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = SERVICES[name]
    port = settings_of(service["environment"], monkeypatch).http_port
    assert service["expose"] == [str(port)]
    assert f"127.0.0.1:{port}/livez" in service["healthcheck"]["test"][-1]
    jobs = load(ROOT / "deploy" / "prometheus" / "prometheus.yml")["scrape_configs"]
    (scraped,) = (one for job in jobs for one in job["dns_sd_configs"] if one["names"] == [name])
    assert scraped["port"] == port


def test_the_image_is_asked_where_its_worker_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    port = settings_of(image_environment(), monkeypatch).http_port
    assert f"127.0.0.1:{port}/livez" in instructions("HEALTHCHECK")[0]


def test_webhooks_are_told_to_whom_the_one_who_starts_them_says() -> None:
    service = SERVICES["webhooks"]
    handed_on = {name for name, value in service["environment"].items() if value is None}
    assert {"STREAMER_WEBHOOK_URLS", "STREAMER_WEBHOOK_SECRETS"} <= handed_on
    assert service["command"] == ["webhooks", "run"]
    assert SERVICES["worker"].get("command") is None, "the image's own"


# -- the image --------------------------------------------------------------------------------


def image_environment() -> dict[str, str]:
    pairs = [pair for line in instructions("ENV") for pair in shlex.split(line)]
    return dict(pair.split("=", 1) for pair in pairs)


def test_the_image_is_given_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(image_environment(), monkeypatch)
    assert instructions("EXPOSE") == [str(settings.http_port)]
    assert instructions("VOLUME") == [str(settings.data_dir)]


def test_the_image_runs_as_nobody_special_and_from_a_second_stage() -> None:
    stages = [number for number, line in enumerate(LINES) if line.startswith("FROM ")]
    assert len(stages) == 2
    last = LINES[stages[-1] :]
    assert [line for line in last if line.startswith("USER ")] == ["USER 10001:10001"]
    assert not any("pip install" in line for line in last), "what builds must not run"


def test_whatever_the_image_installs_is_locked_by_hash() -> None:
    installs = [part for line in LINES for part in line.split("&&") if "pip install" in part]
    assert len(installs) == 3
    for install in installs:
        is_ours = "--no-deps" in install and "dist/" in install
        assert is_ours or ("--require-hashes" in install and "--only-binary :all:" in install)
        for lock in re.findall(r"\S+\.lock", install):
            text = (ROOT / lock).read_text(encoding="utf-8")
            assert text.count("==") <= text.count("--hash=sha256:")


def test_what_the_image_copies_exists_and_is_sent_to_the_builder() -> None:
    kept = [pattern[1:] for pattern in IGNORED if pattern.startswith("!")]
    assert "*" in IGNORED
    copied = [line.split()[:-1] for line in instructions("COPY") if not line.startswith("--from")]
    for source in (one for sources in copied for one in sources):
        assert (ROOT / source).exists(), source
        assert any(fnmatch(source, pattern) for pattern in kept), source
    for pattern in kept:
        assert any(pattern in sources for sources in copied), f"{pattern} is sent for nothing"
