"""How commands read instants and print: for people, and as JSON for programs."""

from datetime import datetime
from typing import Any

import msgspec
import typer
from rich.markup import escape

from streamer.errors import StreamerError
from streamer.records.instants import NEVER, from_datetime, to_datetime


class UsageError(StreamerError):
    """An option is not what it should be."""


def instant_of_option(option: str, text: str) -> int:
    """Return the instant, in microseconds since 1970, of an RFC 3339 ``text``.

    Raises:
        UsageError: it is none, or lies before 1970.
    """
    try:
        instant = from_datetime(datetime.fromisoformat(text))
        if instant < 0:
            raise ValueError(text)
    except (ValueError, TypeError):  # a TypeError is a time without its offset
        raise UsageError(
            f"{option} {text!r} is no instant since 1970: write it as 2026-01-31T12:00:00Z."
        ) from None
    return instant


def shown_instant(instant: int) -> str | None:
    """Return ``instant`` as RFC 3339, to the second unless it has a fraction; None for never."""
    if instant == NEVER:
        return None
    return to_datetime(instant).isoformat().removesuffix("+00:00") + "Z"


def amount(text: str) -> str:
    """Return a decimal text with its thousands apart.

    >>> amount("-1234567.50")
    '-1,234,567.50'
    """
    whole, point, fraction = text.partition(".")
    return f"{int(whole):,}{point}{fraction}" if whole != "-0" else text


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts.

    >>> counted(1, "order"), counted(2_000, "order")
    ('1 order', '2,000 orders')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def shown_text(text: str) -> str:
    """Return what somebody else wrote, fit for a terminal: no control codes, no markup."""
    return escape("".join(sign if sign.isprintable() else "\ufffd" for sign in text))


def print_json(value: Any) -> None:
    """Print ``value`` as one indented JSON document."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value), indent=2))
