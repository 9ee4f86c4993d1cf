"""The Kubernetes manifests keep to their schemas, refer to what is there, and are hardened."""

import re
from importlib import import_module
from typing import Any

import pytest
from jsonschema import ValidationError as SchemaError
from kubernetes_validate import validate
from pydantic import BaseModel, ValidationError

from streamer.records.kafka import EVENT_TOPICS
from tests.support.deployment import ROOT, load, load_all, settings_of
from tests.support.monitoring import DEPLOY, alerts

FOLDER = DEPLOY / "kubernetes"
VERSIONS = ("1.30", "1.37")
"""Of Kubernetes, whose own schemas the manifests keep to."""

MODULE_OF = {
    "keda.sh/v1alpha1": "keda.v1alpha1",
    "monitoring.coreos.com/v1": "prometheus_operator.v1",
}
Manifest = dict[str, Any]
WORKERS = [one for one in load_all(FOLDER) if one["kind"] != "Kustomization"]
WEBHOOKS = [one for one in load_all(FOLDER / "webhooks") if one["kind"] != "Kustomization"]
MANIFESTS = WORKERS + WEBHOOKS
BY_KIND: dict[str, Manifest] = {one["kind"]: one for one in WORKERS}
OF_WEBHOOKS: dict[str, Manifest] = {one["kind"]: one for one in WEBHOOKS}
LABELS = {"app.kubernetes.io/name": "streamer"}
POD: Manifest = BY_KIND["StatefulSet"]["spec"]["template"]
(WORKER,) = POD["spec"]["containers"]
TELLING_POD: Manifest = OF_WEBHOOKS["Deployment"]["spec"]["template"]
(TELLER,) = TELLING_POD["spec"]["containers"]

TOKEN = "STREAMER_HTTP_READ_TOKEN"
ENVIRONMENT = {**BY_KIND["ConfigMap"]["data"], TOKEN: "what-the-secret-holds"}


def faults(manifest: Manifest, version: str) -> str:
    """Return what the API server of that version would not take, or would drop."""
    if manifest["apiVersion"] in MODULE_OF:
        try:
            return "" if typed(manifest) == manifest else "it has fields its type does not know"
        except ValidationError as error:
            return str(error)
    try:
        validate(manifest, version, strict=True)
    except SchemaError as error:
        return str(error)
    return ""


def typed(manifest: Manifest) -> Manifest:
    """Return a manifest of an operator as its type has it: without what the type does not know."""
    module = import_module(f"cloudcoil.models.{MODULE_OF[manifest['apiVersion']]}")
    kind: type[BaseModel] = getattr(module, manifest["kind"])
    return kind.model_validate(manifest).model_dump(by_alias=True, exclude_unset=True, mode="json")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda one: one["kind"])
def test_each_manifest_keeps_to_its_schema(manifest: Manifest, version: str) -> None:
    assert faults(manifest, version) == ""
    in_namespace = manifest["kind"] != "Namespace"
    assert manifest["metadata"].get("namespace") == ("streamer" if in_namespace else None)


@pytest.mark.parametrize(
    ("kind", "wrong"),
    [
        ("PodDisruptionBudget", {"maxUnavalable": 1}),
        ("StatefulSet", {"replicas": "many"}),
        ("StatefulSet", {"serviceAccountName": "streamer"}),  # it belongs to the pod
        ("NetworkPolicy", {"policyTypes": "Ingress"}),
        ("ScaledObject", {"minReplicas": 2}),
        ("ScaledObject", {"triggers": "kafka"}),
        ("ServiceMonitor", {"endpoint": []}),
    ],
)
def test_a_mistake_in_a_manifest_would_be_found(kind: str, wrong: dict[str, Any]) -> None:
    manifest = BY_KIND[kind]
    for version in VERSIONS:
        assert faults({**manifest, "spec": {**manifest["spec"], **wrong}}, version) != ""


def test_all_that_is_needed_is_there_and_applied() -> None:
    assert BY_KIND.keys() == {
        "Namespace", "ConfigMap", "ServiceAccount", "Service", "StatefulSet", "PodDisruptionBudget",
        "NetworkPolicy", "ScaledObject", "ServiceMonitor",
    }  # fmt: skip
    assert OF_WEBHOOKS.keys() == {"Service", "Deployment", "NetworkPolicy", "ServiceMonitor"}
    for folder in (FOLDER, FOLDER / "webhooks"):
        listed = set(load(folder / "kustomization.yaml")["resources"])
        assert listed == {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}


