"""The JSON Schemas of ``schemas/``: to validate with, and to generate from."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FOLDER = Path(__file__).parents[2] / "schemas"
EVENT_TYPES = (
    "purchase",
    "refund",
    "payment",
    "referral",
    "rating",
    "share",
    "acquisition_cost",
    "profile",
    "experiment",
    "erasure",
)
NAMES = tuple(sorted(path.name for path in FOLDER.glob("*.json")))
Schema = dict[str, Any]


@cache
def load(name: str) -> Schema:
    """Return the schema in a file, such as purchase.json."""
    schema: Schema = json.loads((FOLDER / name).read_text(encoding="utf-8"), object_hook=_ecma)
    return schema


def _ecma(node: Schema) -> Schema:
    """Say ECMA-262's $ in Python: there it matches before a final line feed too."""
    if isinstance(node.get("pattern"), str):
        node["pattern"] = node["pattern"].replace("$", r"\Z")
    return node


@cache
def validator(name: str) -> Draft202012Validator:
    """Return a validator of the schema in a file."""
    resources = [(other, Resource.from_contents(load(other))) for other in NAMES]
    registry: Registry[Any] = Registry().with_resources(resources)
    return Draft202012Validator(load(name), registry=registry, format_checker=FormatChecker())


def is_valid(name: str, instance: Any) -> bool:
    """Return whether ``instance`` keeps to the schema in a file."""
    return bool(validator(name).is_valid(instance))


@cache
def inlined(name: str) -> Schema:
    """Return a schema with its references replaced, in the words of draft 7.

    That is what hypothesis-jsonschema reads. Words beside a reference become a second part of
    an ``allOf``.
    """
    inline = _inline(load(name), name)
    return {k: v for k, v in inline.items() if k not in ("$schema", "$id", "$defs")}


def _inline(node: Any, file: str) -> Any:
    if isinstance(node, list):
        return [_inline(item, file) for item in node]
    if not isinstance(node, dict):
        return node
    beside = {k: _inline(v, file) for k, v in node.items() if k not in ("$ref", "description")}
    if "$ref" not in node:
        return beside
    path, _, pointer = node["$ref"].partition("#/$defs/")
    target = _inline(load(path or file)["$defs"][pointer], path or file)
    return {"allOf": [target, beside]} if beside else target


def parts(schema: Schema) -> list[Schema]:
    """Return an inlined schema and those it is made of with allOf."""
    return [schema, *(one for part in schema.get("allOf", ()) for one in parts(part))]


def properties(schema: Schema) -> dict[str, Schema]:
    """Return all properties of an inlined schema of an object, by name."""
    found: dict[str, list[Schema]] = {}
    for part in parts(schema):
        for name, of_name in part.get("properties", {}).items():
            found.setdefault(name, []).append(of_name)
    return {name: one[0] if len(one) == 1 else {"allOf": one} for name, one in found.items()}


def required(schema: Schema) -> set[str]:
    """Return the names of all properties that an inlined schema requires."""
    return {name for part in parts(schema) for name in part.get("required", ())}
