"""What a partition contributes to the figures of the whole shop: ``programme-partials``.

Of each partition there is one record for each group of customers, each arm of an experiment and
each value of a trait, each product or category rated, whole, and a ``Share`` that says which of
them are in force. They stand in the partition's own partition of the topic, written with its rows'
transactions. Keys are JSON arrays of texts: ``["group","channel:email"]``,
``["arm","free-shipping","offer"]``, ``["trait","channel","email"]``,
``["ratings","product:p-1"]``, ``["share"]``.
"""

from typing import Literal

from msgspec import Struct

from streamer.records.instants import NEVER
from streamer.records.models import FORMULA

Key = tuple[str, ...]
"""Of a record: what it is of, and its name."""

GROUP, ARM, TRAIT, RATINGS = "group", "arm", "trait", "ratings"
SHARE: Key = ("share",)


class Share(Struct, frozen=True, kw_only=True):
    """Which records of a partition are in force: others are left from an earlier owner."""

    time: int = NEVER
    """Of the partition, when they were written; microseconds since 1970."""
    generation: int = 0
    model_version: str = FORMULA
    """By which lifetime values are."""
    keys: list[Key] = []
    beyond: dict[str, Key] = {}
    """By kind, the first key that was left out because there were too many."""
    valued: bool = True
    """Whether all lifetime values are in the sums: not while customers are scored anew."""
    schema_version: Literal[1] = 1
