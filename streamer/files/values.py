"""Cells of a transactions table: instants and amounts of money."""

from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from streamer.records.instants import from_datetime, to_datetime

EPOCH_DIGITS = {10: 1_000_000, 13: 1_000, 16: 1}
"""Digits of a Unix time today → microseconds in its unit: seconds, milliseconds, microseconds."""

AMOUNT_DIGITS_MAX = 40


@lru_cache(maxsize=4096)
def instant_of(text: str) -> int:
    """Read an instant.

    Args:
        text: ISO 8601 date or date and time (also YYYYMMDD), or a Unix time in seconds,
            milliseconds or microseconds. Without an offset it is UTC.

    Returns:
        Microseconds since 1970 UTC.

    Raises:
        ValueError: It is none of these.
    """
    unit = EPOCH_DIGITS.get(len(text)) if text.isascii() and text.isdigit() else None
    if unit is not None:
        return int(text) * unit
    return instant_of_date(datetime.fromisoformat(text))


def instant_of_date(moment: date) -> int:
    """Turn a date (its midnight) or a date and time (UTC if it has no offset) into an instant."""
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


@lru_cache(maxsize=4096)
def rfc3339(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC, with a fraction only where there is one.

    Raises:
        OverflowError: The year is not within 1 to 9999.
    """
    return to_datetime(instant).isoformat().removesuffix("+00:00") + "Z"


def decimal_text(text: str) -> str:
    """Give an amount of money as plain decimal text with the digits it came with.

    Raises:
        ValueError: It is no finite decimal number, or an absurdly long one.
    """
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite() or abs(number.adjusted()) > AMOUNT_DIGITS_MAX:
        raise ValueError(text)
    return format(number, "f")
