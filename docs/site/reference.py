"""The reference, from what the program itself goes by: commands, settings, schemas and so on."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic_core import PydanticUndefined
from typer import Context
from typer.cli import get_docs_for_click

from streamer import metrics as workers
from streamer.cli import COMMANDS, load
from streamer.settings import Settings
from streamer.web.openapi import document
from streamer.web.site import ROUTES
from streamer.webhooks import metrics as webhooks

SCHEMAS = Path(__file__).parents[2] / "schemas"
Node = Mapping[str, Any]


def commands() -> str:
    """Return the page of the command line, from Typer."""
    parts = ["# Command line", "As `streamer COMMAND --help` tells it."]
    for name in COMMANDS:
        command = load(name)
        context = Context(command, info_name=name)
        text = get_docs_for_click(obj=command, ctx=context, name=name, call_prefix="streamer")
        parts.append(text.replace("\n#", "\n##").replace("# ", "## ", 1).strip())
    return _page(parts)


def settings() -> str:
    """Return the page of the settings."""
    rows = [
        (f"`STREAMER_{name.upper()}`", _code(_default(field)), field.description or "")
        for name, field in sorted(Settings.model_fields.items())
    ]
    text = (
        "Each is set in the environment, in `.env`, in `streamer.toml` (by its name without "
        "`STREAMER_`, in small letters) or by a file of its name in small letters in the folder "
        "`STREAMER_SECRETS_DIR`; `streamer config show` tells what holds. `STREAMER_CACHE_DIR` "
        "says where downloads are kept."
    )
    return _page(["# Settings", text, _table(("setting", "default", "what it is"), rows)])


def _default(field: Any) -> object:
    value = field.get_default(call_default_factory=True)
    return "" if value is PydanticUndefined else value


def wire() -> str:
    """Return the page of the messages, from their JSON Schemas."""
    named = {file.stem: json.loads(file.read_text()) for file in sorted(SCHEMAS.glob("*.json"))}
    common = named.pop("common")
    text = (
        "Events come in on `purchases`, `referrals` and `interactions`, all else goes out. The "
        "schemas themselves (JSON Schema 2020-12) and `asyncapi.yaml`, which tells the topics, are "
        "in the folder `schemas`. Fields that every event or every score has stand at the end."
    )
    parts = ["# Messages", text]
    for stem, schema in named.items():
        parts += [f"## {schema.get('title', stem)}", _message(schema, common)]
    for name, title in (("event", "What every event has"), ("score", "What every score has")):
        parts += [f"## {title}", _message(common["$defs"][name], common)]
    return _page(parts)


def _message(schema: Node, common: Node) -> str:
    required = schema.get("required", ())
    rows = [
        (f"`{name}`", "yes" if name in required else "", _described(one, common))
        for name, one in schema.get("properties", {}).items()
    ]
    table = _table(("field", "required", "what it is"), rows) if rows else ""
    return f"{schema.get('description', '')}\n\n{table}"


def _described(one: Node, common: Node) -> str:
    """Return what a field is; where only what it refers to says it, that."""
    if "description" in one:
        return str(one["description"])
    if "const" in one:
        return f"always `{one['const']}`"
    reference = str(one.get("$ref", ""))
    return str(common["$defs"].get(reference.rpartition("/")[2], {}).get("description", ""))


def metrics() -> str:
    """Return the page of what Prometheus is told."""
    text = (
        "No label names a customer. What to watch and which alerts there are: "
        "[operations](../operations.md), [runbooks](../runbooks.md)."
    )
    parts = [
        "# Metrics", text,
        "## Of a worker", _metrics(workers.REGISTRY),
        "## Of `streamer webhooks run`", _metrics(webhooks.REGISTRY),
    ]  # fmt: skip
    return _page(parts)


def _metrics(registry: CollectorRegistry) -> str:
    rows = [
        (
            f"`{_exposed(one.name, one.type)}`", one.type, _labels(registry, one.name),
            one.documentation,
        )
        for one in sorted(registry.collect(), key=lambda family: family.name)
    ]  # fmt: skip
    return _table(("metric", "type", "labels", "what it is"), rows)


def _exposed(name: str, kind: str) -> str:
    return f"{name}_total" if kind == "counter" else name


def _labels(registry: CollectorRegistry, family: str) -> str:
    """Return the labels' names; a metric that has no series yet is asked for them."""
    owner = registry._names_to_collectors.get(family)  # noqa: SLF001 - it has no other way
    names = getattr(owner, "_labelnames", ())
    return ", ".join(f"`{name}`" for name in names)


def http() -> str:
    """Return the page of the API, from the OpenAPI document that a worker serves."""
    described = document(ROUTES, "", guarded=False)
    text = f"{described['info']['description']}\n\nThe document itself: `/v1/openapi.json`."
    parts = ["# HTTP API", text]
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            parts.append(f"## `{method.upper()} {path}`\n\n{operation['summary']}.")
            rows = [
                (
                    f"`{one['name']}`", one["in"],
                    one.get("description") or one["schema"].get("description", ""),
                )
                for one in operation["parameters"]
            ]  # fmt: skip
            if rows:
                parts.append(_table(("parameter", "in", "what it is"), rows))
            body = operation.get("requestBody")
            if body:
                parts.append(f"Body: {_types(body)}.")
            parts.append(f"Answer: {_types(operation['responses']['200'])}.")
    parts += ["## Objects", "What the answers are made of."]
    for name, schema in sorted(described["components"]["schemas"].items()):
        rows = [
            (f"`{field}`", _type(one), str(one.get("description", "")))
            for field, one in schema.get("properties", {}).items()
        ]
        if rows:
            table = _table(("field", "type", "what it is"), rows)
            parts.append(f"### {name}\n\n{schema.get('description', '')}\n\n{table}")
    return _page(parts)


def _types(message: Node) -> str:
    content = message["content"].items()
    return ", ".join(f"{_type(one['schema'])} as `{kind}`" for kind, one in content)


def _type(schema: Node) -> str:
    """Return a type in a word or two; a link where it is an object of the page."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if "enum" in schema:
        return " or ".join(f"`{one}`" for one in schema["enum"])
    kind = schema.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _code(value: object) -> str:
    text = json.dumps(value, default=str) if isinstance(value, dict | tuple | list) else str(value)
    return "" if text in {"", "None", "{}", "[]"} else f"`{text}`"


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(header)]
    lines += [["---"] * len(lines[0])]
    lines += [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"
