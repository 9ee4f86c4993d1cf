"""A refused payload, laid out line by line, with the fault marked."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

LINES_AROUND_MAX = 12
"""Lines shown before and behind a mark; what lies further off is left out."""

SIGNS_AROUND_MAX = 30
"""Of a text that is no JSON, before and behind the fault."""


class Line(NamedTuple):
    """One line of a payload."""

    text: str
    marked: bool = False
    path: str = ""
    """Of the value that begins here, as in a dead letter's field: ``items[0].price``."""


class _Number(str):
    """A number as it was written: no digit is lost on the way to the screen."""

    __slots__ = ()


class _Object(list[tuple[str, Any]]):
    """An object's names and values, those with one name too."""


def marked_payload(value: str, field: str, *, missing: bool = False) -> list[Line]:
    """Return ``value`` as lines, at most some around each mark.

    Args:
        value: the payload; where it is no JSON, the place at which it ceases to be is marked.
        field: the path of what is at fault; empty where that is the payload as a whole.
        missing: whether the field is not there.

    >>> [line.text for line in marked_payload('{"a": 1.50}', "a") if line.marked]
    ['  "a": 1.50']
    """
    try:
        parsed = json.loads(
            value,
            object_pairs_hook=_Object,
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_Number,
        )
    except json.JSONDecodeError as error:
        return list(_around(value, error))
    except RecursionError:
        return [Line(value[: 2 * SIGNS_AROUND_MAX] + " …", marked=True)]
    return _near_marks(_marked(list(_lines(parsed, "", "", "")), field, missing=missing))


def _lines(value: Any, path: str, name: str, comma: str, depth: int = 0) -> Iterator[Line]:
    """Give the lines of ``value``, which begins with its ``name`` if it has one."""
    indent = "  " * depth
    if isinstance(value, _Object):
        brackets, repeated = "{}", Counter(inner for inner, _ in value)
        inner = [
            (f"{path}.{key}".lstrip("."), f"{json.dumps(key, ensure_ascii=False)}: ", one, key)
            for key, one in value
        ]
    elif isinstance(value, list):
        brackets, repeated = "[]", Counter()
        inner = [(f"{path}[{place}]", "", one, "") for place, one in enumerate(value)]
    else:
        text = value if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)
        yield Line(f"{indent}{name}{text}{comma}", False, path)
        return
    if not inner:
        yield Line(f"{indent}{name}{brackets}{comma}", False, path)
        return
    yield Line(f"{indent}{name}{brackets[0]}", False, path)
    for place, (inner_path, inner_name, one, key) in enumerate(inner, 1):
        # Of a name that stands twice a dead letter tells the name alone.
        at = key if repeated[key] > 1 else inner_path
        yield from _lines(one, at, inner_name, "," if place < len(inner) else "", depth + 1)
    yield Line(f"{indent}{brackets[1]}{comma}")


def _marked(lines: list[Line], field: str, *, missing: bool) -> list[Line]:
    if not field:
        return lines
    paths = {line.path for line in lines if line.path}
    field = field.partition("[...]")[0]  # msgspec's way to name one of many attributes
    # In a CloudEvent the event is its data.
    found = next((one for one in (field, f"data.{field}") if one in paths), None)
    if found is not None:
        return [line._replace(marked=line.path == found) for line in lines]
    return _with_missing(lines, field) if missing else lines


def _with_missing(lines: list[Line], field: str) -> list[Line]:
    """Return ``lines`` with one more at the head of the object that lacks the last of ``field``."""
    parent, _, name = field.rpartition(".")
    for place, line in enumerate(lines):
        if line.path == parent and line.text.endswith("{"):
            indent = len(line.text) - len(line.text.lstrip()) + 2
            absent = Line(f"{' ' * indent}{json.dumps(name)}: … is missing", marked=True)
            return [*lines[: place + 1], absent, *lines[place + 1 :]]
    return lines


def _near_marks(lines: Sequence[Line]) -> list[Line]:
    marks = [place for place, line in enumerate(lines) if line.marked] or [0]
    shown: list[Line] = []
    left_out = False
    for place, line in enumerate(lines):
        if any(abs(place - mark) <= LINES_AROUND_MAX for mark in marks):
            shown.append(line)
            left_out = False
        elif not left_out:
            shown.append(Line("  …"))
            left_out = True
    return shown


def _around(value: str, error: json.JSONDecodeError) -> Iterator[Line]:
    """Give the stretch of ``value`` where it ceases to be JSON, and below it a pointer."""
    start = max(0, error.pos - SIGNS_AROUND_MAX)
    before, behind = value[start : error.pos], value[error.pos : error.pos + SIGNS_AROUND_MAX]
    before, behind = (" ".join(text.splitlines()) for text in (before, behind))
    lead = "… " if start else ""
    more = " …" if error.pos + SIGNS_AROUND_MAX < len(value) else ""
    yield Line(f"{lead}{before}{behind}{more}")
    yield Line(f"{' ' * len(lead + before)}^ {error.msg}", marked=True)
