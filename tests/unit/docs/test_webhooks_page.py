"""docs/webhooks.md names what there is, and its example of a signature is a true one."""

import re
from pathlib import Path

from streamer.cli.webhooks import webhooks
from streamer.endpoints import WebhookSettings
from streamer.webhooks.answers import REFUSALS
from streamer.webhooks.letters import ENDPOINT
from streamer.webhooks.metrics import REGISTRY

PAGE = (Path(__file__).parents[3] / "docs" / "webhooks.md").read_text(encoding="utf-8")


def test_settings_are_all_there() -> None:
    named = set(re.findall(r"^\| `STREAMER_(WEBHOOK_\w+)`", PAGE, re.MULTILINE))
    assert named == {name.upper() for name in WebhookSettings.model_fields}


def test_metrics_are_all_there() -> None:
    ours = {family.name for family in REGISTRY.collect() if "webhook" in family.name}
    named = {name.removesuffix("_total") for name in re.findall(r"`(streamer_webhook\w+)\{", PAGE)}
    assert named == ours


def test_commands_statuses_and_headers_are_those_of_the_code() -> None:
    there = {command.name for command in webhooks.registered_commands}
    assert set(re.findall(r"streamer webhooks (\w+)", PAGE)) == there
    (listed,) = re.findall(r"refuses by itself \(([\d, ]+)\)", PAGE)
    assert {int(status) for status in listed.split(", ")} == REFUSALS
    assert ENDPOINT == "streamer.error." + "endpoint"
