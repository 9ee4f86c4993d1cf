"""What a partition keeps of its customers, as mappings: in memory, or where the shell has them."""

from collections.abc import MutableMapping
from typing import NamedTuple


class Tables(NamedTuple):
    """The committed state of one partition, encoded; only ``Partition`` changes it."""

    rows: MutableMapping[str, bytes]
    told: MutableMapping[str, bytes]
    """What was told last, by customer: see ``state.told``."""
    erased: MutableMapping[bytes, bytes]
    """What stays of erased customers, by ``serdes.rows.erased_key``."""


def in_memory() -> Tables:
    """Return empty tables that are dictionaries."""
    return Tables({}, {}, {})
