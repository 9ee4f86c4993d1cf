"""The rules of the decoder that no schema can say, written from the contract alone."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from tests.support.histories import RATES

Verdict = tuple[str, str]
"""Reason and field."""

TRILLION = Decimal(10**12)
EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):?(\d\d))"
)


def beyond_schema(event: dict[str, Any]) -> set[Verdict]:
    """Return every verdict that a schema-valid ``event`` deserves; none if it must decode."""
    found = _instants(event) | _amounts(event)
    if isinstance(event.get("schema_version"), float):
        found.add(("invalid", "schema_version"))
    if event["type"] == "referral" and event["referred_customer_id"] == event["customer_id"]:
        found.add(("self_referral", "referred_customer_id"))
    if event["type"] == "rating" and event["rating"] > event.get("scale", 5):
        found.add(("invalid", "rating"))
    return found


def _instants(event: dict[str, Any]) -> set[Verdict]:
    found: set[Verdict] = set()
    occurred_at = _moment(event["occurred_at"])
    if occurred_at is None:
        found.add(("invalid", "occurred_at"))
    elif occurred_at < datetime(1970, 1, 1, tzinfo=UTC):
        found.add(("out_of_range", "occurred_at"))
    if event["type"] == "purchase" and event.get("due_at") and _moment(event["due_at"]) is None:
        found.add(("invalid", "due_at"))
    return found


def _moment(text: str) -> datetime | None:
    """Return the moment if there is such a day, to the microsecond."""
    match = INSTANT.fullmatch(text)
    assert match, "the pattern lets only these through"
    *numbers, fraction, sign, hours, minutes = match.groups()
    micros = int(EXACT.to_integral_value(Decimal(f"0.{fraction or 0}").scaleb(6, EXACT)))
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    zone = timezone(-offset if sign == "-" else offset)
    try:
        year, month, day, hour, minute, second = map(int, numbers)
        whole = datetime(year, month, day, hour, minute, second, tzinfo=zone)
        return whole + timedelta(microseconds=micros)
    except (ValueError, OverflowError):
        return None


def _amounts(event: dict[str, Any]) -> set[Verdict]:
    """Money wherever it stands: amount, a purchase's parts, the lines' prices and costs."""
    if "currency" not in event or event["type"] not in (
        "purchase", "refund", "payment", "acquisition_cost"
    ):  # fmt: skip
        return set()
    found: set[Verdict] = set()
    rate = Decimal(1) if event["currency"] == "USD" else RATES.get(event["currency"])
    if rate is None:
        found.add(("unknown_currency", "currency"))
    for field, value in _money_of(event):
        amount = _rounded(_read(value))
        converted = _rounded(EXACT.multiply(amount, rate or Decimal(1)))
        if amount >= TRILLION:
            found.add(("invalid", field))
        elif converted >= TRILLION:
            found.add(("out_of_range", field))
        elif converted == 0 and event["type"] == "refund" and field == "amount":
            found.add(("invalid", field))
    return found


def _money_of(event: dict[str, Any]) -> Iterator[tuple[str, str | float]]:
    names = {"purchase": ("amount", "cost", "subtotal", "tax", "shipping", "discount")}
    for name in names.get(event["type"], ("amount",)):
        if event.get(name) is not None:
            yield name, event[name]
    if event["type"] in ("purchase", "refund"):
        for place, line in enumerate(event.get("items") or ()):
            for name in ("price", "cost"):
                if line.get(name) is not None:
                    yield f"items[{place}].{name}", line[name]


def _read(value: str | float) -> Decimal:
    if isinstance(value, float):
        return Decimal(f"{value:.15g}")
    return Decimal(value)


def _rounded(amount: Decimal) -> Decimal:
    return EXACT.to_integral_value(amount.scaleb(6, EXACT)).scaleb(-6, EXACT)
