"""What deploy/, docker-compose.yml and the Dockerfile say, and which settings there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamer.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]
PREFIX = "STREAMER_"


def load(path: Path) -> dict[str, Any]:
    """Return the one document of a YAML file."""
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def load_all(folder: Path) -> list[dict[str, Any]]:
    """Return the documents of all YAML files of a folder."""
    files = sorted(folder.glob("*.yml")) + sorted(folder.glob("*.yaml"))
    texts = [file.read_text(encoding="utf-8") for file in files]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def settings_of(environment: Mapping[str, str | None], monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return the settings of a process with ``environment``; each name must be one of ours.

    One without a value is handed on from whoever starts the process.
    """
    named = {name for name in environment if name.startswith(PREFIX)}
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {"STREAMER_SECRETS_DIR"}
    assert named <= known, f"no such settings: {named - known}"
    for name in named:
        if (value := environment[name]) is not None:
            monkeypatch.setenv(name, value)
    return load_settings(_env_file=None)
