"""What adapters are made of: foreign JSON of any shape, and where each of our fields is from."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from streamer.records.dead_letters import Rejected

_PLAIN_EXPONENT_MAX = 40
_FIRST_NAME = re.compile(r"(\w+)(\[\d+\])?(.*)", re.DOTALL)

encode = msgspec.json.Encoder(decimal_format="number").encode
"""Return an event of ours as JSON."""


class Foreign(NamedTuple):
    """A foreign record, parsed; numbers with a point are ``Decimal``, so that none is rounded."""

    value: Any
    headers: Mapping[str, str]
    """By name in lower case."""
    key: str


class Fields:
    """An object of foreign JSON, and its path there."""

    __slots__ = ("_value", "path")

    def __init__(self, value: Any, path: str = "") -> None:
        if not isinstance(value, dict):
            raise Rejected("invalid", "not an object", path)
        self._value: dict[str, Any] = value
        self.path = path

    def named(self, name: str) -> str:
        """Return the path of the field ``name``."""
        return f"{self.path}.{name}" if self.path else name

    def get(self, name: str) -> Any:
        """Return the value of ``name``; None if it is null or not there."""
        return self._value.get(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def inner(self, name: str) -> "Fields":
        """Return the object ``name``; an empty one if it is null or not there."""
        value = self._value.get(name)
        return Fields({} if value is None else value, self.named(name))

    def each(self, name: str) -> list["Fields"]:
        """Return the objects of the list ``name``; none if it is null or not there."""
        value = self._value.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise Rejected("invalid", "not an array", self.named(name))
        return [Fields(one, f"{self.named(name)}[{place}]") for place, one in enumerate(value)]


Convert = Callable[[Any], Any]


class Translation:
    """One event of ours in the making.

    Args:
        type_: of the event.
    """

    def __init__(self, type_: str) -> None:
        self.event: dict[str, Any] = {"type": type_}
        self._foreign: dict[str, str] = {"type": ""}
        self._items: list[Fields] = []
        self._item_names: dict[str, str] = {}

    def set(self, field: str, value: Any, foreign: str) -> None:
        """Give ``field`` a value, told by the foreign path or header ``foreign``."""
        if value is not None:
            self.event[field] = value
        self._foreign[field] = foreign

    def take(self, field: str, source: Fields, *names: str, by: Convert = lambda one: one) -> None:
        """Give ``field`` the first value there is among ``names`` of ``source``."""
        name = next((one for one in names if _tells(source.get(one))), names[0])
        value = source.get(name)
        self.set(field, by(value) if _tells(value) else None, source.named(name))

    def take_items(
        self, items: Iterable[Fields], names: Mapping[str, tuple[tuple[str, ...], Convert]]
    ) -> None:
        """Give ``items`` the lines that tell a product: for each field its names and conversion."""
        taken = []
        for item in items:
            line = Translation("")
            for field, (foreign, by) in names.items():
                line.take(field, item, *foreign, by=by)
            line.event.pop("type")
            if "product_id" in line.event:  # a tip or a fee is none
                taken.append(line.event)
                self._items.append(item)
        self._item_names = {field: foreign[0] for field, (foreign, _) in names.items()}
        if taken:
            self.event["items"] = taken

    def foreign_field(self, field: str) -> str:
        """Return the foreign path of what our decoder calls ``field``.

        >>> told = Translation("purchase")
        >>> told.take("amount", Fields({"total": "x"}, "properties"), "total")
        >>> told.foreign_field("amount")
        'properties.total'
        """
        match = _FIRST_NAME.fullmatch(field)
        if match is None:
            return field
        name, place, rest = match.groups(default="")
        if name == "items" and place:
            item, inner = self._items[int(place[1:-1])], rest.lstrip(".")
            return item.named(self._item_names.get(inner, inner))
        return self._foreign.get(name, name) + place + rest


def _tells(value: Any) -> bool:
    """Return whether there is a value: many systems write an empty text where they have none."""
    return value is not None and value != ""


Adapter = Callable[[Foreign], Iterable[Translation | Rejected]]
"""Gives what it finds one by one; raises ``Rejected`` if the record as a whole cannot be read."""


def identifier(value: Any) -> Any:
    """Return an id as text: many systems count theirs."""
    return str(value) if type(value) is int else value


def money(value: Any) -> Any:
    """Return an amount as decimal text with all its digits."""
    if type(value) is int:
        return str(value)
    if isinstance(value, Decimal):
        plain = value.is_finite() and abs(value.adjusted()) < _PLAIN_EXPONENT_MAX
        return f"{value:f}" if plain else str(value)
    return value.strip() if isinstance(value, str) else value


def number(value: Any) -> Any:
    """Return a number that may be told as text; what is none, as it stands."""
    try:
        return float(value) if isinstance(value, Decimal | str) else value
    except (ValueError, OverflowError):
        return value


def text(value: Any) -> Any:
    """Return a text of ours, cut where it is too long to be kept."""
    return value[:256] if isinstance(value, str) else value
