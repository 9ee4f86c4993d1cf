import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from streamer import cli
from streamer.settings import ConfigurationError, Settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start in: no .env, no streamer.toml."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def show(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["config", "show", *arguments])


def settings() -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in json.loads(show("--json").stdout)["settings"]}


def test_every_setting_is_shown_with_its_name_in_the_environment() -> None:
    found = settings()
    assert found.keys() == Settings.model_fields.keys()
    assert found["partitions"] == {
        "name": "partitions",
        "environment": "STREAMER_PARTITIONS",
        "value": 4,
        "default": 4,
        "source": "default",
        "description": Settings.model_fields["partitions"].description,
    }


def test_what_is_shown_can_be_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_RATES", '{"EUR": "1.08"}')
    monkeypatch.setenv("STREAMER_GROUP_ID", "mine")
    text = show().stdout
    monkeypatch.delenv("STREAMER_RATES")
    monkeypatch.delenv("STREAMER_GROUP_ID")
    (folder / ".env").write_text(text)
    found = settings()
    assert (found["rates"]["value"], found["rates"]["source"]) == ({"EUR": "1.08"}, ".env")
    assert found["group_id"]["value"] == "mine"


def test_the_strongest_source_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("brokers", "partitions", "horizon_days", "group_id"):
        (secrets / f"streamer_{name}").write_text("1")
    monkeypatch.setenv("STREAMER_SECRETS_DIR", str(secrets))
    (folder / "streamer.toml").write_text('brokers = "2"\npartitions = 2\nhorizon_days = 2\n')
    (folder / ".env").write_text("STREAMER_BROKERS=3\nSTREAMER_PARTITIONS=3\n")
    monkeypatch.setenv("STREAMER_BROKERS", "4")
    found = settings()
    assert {name: (found[name]["value"], found[name]["source"]) for name in found if
            found[name]["source"] != "default"} == {
        "brokers": ("4", "environment"),
        "partitions": (3, ".env"),
        "horizon_days": (2, "streamer.toml"),
        "group_id": ("(hidden)", "secret file"),
    }  # fmt: skip


def test_a_setting_that_cannot_be_right_is_shown_and_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STREAMER_PARTITIONS", "many")
    result = show()
    assert "STREAMER_PARTITIONS=many  # environment" in result.stdout
    assert isinstance(result.exception, ConfigurationError)
    assert "STREAMER_PARTITIONS" in str(result.exception)


@pytest.mark.parametrize(
    ("source", "text"), [("streamer.toml", "partitions = = 3"), ("environment", "{")]
)
def test_a_source_that_cannot_be_read_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, source: str, text: str
) -> None:
    if source == "environment":
        monkeypatch.setenv("STREAMER_RATES", text)
    else:
        (folder / source).write_text(text)
    result = show("--json")
    assert f"{source} cannot be read" in json.loads(result.stdout)["fault"]
    assert isinstance(result.exception, ConfigurationError)


def test_secrets_are_hidden_also_where_something_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = [
        name
        for name in Settings.model_fields
        if name.endswith(("token", "password")) or "secret" in name
    ]
    assert len(secrets) > 4
    for name in secrets:
        monkeypatch.setenv(f"STREAMER_{name.upper()}", '{"a": "ninebread"}')
    monkeypatch.setenv("STREAMER_PARTITIONS", "0")
    for result in (show(), show("--json")):
        assert isinstance(result.exception, ConfigurationError)
        assert "ninebread" not in result.stdout + str(result.exception)


def test_misspelt_settings_are_pointed_out_in_files_too(folder: Path) -> None:
    (folder / "streamer.toml").write_text("partition = 3\npartitions = 2\n[streamer]\na = 1\n")
    (folder / ".env").write_text("STREAMER_LATENES_DAYS=3\nOTHER=1\nSTREAMER_BROKERS=a:1\n")
    unknown = ["STREAMER_LATENES_DAYS", "STREAMER_PARTITION", "STREAMER_STREAMER"]
    assert json.loads(show("--json").stdout)["unknown"] == unknown


def test_misspelt_settings_are_pointed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMER_PARTITION", "3")
    assert "there is no setting STREAMER_PARTITION" in show().stdout
    assert json.loads(show("--json").stdout)["unknown"] == ["STREAMER_PARTITION"]