def test_the_settings_are_ours_and_the_pods_name_is_the_member_of_the_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(ENVIRONMENT, monkeypatch)
    assert settings.replication_factor >= 3
    plain, secret = WORKER["envFrom"]
    assert plain["configMapRef"]["name"] == BY_KIND["ConfigMap"]["metadata"]["name"]
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"create secret generic {secret['secretRef']['name']} --from-literal={TOKEN}=" in told
    own = WORKER["env"][0]
    assert own["name"] == "STREAMER_INSTANCE_ID"
    assert own["valueFrom"] == {"fieldRef": {"fieldPath": "metadata.name"}}
    grace = POD["spec"]["terminationGracePeriodSeconds"]
    assert grace > 2 * settings.session_timeout_seconds, "a worker must be able to end in order"


def test_selectors_and_ports_meet_the_pods(monkeypatch: pytest.MonkeyPatch) -> None:
    assert POD["metadata"]["labels"] == LABELS
    service, monitor = BY_KIND["Service"], BY_KIND["ServiceMonitor"]["spec"]
    assert service["spec"]["selector"] == LABELS
    for kind in ("StatefulSet", "PodDisruptionBudget"):
        assert BY_KIND[kind]["spec"]["selector"]["matchLabels"] == LABELS
    assert BY_KIND["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == LABELS
    assert monitor["selector"]["matchLabels"] == service["metadata"]["labels"]
    assert BY_KIND["StatefulSet"]["spec"]["serviceName"] == service["metadata"]["name"]
    port = settings_of(ENVIRONMENT, monkeypatch).http_port
    (served,), (open_port,) = WORKER["ports"], service["spec"]["ports"]
    assert (served["containerPort"], open_port["port"]) == (port, port)
    assert open_port["targetPort"] == served["name"]
    assert [endpoint["port"] for endpoint in monitor["endpoints"]] == [open_port["name"]]
    (rule,) = BY_KIND["NetworkPolicy"]["spec"]["ingress"]
    assert [one["port"] for one in rule["ports"]] == [port]


def test_the_workers_can_ask_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {one["name"]: one.get("value", "streamer-1") for one in WORKER["env"]}
    url = given["STREAMER_HTTP_ADVERTISED_URL"].replace(
        "$(STREAMER_INSTANCE_ID)", given["STREAMER_INSTANCE_ID"]
    )
    settings = settings_of(
        {**ENVIRONMENT, **given, "STREAMER_HTTP_ADVERTISED_URL": url}, monkeypatch
    )
    service = BY_KIND["Service"]
    assert service["spec"]["clusterIP"] == "None", "else its pods have no names"
    name = f"streamer-1.{service['metadata']['name']}"
    assert settings.http_url == f"http://{name}:{settings.http_port}"
    policy = BY_KIND["NetworkPolicy"]["spec"]
    for way, end in (("ingress", "from"), ("egress", "to")):
        open_to = [
            one["ports"]
            for one in policy[way]
            if {"podSelector": {"matchLabels": LABELS}} in one[end]
        ]
        assert open_to == [[{"port": settings.http_port, "protocol": "TCP"}]], way


@pytest.mark.parametrize("container", [WORKER, TELLER], ids=lambda one: one["name"])
def test_probes_ask_what_is_served(container: Manifest) -> None:
    paths = {
        probe: container[probe]["httpGet"]["path"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    }
    assert paths == {
        "startupProbe": "/livez",
        "livenessProbe": "/livez",
        "readinessProbe": "/readyz",
    }
    module = "web/operations.py" if container is WORKER else "webhooks/service.py"
    serving = (ROOT / "streamer" / module).read_text(encoding="utf-8")
    kinds = BY_KIND if container is WORKER else OF_WEBHOOKS
    for path in {*paths.values(), kinds["ServiceMonitor"]["spec"]["endpoints"][0]["path"]}:
        assert f'web.get("{path}"' in serving


@pytest.mark.parametrize("pod", [POD, TELLING_POD], ids=["worker", "webhooks"])
def test_the_pods_may_do_nothing_they_need_not(pod: Manifest) -> None:
    (container,) = pod["spec"]["containers"]
    of_pod, of_container = pod["spec"]["securityContext"], container["securityContext"]
    assert of_pod["runAsNonRoot"]
    assert f"USER {of_pod['runAsUser']}:{of_pod['runAsGroup']}" in (ROOT / "Dockerfile").read_text()
    assert of_pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert of_container["readOnlyRootFilesystem"]
    assert of_container["allowPrivilegeEscalation"] is False
    assert of_container["capabilities"] == {"drop": ["ALL"]}
    assert pod["spec"]["automountServiceAccountToken"] is False
    mounts = {mount["name"] for mount in container.get("volumeMounts", ())}
    assert mounts == {volume["name"] for volume in pod["spec"].get("volumes", ())}
    assert {"memory"} <= container["resources"]["limits"].keys()
    assert {"cpu", "memory"} <= container["resources"]["requests"].keys()


@pytest.mark.parametrize("kinds", [BY_KIND, OF_WEBHOOKS], ids=["workers", "webhooks"])
def test_whom_pods_may_speak_with_is_listed(kinds: dict[str, Manifest]) -> None:
    policy = kinds["NetworkPolicy"]["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    assert all(rule.get("from") for rule in policy["ingress"])
    assert all(rule.get("ports") for way in ("ingress", "egress") for rule in policy[way])


# -- webhooks ---------------------------------------------------------------------------------


def test_webhooks_are_of_the_workers_group_but_none_of_their_pods(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = {"app.kubernetes.io/name": "streamer-webhooks"}
    assert TELLING_POD["metadata"]["labels"] == labels != LABELS
    service, monitor = OF_WEBHOOKS["Service"], OF_WEBHOOKS["ServiceMonitor"]["spec"]
    assert service["spec"]["selector"] == labels
    assert OF_WEBHOOKS["Deployment"]["spec"]["selector"]["matchLabels"] == labels
    assert OF_WEBHOOKS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"] == labels
    assert monitor["selector"]["matchLabels"] == service["metadata"]["labels"]
    assert TELLER["image"] == WORKER["image"]
    plain, shared, own = TELLER["envFrom"]
    assert [plain, shared] == WORKER["envFrom"]
    told = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"create secret generic {own['secretRef']['name']} " in told
    port = settings_of(ENVIRONMENT, monkeypatch).http_port
    (served,), (open_port,) = TELLER["ports"], service["spec"]["ports"]
    assert (served["containerPort"], open_port["port"]) == (port, port)
    assert open_port["targetPort"] == served["name"]
    assert [endpoint["port"] for endpoint in monitor["endpoints"]] == [open_port["name"]]
    (rule,) = OF_WEBHOOKS["NetworkPolicy"]["spec"]["ingress"]
    assert [one["port"] for one in rule["ports"]] == [port]


def test_receivers_are_reached_in_tls_alone() -> None:
    egress = OF_WEBHOOKS["NetworkPolicy"]["spec"]["egress"]
    (anywhere,) = (rule["ports"] for rule in egress if "to" not in rule)
    assert anywhere == [{"port": 443, "protocol": "TCP"}]
    assert [rule for rule in egress if "to" in rule] == [
        rule
        for rule in BY_KIND["NetworkPolicy"]["spec"]["egress"]
        if {"podSelector": {"matchLabels": LABELS}} not in rule["to"]
    ], "names and Kafka are where workers have them"


def test_prometheus_knows_webhooks_by_the_name_that_alerts_go_by() -> None:
    """The operator takes a Service's name for the job's."""
    job = OF_WEBHOOKS["Service"]["metadata"]["name"]
    (down,) = (one["expr"] for one in alerts() if one["alert"] == "StreamerWebhooksDown")
    assert re.fullmatch(re.findall(r'job=~"([^"]+)"', down)[0], job)
    assert not re.fullmatch(
        re.findall(r'job=~"([^"]+)"', down)[0], BY_KIND["Service"]["metadata"]["name"]
    )


def test_scaling_goes_by_the_lag_of_our_group_up_to_the_partitions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(ENVIRONMENT, monkeypatch)
    scaled = BY_KIND["ScaledObject"]["spec"]
    target = BY_KIND["StatefulSet"]
    assert scaled["scaleTargetRef"] == {
        "apiVersion": target["apiVersion"],
        "kind": target["kind"],
        "name": target["metadata"]["name"],
    }
    assert 1 <= scaled["minReplicaCount"] < scaled["maxReplicaCount"] <= settings.partitions
    for trigger in scaled["triggers"]:
        asked = trigger["metadata"]
        assert (asked["bootstrapServers"], asked["consumerGroup"]) == (
            settings.brokers,
            settings.group_id,
        )
        assert asked["topic"] in {settings.topics[name] for name in EVENT_TOPICS}
