"""What a change of a JSON Schema breaks: additive changes keep the version, others make a new one.

Events in: whoever sends what the old schema allows must not be refused by the new one, so limits
may only become wider. Events out: whoever reads by the old schema must understand the new, and
whoever reads by the new must understand what lies in the topics, so limits must stay. On both sides
an optional property may be added, and none may go.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = dict[str, Any]
ANNOTATIONS = {"$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default"}
UPPER = {"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"}
LOWER = {"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"}
NESTED = {"items", "additionalProperties", "propertyNames", "not", "if", "then", "else"}
ALTERNATIVES = {"allOf", "anyOf", "oneOf"}


def read(folder: Path) -> dict[str, Schema]:
    """Return the schemas of a folder by the names of their files."""
    files = sorted(folder.glob("*.json"))
    return {file.name: json.loads(file.read_text(encoding="utf-8")) for file in files}


def breaks(
    old: Mapping[str, Schema], new: Mapping[str, Schema], inputs: frozenset[str]
) -> list[str]:
    """Return what of ``old`` no longer holds in ``new``, one sentence each; empty if nothing.

    Args:
        old: schemas by file name; references lead to each other's ``$defs``.
        new: the same.
        inputs: the files of events that come in.
    """
    found = [f"{name} is gone" for name in old if name not in new]
    for name in old.keys() & new.keys():
        before, after = inlined(old, name), inlined(new, name)
        found += _breaks(before, after, name, wider=name in inputs)
    return sorted(found)


def inlined(schemas: Mapping[str, Schema], name: str) -> Schema:
    """Return a schema with its references replaced by what they lead to."""
    whole = _inlined(schemas, schemas[name], name)
    assert isinstance(whole, dict)
    return whole


def _inlined(schemas: Mapping[str, Schema], node: Any, file: str) -> Any:
    if isinstance(node, list):
        return [_inlined(schemas, one, file) for one in node]
    if not isinstance(node, dict):
        return node
    rest = {key: _inlined(schemas, value, file) for key, value in node.items() if key != "$ref"}
    if "$ref" not in node:
        return rest
    path, _, pointer = node["$ref"].partition("#/$defs/")
    target = schemas[path or file]
    found = _inlined(schemas, target["$defs"][pointer] if pointer else target, path or file)
    # Words beside a reference hold besides it.
    return {"allOf": [found, rest]} if rest.keys() - ANNOTATIONS else found


def _breaks(old: Any, new: Any, at: str, *, wider: bool) -> Iterator[str]:
    if not isinstance(old, dict) or not isinstance(new, dict):
        if old != new:
            yield f"{at}: {old} became {new}"
        return
    yield from _properties(old, new, at, wider=wider)
    for word in sorted((old.keys() | new.keys()) - ANNOTATIONS - {"properties", "required"}):
        yield from _word(word, old, new, f"{at}: {word}", wider=wider)


def _properties(old: Schema, new: Schema, at: str, *, wider: bool) -> Iterator[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        if name in after:
            yield from _breaks(before[name], after[name], f"{at}.{name}", wider=wider)
        else:
            yield f"{at}.{name} is gone"
    for name in after.keys() - before.keys():
        if old.get("additionalProperties") is False and not wider:
            yield f"{at}.{name} is new where readers expect nothing more"
    required, then = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(then - required):
        yield f"{at}.{name} has become required"
    if not wider:
        for name in sorted(required - then):
            yield f"{at}.{name} is no longer sure to be there"


def _word(word: str, old: Schema, new: Schema, at: str, *, wider: bool) -> Iterator[str]:
    if word not in old:
        yield f"{at} is a new limit"
    elif word not in new:
        if not wider:
            yield f"{at} no longer holds"
    elif word in NESTED and isinstance(old[word], dict) and isinstance(new[word], dict):
        same_way = word not in {"not", "if"}
        yield from _breaks(old[word], new[word], at, wider=wider and same_way)
    elif word in ALTERNATIVES:
        yield from _alternatives(word, old[word], new[word], at, wider=wider)
    elif old[word] != new[word] and not (wider and _is_wider(word, old[word], new[word])):
        yield f"{at} was {old[word]} and is {new[word]}"


def _alternatives(
    word: str, old: list[Any], new: list[Any], at: str, *, wider: bool
) -> Iterator[str]:
    for number, (before, after) in enumerate(zip(old, new, strict=False)):
        yield from _breaks(before, after, f"{at}[{number}]", wider=wider)
    more_is_wider = wider and word == "anyOf"
    if len(new) < len(old) or (len(new) > len(old) and not more_is_wider):
        yield f"{at} had {len(old)} parts and has {len(new)}"


def _is_wider(word: str, old: Any, new: Any) -> bool:
    """Return whether whatever ``old`` allows is allowed by ``new``."""
    if word in UPPER:
        return bool(new >= old)
    if word in LOWER:
        return bool(new <= old)
    if word == "type":
        before, after = ({one} if isinstance(one, str) else set(one) for one in (old, new))
        return before <= after | ({"integer"} if "number" in after else set())
    if word == "enum":
        return all(one in new for one in old)
    return word == "additionalProperties" and new is True
