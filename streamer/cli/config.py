"""``streamer config show``: every setting, its value, and where that comes from."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Annotated, Any, get_args

import msgspec
import typer
from msgspec import Struct
from pydantic import SecretBytes, SecretStr
from pydantic_settings import (
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsError,
    TomlConfigSettingsSource,
)
from rich.console import Console

from streamer.cli.showing import print_json, shown_text
from streamer.settings import ConfigurationError, Settings, load_settings

SECRETS_DIR = "STREAMER_SECRETS_DIR"
OTHERS = {SECRETS_DIR, "STREAMER_CACHE_DIR"}
"""What is read from the environment without being a setting."""

SECRET_TYPES = {SecretStr, SecretBytes}
HIDDEN = "(hidden)"
DEFAULT = "default"
FROM_FILE = "secret file"
SOURCES: dict[str, Callable[[], PydanticBaseSettingsSource]] = {
    FROM_FILE: lambda: SecretsSettingsSource(Settings, os.environ.get(SECRETS_DIR)),
    "streamer.toml": lambda: TomlConfigSettingsSource(Settings),
    ".env": lambda: DotEnvSettingsSource(Settings),
    "environment": lambda: EnvSettingsSource(Settings),
}
"""From the weakest to the strongest, as in ``Settings``."""

config = typer.Typer(help="Look at the settings.")


@config.callback()
def _config() -> None:
    """Look at the settings."""


class Setting(Struct, frozen=True):
    """One setting as it stands."""

    name: str
    environment: str
    value: Any
    default: Any
    source: str
    description: str


@config.command()
def show(
    *, json: Annotated[bool, typer.Option("--json", help="Print the settings as JSON.")] = False
) -> None:
    """Show every setting: its value, its source, its name in the environment, what it does.

    Values that come from secret files are never shown.

    Example: streamer config show --json
    """
    settings, fault = everything()
    unknown = unknown_names()
    if json:
        print_json({"settings": settings, "unknown": unknown, "fault": fault})
    else:
        _show(settings, unknown)
    if fault:
        raise ConfigurationError(fault)


def everything() -> tuple[list[Setting], str | None]:
    """Return all settings, and what is wrong with them if they cannot be right.

    If so, values are as given, unchecked.
    """
    given, fault = _given()
    defaults = Settings.model_construct().model_dump(mode="json")
    values = defaults | {name: value for name, (_, value) in given.items()}
    try:
        values |= load_settings().model_dump(mode="json")
    except ConfigurationError as error:
        fault = str(error)
    except (SettingsError, ValueError):
        pass  # told by `_given`
    return [
        _setting(name, values[name], defaults[name], given[name][0] if name in given else DEFAULT)
        for name in Settings.model_fields
    ], fault


def _given() -> tuple[dict[str, tuple[str, Any]], str | None]:
    """Return source and value of each setting that is not left to its default."""
    given: dict[str, tuple[str, Any]] = {}
    fault = None
    for source, make in SOURCES.items():
        try:
            found = make()()
        except (SettingsError, ValueError) as error:
            fault = f"{source} cannot be read: {error}."
        else:
            known = Settings.model_fields.keys() & found.keys()
            given |= {name: (source, found[name]) for name in known}
    return given, fault


def _setting(name: str, value: Any, default: Any, source: str) -> Setting:
    field = Settings.model_fields[name]
    is_secret = source == FROM_FILE or _holds_secrets(field.annotation)
    return Setting(
        name=name,
        environment=f"{Settings.model_config['env_prefix']}{name.upper()}",
        value=HIDDEN if is_secret and value else value,
        default=default,
        source=source,
        description=field.description or "",
    )


def _holds_secrets(annotation: Any) -> bool:
    """Return whether ``annotation`` is of a secret, or of one somewhere within: of many, of none.

    >>> _holds_secrets(dict[str, Annotated[SecretStr, "long"] | None]), _holds_secrets(int | None)
    (True, False)
    """
    return annotation in SECRET_TYPES or any(map(_holds_secrets, get_args(annotation)))


def unknown_names() -> list[str]:
    """Return the names that look like settings and are none, misspelt ones: also of both files."""
    prefix = str(Settings.model_config["env_prefix"])
    known = {prefix + name.upper() for name in Settings.model_fields} | OTHERS
    named = [name for name in _named() if name.upper().startswith(prefix)]
    return sorted(name for name in named if name.upper() not in known)


def _named() -> Iterator[str]:
    """Give the names in the environment and in the files that can be read, as there they stand.

    Those in ``streamer.toml``, all of which are for settings, are given as in the environment.
    """
    yield from os.environ
    with suppress(SettingsError, ValueError):
        yield from map(str.upper, DotEnvSettingsSource(Settings).env_vars)
    with suppress(SettingsError, ValueError):
        for name in TomlConfigSettingsSource(Settings).toml_data:
            yield f"{Settings.model_config['env_prefix']}{name.upper()}"


def _show(settings: list[Setting], unknown: list[str]) -> None:
    """Print the settings as a .env file would hold them."""
    console = Console(highlight=False)
    for setting in settings:
        value = setting.value
        text = shown_text(value if isinstance(value, str) else msgspec.json.encode(value).decode())
        if setting.description:
            console.print(f"[dim]# {shown_text(setting.description)}[/]")
        style = "default" if setting.source == DEFAULT else "bold"
        console.print(
            f"[{style}]{setting.environment}={text}[/]  [dim]# {setting.source}[/]", soft_wrap=True
        )
    for name in unknown:
        console.print(f"[yellow]# there is no setting {shown_text(name)}[/]")
    console.print(
        f"[dim]# in streamer.toml a name is without STREAMER_ and small; files of {SECRETS_DIR}, "
        "a folder, hold one value each[/]",
    )
