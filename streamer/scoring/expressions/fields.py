"""The public fields that expressions know, by kind, and as columns of a batch of updates.

They are the fields of ``LtvUpdate`` and ``ChurnRiskUpdate`` by their names on the wire; a field
that is new there is known here at once. Money is a number in the reporting currency.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from streamer.records.instants import DAY, MICROSECOND
from streamer.records.scores import ChurnRiskUpdate, LtvUpdate
from streamer.state.windows import WINDOW_DAYS

Kind = Literal["number", "text", "instant", "flag", "texts"]
Array = NDArray[Any]

TEXTS = {
    "acquisition_channel",
    "currency",
    "customer_id",
    "location",
    "loyalty_tier",
    "model_version",
    "next_category",
    "next_tier",
    "previous_loyalty_tier",
    "referred_by",
}
"""Fields of plain texts; every other one that is a text on the wire is money."""

HIDDEN = {"score_id", "revision", "scored_at", "schema_version", "horizon_days", "interval_level"}
"""Fields that tell nothing of the customer, or the clock's time."""

_DAY_SECONDS = DAY * MICROSECOND.total_seconds()


def _kind(name: str, hint: Any) -> Kind | None:
    """Return the kind of a field by its type; None for what expressions cannot hold."""
    options = [one for one in get_args(hint) if one is not NoneType] or [hint]
    option = options[0] if get_origin(hint) is UnionType or len(options) == 1 else hint
    if get_origin(option) is Literal:
        return "text"
    if get_origin(option) in {list, tuple}:
        return "texts" if get_args(option)[0] is str else None
    kinds: dict[Any, Kind] = {
        bool: "flag",
        int: "number",
        float: "number",
        datetime: "instant",
        str: "text" if name in TEXTS else "number",
    }
    return kinds.get(option)


def _fields_of(struct: type, besides: set[str]) -> dict[str, Kind]:
    hints = get_type_hints(struct)
    kinds = {name: _kind(name, hint) for name, hint in hints.items() if name not in besides}
    return {name: kind for name, kind in kinds.items() if kind is not None}


_VALUE_FIELDS = _fields_of(LtvUpdate, HIDDEN | {"reasons"})
_RISK_FIELDS = _fields_of(ChurnRiskUpdate, HIDDEN | {"reasons"} | _VALUE_FIELDS.keys())
_WINDOWS = {
    f"{name}_{days}_days": (name, str(days))
    for name in ("orders", "revenue")
    for days in WINDOW_DAYS
}
DERIVED = ("days_since_last_purchase", "days_since_first_purchase")

TOLD: Mapping[str, Kind] = {**_VALUE_FIELDS, **_RISK_FIELDS}
"""What stands in the updates themselves."""

FIELDS: Mapping[str, Kind] = {
    **TOLD,
    **dict.fromkeys(_WINDOWS, "number"),
    **dict.fromkeys(DERIVED, "number"),
}
"""What an expression may name, and its kind."""


class Frame:
    """A batch of n customers' updates as columns, made when they are asked for; shape (n,) each.

    Numbers are float64, nan where null; instants likewise, in seconds since 1970; texts are
    objects, None where null; flags are int8: 2 true, 1 unknown, 0 false.
    """

    def __init__(self, values: Sequence[LtvUpdate], risks: Sequence[ChurnRiskUpdate]) -> None:
        self.values, self.risks = values, risks
        self._columns: dict[str, Array] = {}
        self._found: dict[str, Array] = {}

    def __len__(self) -> int:
        return len(self.values)

    def column(self, name: str) -> Array:
        """Return the field ``name`` of all customers."""
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._made(name)
        return column

    def add(self, name: str, column: Array) -> None:
        """Let expressions name ``column``."""
        if name in self._columns:
            self._found.clear()
        self._columns[name] = column

    def once(self, text: str, evaluate: "Callable[[Frame], Array]") -> Array:
        """Return what ``evaluate`` finds of the condition ``text``; asked again, it is at hand."""
        found = self._found.get(text)
        if found is None:
            found = self._found[text] = evaluate(self)
        return found

    def _made(self, name: str) -> Array:
        if name in _WINDOWS:
            figure, days = _WINDOWS[name]
            taken = attrgetter(figure)
            return np.array([taken(one.windows[days]) for one in self.values], dtype=np.float64)
        if name in DERIVED:
            since = self.column("as_of") - self.column(name.removeprefix("days_since_") + "_at")
            return since / _DAY_SECONDS
        updates = self.values if name in _VALUE_FIELDS else self.risks
        return _MAKERS[FIELDS[name]](list(map(attrgetter(name), updates)))


def _numbers(values: list[Any]) -> Array:
    return np.array(values, dtype=np.float64)


def _instants(values: list[Any]) -> Array:
    return np.array([np.nan if one is None else one.timestamp() for one in values])


def _objects(values: list[Any]) -> Array:
    column = np.empty(len(values), dtype=object)
    column[:] = values
    return column


def _flags(values: list[Any]) -> Array:
    return np.array([1 if one is None else 2 * one for one in values], dtype=np.int8)


def _text_lists(values: list[Any]) -> Array:
    column = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        column[place] = value
    return column


_MAKERS: dict[Kind, Callable[[list[Any]], Array]] = {
    "number": _numbers,
    "instant": _instants,
    "text": _objects,
    "flag": _flags,
    "texts": _text_lists,
}
