"""Cells of a transactions table: instants and amounts of money."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from streamer.records.instants import from_datetime, to_datetime

EPOCH_DIGITS = {10: 1_000_000, 13: 1_000, 16: 1}
"""Digits of a Unix time today → microseconds in its unit: seconds, milliseconds, microseconds."""

DATE_FORMATS = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d",
                "%d/%m/%y", "%m/%d/%y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y")  # fmt: skip
TIME_FORMATS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
"""What dates often look like. None is taken unasked: 03/04/2025 is one day here, another there."""

AMOUNT_DIGITS_MAX = 40

GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+\.\d+")
"""1,234.50 can mean one thing only; 1,234 and 12,50 cannot."""


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


SIGNS = {"$": "USD", "€": "EUR", "£": "GBP"}
"""Signs of money that stand beside amounts. A dollar that is another one shows itself: it has no
rate, and the dead letter says so."""

GROUPED_BY_DOTS = re.compile(r"-?\d{1,3}(\.\d{3})+(,\d*)?")
SPACES = str.maketrans("", "", " \u00a0\u202f")
"""They part thousands, or an amount from its sign."""


def without_sign(text: str) -> tuple[str, str]:
    """Part an amount from the sign of money before or behind it.

    Returns:
        The amount, and the currency that the sign says; empty where there is none.
    """
    for sign, currency in SIGNS.items():
        if sign in text:
            bare = text.strip()
            minus = "-" if bare.startswith("-") else ""
            bare = bare.removeprefix("-").removeprefix(sign).removesuffix(sign).strip()
            return minus + bare, currency
    return text, ""


@lru_cache(maxsize=4096)
def rfc3339(instant: int) -> str:
    """Write an instant as RFC 3339 in UTC, with a fraction only where there is one.

    Raises:
        OverflowError: The year is not within 1 to 9999.
    """
    return to_datetime(instant).isoformat().removesuffix("+00:00") + "Z"


def formats_of(text: str) -> tuple[str, ...]:
    """Give the formats among the frequent ones that a date or date and time may be written in."""
    return tuple(
        day + time for day in DATE_FORMATS for time in TIME_FORMATS if _fits(text, day + time)
    )


def _fits(text: str, date_format: str) -> bool:
    try:
        datetime.strptime(text, date_format).replace(tzinfo=UTC)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=4096)
def instant_in(text: str, date_format: str) -> int:
    """Read an instant written in a format of `strptime`; without an offset it is UTC.

    Raises:
        ValueError: It is not written so.
    """
    # DTZ007: without an offset it is UTC, as everywhere in a file.
    return instant_of_date(datetime.strptime(text, date_format))  # noqa: DTZ007


def decimal_text(text: str, *, comma: bool = False) -> str:
    """Give an amount of money as plain decimal text with the digits it came with.

    Args:
        text: A decimal number; thousands may be parted where that leaves no doubt.
        comma: Whether the decimals come after a comma, and dots part the thousands.

    Raises:
        ValueError: It is no finite decimal number, or an absurdly long one.
    """
    if comma:
        text = text.translate(SPACES)
        if "." in text and not GROUPED_BY_DOTS.fullmatch(text):
            raise ValueError(text)  # 12.50 is not 1250
        text = text.replace(".", "").replace(",", ".")
    elif GROUPED.fullmatch(text):
        text = text.replace(",", "")
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(text) from None
    if not number.is_finite() or abs(number.adjusted()) > AMOUNT_DIGITS_MAX:
        raise ValueError(text)
    return format(number, "f")
