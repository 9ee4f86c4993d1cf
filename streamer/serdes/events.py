"""Bytes to events.

The rules:

- Bare JSON, CloudEvents in binary mode (``ce_`` headers) and in structured mode are accepted.
- Any bytes give an event or ``Rejected``, never another exception.
- ``type`` decides what an event is.
"""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    NO_MARGIN,
    CustomerEvent,
    Details,
    Erasure,
    Payment,
    Purchase,
    Referral,
    Refund,
)
from streamer.records.instants import EPOCH, MICROSECOND, NEVER
from streamer.records.kafka import TOPIC_OF_TYPE, Headers
from streamer.records.money import AMOUNT_LIMIT, parse_amount
from streamer.serdes import cloud_events, interactions, wire
from streamer.serdes.names import refuse_repeated_names
from streamer.state.baskets import margin_rate

_decode_wire: Callable[[bytes], wire.WireEvent] = msgspec.json.Decoder(wire.WireEvent).decode
_decode_any = msgspec.json.Decoder().decode
_PLACE = re.compile(r"^(.*?)(?: - at `(?:key` in `)?\$\.?([^`]*)`)?$", re.DOTALL)
_CURRENCY = re.compile(r"[A-Z]{3}")


class EventDecoder:
    """Decodes events under one shop's settings.

    Args:
        reporting_currency: ISO 4217; all money is converted into it.
        rates: units of the reporting currency for one unit of each other currency.
        bytes_max: longer values are refused before they are parsed.
    """

    def __init__(
        self,
        reporting_currency: str = "USD",
        rates: Mapping[str, Decimal] | None = None,
        bytes_max: int = 1_048_576,
    ) -> None:
        self._rates = {**(rates or {}), reporting_currency: Decimal(1)}
        self.reporting_currency = reporting_currency
        self._bytes_max = bytes_max

    def decode(self, value: bytes | None, headers: Headers = ()) -> CustomerEvent:
        """Return the event in ``value``.

        Raises:
            Rejected: with the reason and, where one is at fault, the field.
        """
        try:
            event, plain = self._parse(value, headers)
            occurred_at = (event.occurred_at - EPOCH) // MICROSECOND
            if occurred_at < 0:
                raise Rejected("out_of_range", "before 1970", "occurred_at")
            convert = _plain_purchase if plain else _CONVERSIONS[type(event)]
            return convert(self, event, occurred_at)
        except _FAULTS as error:
            raise _refusal(error) from None

    def plain(self, value: bytes | None) -> Any:
        """Return the JSON in ``value``, whatever it tells; numbers with a point as ``Decimal``.

        Raises:
            Rejected: there is none, or it is too large.
        """
        try:
            checked = self._checked(value)
            refuse_repeated_names(checked)
            return _decode_exact(checked)
        except _FAULTS as error:
            raise _refusal(error) from None

    def _checked(self, value: bytes | None) -> bytes:
        if not value:
            raise Rejected("empty", "the record has no value")
        if len(value) > self._bytes_max:
            raise Rejected("too_large", f"{len(value)} bytes, {self._bytes_max} are allowed")
        if not value.isascii():
            value.decode()
        return value

    def _parse(self, raw: bytes | None, headers: Headers) -> tuple[wire.WireEvent, bool]:
        """Return what is told, and whether it is a purchase of which only the needful is told."""
        if headers and cloud_events.is_binary(headers):
            return cloud_events.of_binary(self._checked(raw) if raw else None, headers), False
        value = self._checked(raw)
        try:
            event = _decode_wire(value)
        except msgspec.ValidationError:
            refuse_repeated_names(value)
            if b'"specversion"' not in value:
                raise
            return cloud_events.of_structured(_decode_any(value)), False
        if type(event) is wire.WirePurchase and _is_plain(event, value):
            return event, True
        refuse_repeated_names(value)
        return event, False

    def money(self, value: float | str, currency: str, field: str) -> int:
        """Return ``value`` in millionths of the reporting currency."""
        try:
            micros = parse_amount(value)
        except ValueError as error:
            raise Rejected("invalid", str(error), field) from None
        if currency == self.reporting_currency:
            return micros
        if not _CURRENCY.fullmatch(currency):
            raise Rejected("invalid", "not an ISO 4217 code such as EUR", "currency")
        rate = self._rates.get(currency)
        if rate is None:
            raise Rejected(
                "unknown_currency", f"no rate for {currency}: set it in `rates`", "currency"
            )
        converted = round(micros * rate)
        if converted >= AMOUNT_LIMIT:
            raise Rejected("out_of_range", "a trillion or more after conversion", field)
        return converted


_PLAIN_TEXTS = 7 + 6
"""Names and texts of a purchase with the needful fields alone, its amount as a number."""


def _is_plain(event: wire.WirePurchase, value: bytes) -> bool:
    """Return whether ``value`` tells the needful fields of ``event`` once, and nothing besides.

    Each of them has brought its quotation marks, and whatever else there were would bring more: so
    most events are seen to have no name twice without a second look (see ``names``).
    """
    return value.count(b'"') == 2 * (_PLAIN_TEXTS + (type(event.amount) is str))


def _plain_purchase(decoder: EventDecoder, event: Any, occurred_at: int) -> CustomerEvent:
    amount = decoder.money(event.amount, event.currency, "amount")
    return Purchase(event.event_id, event.customer_id, occurred_at, event.order_id, amount, None)


