"""How one file writes what it says, where that differs from what is usual."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Layout:
    """What the reader of a table must be told, since it cannot be seen for sure.

    Attributes:
        columns: Field (see `columns.ALIASES`) → the column that gives it, by its name in the file;
            fields that are not named are found by their usual names.
        date_format: Of dates and times, as `strptime` takes it; empty for the usual forms.
        decimal_comma: Whether 1.234,50 is meant, and not 1,234.50.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    date_format: str = ""
    decimal_comma: bool = False


USUAL = Layout()
