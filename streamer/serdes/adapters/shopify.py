"""Shopify's webhooks: ``orders/*`` and ``refunds/create``, with their headers as record headers.

- ``orders/create`` is a purchase, ``orders/paid`` a payment, ``orders/cancelled`` of an order that
  was not paid takes the purchase back.
- A refund is told by the order that it belongs to, which names the customer: Shopify sends
  ``orders/updated`` with it. ``refunds/create`` names no customer, so there the record's key must
  be the customer's id: digits, and not those of the refund or the order.
- ``X-Shopify-Event-Id`` is the dedup key; a refund's is its own id, because both topics tell it.
- What has ``test: true`` is skipped.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from streamer.records.dead_letters import Rejected
from streamer.serdes.adapters.translation import (
    Fields,
    Foreign,
    Translation,
    identifier,
    money,
    number,
    text,
)

TOPIC, EVENT_ID = "x-shopify-topic", "x-shopify-event-id"

UNPAID = "authorized", "expired", "pending", "voided"
"""Financial states of orders whose money never came, so that no refund tells of their end."""

TOLD_WITHIN = timedelta(days=1)
"""Later updates of an order repeat its refunds, which by then have long been counted."""

_ITEM = {
    "product_id": (("product_id", "sku"), identifier),
    "category": (("product_type",), text),
    "quantity": (("quantity",), number),
    "price": (("price",), money),
}


def translate(foreign: Foreign) -> Iterable[Translation | Rejected]:
    """Give the events of a webhook; none of topics that are not about orders or refunds."""
    topic = foreign.headers.get(TOPIC, "").strip().casefold()
    if not topic:
        raise Rejected("invalid", "a header says what the webhook is about", "X-Shopify-Topic")
    record = Fields(foreign.value)
    if record.get("test") is True:
        return []
    if topic == "refunds/create":
        return _refunds([record], Fields({}), foreign.key)
    return _of_order(topic, foreign, record) if topic.startswith("orders/") else []


def _of_order(topic: str, foreign: Foreign, order: Fields) -> Iterator[Translation | Rejected]:
    event_id = foreign.headers.get(EVENT_ID, "").strip()
    event_id = event_id or f"{topic}/{order.get('id')}"
    if topic == "orders/create":
        yield _purchase(event_id, order)
    elif topic == "orders/paid":
        yield _payment(event_id, order)
    elif topic == "orders/cancelled" and order.get("financial_status") in UNPAID:
        yield _cancelled(event_id, order)
    yield from _refunds(_just_told(order), order, "")


def _common(type_: str, event_id: str, order: Fields) -> Translation:
    told = Translation(type_)
    told.set("event_id", event_id, "X-Shopify-Event-Id")
    told.take("customer_id", order.inner("customer"), "id", by=identifier)
    told.take("order_id", order, "id", by=identifier)
    told.take("amount", order, "total_price", by=money)
    told.take("currency", order, "currency")
    return told


def _purchase(event_id: str, order: Fields) -> Translation:
    told = _common("purchase", event_id, order)
    told.take("occurred_at", order, "processed_at", "created_at")
    told.take("subtotal", order, "total_line_items_price", by=money)
    told.take("tax", order, "total_tax", by=money)
    told.take("discount", order, "total_discounts", by=money)
    shipping = order.inner("total_shipping_price_set").inner("shop_money")
    told.take("shipping", shipping, "amount", by=money)
    for code in order.each("discount_codes")[:1]:
        told.take("coupon", code, "code", by=text)
    told.take("channel", order, "source_name", by=text)
    told.take("location", order.inner("shipping_address"), "country_code", by=text)
    told.take_items(order.each("line_items"), _ITEM)
    return told


def _payment(event_id: str, order: Fields) -> Translation:
    told = _common("payment", event_id, order)
    told.take("occurred_at", order, "updated_at", "processed_at")
    gateways = order.get("payment_gateway_names")
    if isinstance(gateways, list) and gateways:
        told.set("method", text(gateways[0]), order.named("payment_gateway_names"))
    return told


def _cancelled(event_id: str, order: Fields) -> Translation:
    told = _common("refund", event_id, order)
    told.take("occurred_at", order, "cancelled_at", "updated_at")
    told.set("refund_id", event_id, "X-Shopify-Event-Id")
    told.take("reason", order, "cancel_reason", by=text)
    return told


# -- refunds ------------------------------------------------------------------------------------


def _just_told(order: Fields) -> list[Fields]:
    """Return the refunds that this webhook of an order may be the first to tell."""
    updated = _instant(order.get("updated_at"))
    return [
        refund
        for refund in order.each("refunds")
        if updated is None
        or (made := _instant(refund.get("created_at"))) is None
        or updated - made <= TOLD_WITHIN
    ]


def _instant(value: Any) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return instant if instant.tzinfo else None


def _refunds(refunds: Iterable[Fields], order: Fields, key: str) -> Iterator[Translation]:
    for refund in refunds:
        paid_back = [one for one in refund.each("transactions") if _gives_back(one)]
        if not paid_back:
            continue  # goods were taken back, but no money was given
        told = Translation("refund")
        refund_id = identifier(refund.get("id"))
        told.set("event_id", None if refund_id is None else f"refund-{refund_id}", "id")
        told.take("refund_id", refund, "id", by=identifier)
        told.take("order_id", refund, "order_id", by=identifier)
        told.take("occurred_at", refund, "processed_at", "created_at")
        told.take("currency", paid_back[0], "currency")
        told.take("reason", refund, "note", by=text)
        told.set("amount", _sum(paid_back), paid_back[0].named("amount"))
        told.set("customer_id", _customer(refund, order, key), "customer.id")
        lines = [one.inner("line_item") for one in refund.each("refund_line_items")]
        told.take_items(lines, _ITEM)
        yield told


def _customer(refund: Fields, order: Fields, key: str) -> Any:
    found = order.inner("customer").get("id") or refund.inner("customer").get("id")
    others = {str(refund.get("id")), str(refund.get("order_id"))}
    if not found and key.isdecimal() and key not in others:
        found = key
    if not found:
        raise Rejected(
            "invalid",
            "refunds/create names no customer: key its record by the customer's id, or subscribe "
            "to orders/updated, which tells refunds too",
            "customer.id",
        )
    return identifier(found)


def _gives_back(transaction: Fields) -> bool:
    kind, status = transaction.get("kind"), transaction.get("status")
    return kind == "refund" and status == "success" and transaction.get("test") is not True


def _sum(transactions: Iterable[Fields]) -> str:
    """Return the sum of the amounts, exactly."""
    total = Decimal()
    for transaction in transactions:
        try:
            amount = Decimal(str(transaction.get("amount")))
            if not amount.is_finite() or abs(amount.adjusted()) > 30:  # noqa: PLR2004 - sane
                raise InvalidOperation
        except InvalidOperation:
            raise Rejected("invalid", "not a decimal number", transaction.named("amount")) from None
        total += amount
    return f"{total:f}"
