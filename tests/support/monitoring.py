"""Prometheus's own tools, and what deploy/ asks of it."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer import metrics
from streamer.webhooks import metrics as webhooks

DEPLOY = Path(__file__).parents[2] / "deploy"
RULES = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
DASHBOARD = DEPLOY / "grafana" / "dashboards" / "streamer.json"
VARIABLES = {"$namespace": ".*", "$job": ".*", "$__rate_interval": "1m"}
_NAME = re.compile(r"\b(?:streamer|process)_[a-z0-9_]+\b")
_STRING = re.compile(r'"[^"]*"')
_BY = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)")


def tool(name: str) -> str:
    """Return where a program of Debian's `prometheus` is; only a machine of one's own may lack it.

    `.ci/run` installs it.
    """
    found = shutil.which(name)
    if found is None:
        complaint = f"{name} is not on the PATH: install Debian's package `prometheus`"
        if os.environ.get("CI"):
            pytest.fail(complaint)
        pytest.skip(complaint)
    return found


def promtool(*arguments: str | Path, stdin: str = "") -> str:
    """Run promtool and return what it says; a failed check fails the test."""
    done = subprocess.run(
        [tool("promtool"), *arguments], input=stdin, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[dict[str, Any]]:
    """Return all recording rules and alerts."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in RULES]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def dashboard() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    return found


def targets() -> Iterator[tuple[str, str]]:
    """Return the title and each query of every panel, with variables as Grafana fills them in."""
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            expression = target["expr"]
            for name, value in VARIABLES.items():
                expression = expression.replace(name, value)
            yield panel["title"], expression


def metrics_in(expression: str) -> set[str]:
    """Return the names of the metrics that an expression reads, recorded ones apart."""
    return set(_NAME.findall(_BY.sub("", _STRING.sub('""', expression))))


def recorded_in(expression: str) -> set[str]:
    """Return the names of recorded series that an expression reads."""
    return set(re.findall(r"\bstreamer:\w+:\w+\b", expression))


def exposed() -> set[str]:
    """Return the names of all samples that a worker, or who tells webhooks, may expose."""
    names: set[str] = set()
    for registry in (metrics.REGISTRY, webhooks.REGISTRY):
        names |= {sample.name for family in registry.collect() for sample in family.samples}
        names |= registry._names_to_collectors.keys()
    return names
