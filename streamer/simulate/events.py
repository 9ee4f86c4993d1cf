"""Wire events of a simulated shop, one function a type, and how times and money are written."""

from datetime import datetime, timedelta
from typing import Any

Event = dict[str, Any]
Timed = tuple[int, Event]
"""Milliseconds since the shop's start, and the event of that time."""


def instant(start: datetime, at_ms: int) -> str:
    """Write start + milliseconds as RFC 3339; start is in UTC."""
    moment = start + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def money(hundredths: int) -> str:
    """Write hundredths as decimal text."""
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def hundredths(text: str) -> int:
    """Read back what `money` wrote."""
    return int(text.replace(".", ""))


def customer_id(index: int) -> str:
    """Name the customer of an index."""
    return f"c{index:07d}"


def common(event_id: str, kind: str, customer: str, occurred_at: str) -> Event:
    """Give the fields that every event has."""
    return {
        "event_id": event_id,
        "type": kind,
        "schema_version": 1,
        "customer_id": customer,
        "occurred_at": occurred_at,
    }
