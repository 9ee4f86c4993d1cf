"""The events as they stand on the wire, field by field: ``schemas/`` in Python.

msgspec decodes and checks them in C. Unknown fields are ignored.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Text = Annotated[str, Meta(max_length=256)]
Money = str | int | float
Instant = Annotated[datetime, Meta(tz=True)]
Share = Annotated[float, Meta(ge=0)]


class Item(Struct, frozen=True):
    """A line of an order."""

    product_id: Id
    category: Text | None = None
    quantity: Annotated[float, Meta(gt=0)] | UnsetType = UNSET
    """1 where it is not told; null is refused."""
    price: Money | None = None
    cost: Money | None = None


Items = Annotated[list[Item], Meta(max_length=1000)]


class Arm(Struct, frozen=True):
    """The arm of an experiment that the customer was in."""

    id: Id
    arm: Id


class _Common(Struct, frozen=True, tag_field="type", kw_only=True):
    event_id: Id
    customer_id: Id
    occurred_at: Instant
    schema_version: Literal[1] = 1
    source: Text | None = None


class WirePurchase(_Common, frozen=True, tag="purchase", kw_only=True):
    """``purchase``."""

    order_id: Id
    amount: Money
    currency: str
    cost: Money | None = None
    subtotal: Money | None = None
    tax: Money | None = None
    shipping: Money | None = None
    discount: Money | None = None
    coupon: Text | None = None
    channel: Text | None = None
    location: Text | None = None
    checkout_seconds: Share | None = None
    due_at: Instant | None = None
    items: Items | None = None
    experiment: Arm | None = None


class WireRefund(_Common, frozen=True, tag="refund", kw_only=True):
    """``refund``."""

    refund_id: Id
    order_id: Id
    amount: Money
    currency: str
    reason: Text | None = None
    items: Items | None = None


class WirePayment(_Common, frozen=True, tag="payment", kw_only=True):
    """``payment``."""

    order_id: Id
    amount: Money
    currency: str
    method: Text | None = None


class WireReferral(_Common, frozen=True, tag="referral", kw_only=True):
    """``referral``: ``customer_id`` is the referrer."""

    referred_customer_id: Id
    status: Literal["invited", "joined"] = "invited"
    channel: Text | None = None
    referral_code: Text | None = None


class WireRating(_Common, frozen=True, tag="rating", kw_only=True):
    """``rating``."""

    rating: Share
    scale: Annotated[float, Meta(gt=0)] = 5
    product_id: Id | None = None
    category: Text | None = None
    order_id: Id | None = None
    interaction: Text | None = None


class WireShare(_Common, frozen=True, tag="share", kw_only=True):
    """``share``."""

    network: Text
    product_id: Id | None = None


class WireAcquisitionCost(_Common, frozen=True, tag="acquisition_cost", kw_only=True):
    """``acquisition_cost``."""

    amount: Money
    currency: str
    channel: Text | None = None
    campaign: Text | None = None


class WireProfile(_Common, frozen=True, tag="profile", kw_only=True):
    """``profile``."""

    attributes: Annotated[dict[Text, Any], Meta(max_length=100)]


class WireExperiment(_Common, frozen=True, tag="experiment", kw_only=True):
    """``experiment``."""

    experiment_id: Id
    arm: Id


class WireErasure(_Common, frozen=True, tag="erasure", kw_only=True):
    """``erasure``."""

    reason: Text | None = None


WireEvent = (
    WirePurchase
    | WireRefund
    | WirePayment
    | WireReferral
    | WireRating
    | WireShare
    | WireAcquisitionCost
    | WireProfile
    | WireExperiment
    | WireErasure
)