CHECKOUT_SECONDS_MAX = 86_400
"""A tab left open for longer counts as a day: it tells of no effort."""

QUANTITY_MAX = 1_000_000
"""More of one item counts as so many."""

_PARTS = "subtotal", "tax", "shipping", "discount"


def _purchase(decoder: EventDecoder, event: wire.WirePurchase, occurred_at: int) -> Purchase:
    amount = decoder.money(event.amount, event.currency, "amount")
    cost = event.cost
    for name in _PARTS:
        if (part := getattr(event, name)) is not None:
            decoder.money(part, event.currency, name)
    margin = _best_margin(decoder, event.items, event.currency) if event.items else NO_MARGIN
    return Purchase(
        event.event_id,
        event.customer_id,
        occurred_at,
        event.order_id,
        amount,
        None if cost is None else decoder.money(cost, event.currency, "cost"),
        surroundings=interactions.surroundings(event),
        details=_details(event, margin),
    )


def _details(event: wire.WirePurchase, best_margin: int) -> Details | None:
    """Return what only some purchases tell; most have nothing of it."""
    seconds, due_at, items = event.checkout_seconds, event.due_at, event.items
    discounted = bool(event.coupon) or (event.discount is not None and float(event.discount) > 0)
    if seconds is None and due_at is None and not items and not discounted:
        return None
    return Details(
        NEVER if seconds is None else round(min(seconds, CHECKOUT_SECONDS_MAX) * 1000),
        NEVER if due_at is None else max((due_at - EPOCH) // MICROSECOND, 0),
        _units(items) if items else NEVER,
        tuple((item.product_id, item.category or "") for item in items or ()),
        best_margin,
        discounted,
    )


def _units(items: list[wire.Item]) -> int:
    return sum(map(_thousandths, items))


def _thousandths(item: wire.Item) -> int:
    quantity = item.quantity
    return 1000 if quantity is msgspec.UNSET else round(min(quantity, QUANTITY_MAX) * 1000)


def _best_margin(decoder: EventDecoder, items: list[wire.Item], currency: str) -> int:
    """Check the items' money; return the greatest margin rate, if all are known."""
    margins: list[int] = []
    for place, item in enumerate(items):
        price, cost = (
            None if value is None else decoder.money(value, currency, f"items[{place}].{name}")
            for name, value in (("price", item.price), ("cost", item.cost))
        )
        if price is not None and cost is not None:
            margins.append(margin_rate(price, cost))
    return max(margins) if len(margins) == len(items) else NO_MARGIN


def _refund(decoder: EventDecoder, event: wire.WireRefund, occurred_at: int) -> Refund:
    amount = decoder.money(event.amount, event.currency, "amount")
    if amount == 0:
        raise Rejected("invalid", "a refund is above zero", "amount")
    if event.items:
        _best_margin(decoder, event.items, event.currency)
    units = _units(event.items) if event.items else 0
    return Refund(event.event_id, event.customer_id, occurred_at, event.order_id, amount, units)


def _payment(decoder: EventDecoder, event: wire.WirePayment, occurred_at: int) -> Payment:
    amount = decoder.money(event.amount, event.currency, "amount")
    return Payment(event.event_id, event.customer_id, occurred_at, event.order_id, amount)


def _referral(decoder: EventDecoder, event: wire.WireReferral, occurred_at: int) -> Referral:  # noqa: ARG001
    if event.referred_customer_id == event.customer_id:
        raise Rejected("self_referral", "a customer cannot bring itself", "referred_customer_id")
    return Referral(
        event.event_id,
        event.customer_id,
        occurred_at,
        event.referred_customer_id,
        event.status == "joined",
    )


def _erasure(_: EventDecoder, event: wire.WireErasure, occurred_at: int) -> Erasure:
    return Erasure(event.event_id, event.customer_id, occurred_at)


_CONVERSIONS: dict[type, Callable[[EventDecoder, Any, int], CustomerEvent]] = {
    wire.WirePurchase: _purchase,
    wire.WireRefund: _refund,
    wire.WirePayment: _payment,
    wire.WireReferral: _referral,
    wire.WireErasure: _erasure,
    **interactions.CONVERSIONS,
}


def _exact(text: str) -> Decimal | str:
    try:
        return Decimal(text)
    except InvalidOperation:  # its exponent has more than eighteen digits
        return text


_decode_exact = msgspec.json.Decoder(float_hook=_exact).decode

_FAULTS = UnicodeDecodeError, RecursionError, msgspec.DecodeError
"""What parsing raises where the input is at fault; a ``ValidationError`` is a ``DecodeError``."""


def _refusal(error: Exception) -> Rejected:
    if isinstance(error, UnicodeDecodeError):
        return Rejected("malformed", f"not UTF-8: {error.reason}")
    if isinstance(error, RecursionError):
        return Rejected("malformed", "nested too deep")
    if isinstance(error, msgspec.ValidationError):
        return _invalid(str(error))
    return Rejected("malformed", str(error))


def _invalid(text: str) -> Rejected:
    """Return msgspec's verdict with its ``- at `$.field``` taken apart."""
    match = _PLACE.match(text)
    message, field = match.groups(default="") if match else (text, "")
    if field == "type" and message.startswith("Invalid value"):
        return Rejected("unknown_type", f"{message}: none of {', '.join(TOPIC_OF_TYPE)}", "type")
    missing = re.search(r"missing required field `(\w+)`", message)
    if missing:
        field = ".".join(filter(None, (field, missing[1])))
    return Rejected("invalid", message, field)
