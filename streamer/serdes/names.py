"""No name stands twice in one JSON object: parsers differ in which of the two they take."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any

import msgspec

from streamer.records.dead_letters import Rejected

_decode = msgspec.json.Decoder().decode


def refuse_repeated_names(value: bytes) -> None:
    """Raise if an object in ``value``, which is JSON, has a name twice.

    Raises:
        Rejected: it has, or ``value`` is no JSON.
    """
    if not _surely_unique(value):
        _refuse_repeated_names(value)


def _surely_unique(value: bytes) -> bool:
    """Return whether ``value`` holds no text beside the names and texts that parsing gives.

    Parsing drops all but one of equal names. Each text has two quotation marks. Quick, never
    wrongly true.
    """
    marks = value.count(b'"')
    if value.find(b"\\") >= 0:
        if value.count(b"\\\\"):
            return False  # what comes before a quotation mark is then a longer story
        marks -= value.count(b'\\"')
    try:
        return marks == 2 * _texts((_decode(value),))
    except (msgspec.DecodeError, RecursionError):
        return False


def _texts(values: Iterable[Any]) -> int:
    """Return how many names and texts there are in ``values`` and all that is in them."""
    kinds = list(map(type, values))
    count = kinds.count(str)
    if dict in kinds or list in kinds:
        for one in values:
            if type(one) is dict:
                count += len(one) + _texts(one.values())
            elif type(one) is list:
                count += _texts(one)
    return count


def _refuse_repeated_names(value: bytes) -> None:
    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        names = Counter(name for name, _ in items)
        if len(names) < len(items):
            repeated = names.most_common(1)[0][0]
            raise Rejected("malformed", "the name stands twice in one object", repeated)
        return {}

    try:
        json.loads(
            value, object_pairs_hook=pairs, parse_int=str, parse_float=str, parse_constant=str
        )
    except ValueError as error:
        raise Rejected("malformed", f"no JSON: {error}") from None
