"""Events: what customers did, checked and in the units of the state.

Instants are microseconds since 1970 (see ``instants``), money is millionths of the reporting
currency (see ``money``).
"""

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from streamer.records.instants import LAST, NEVER
from streamer.records.money import TOTAL_LIMIT

FAMILIES = 3
"""Lateness is measured within a family of types, because topics are read side by side."""

PAYMENTS = FAMILIES
"""The family of payments: late as purchases are, by the newest purchase or refund. They move no
clock themselves, so that no purchase is late because of a payment."""

INTERNAL = FAMILIES + 1
"""The family of what rows tell each other, to which no lateness applies."""

ERASURES = FAMILIES + 2
"""The family of what is not folded into a row but ends one, or takes an id out of others."""

LEVELS = 4
"""How far down the chain of referrals credit is counted: 1 is who was brought directly."""

Id = Annotated[str, Meta(min_length=1, max_length=128)]
Instant = Annotated[int, Meta(ge=0, le=LAST)]
InstantOrNever = Annotated[int, Meta(ge=NEVER, le=LAST)]
Sum = Annotated[int, Meta(ge=-TOTAL_LIMIT, le=TOTAL_LIMIT)]


class Surroundings(Struct, frozen=True, gc=False):
    """Where and in which experiment an order was placed; "" is unknown."""

    channel: str = ""
    location: str = ""
    experiment_id: str = ""
    arm: str = ""


NO_MARGIN = -2_000_000_000
"""Stands for a margin that is not known; below every real one."""


class Details(Struct, frozen=True, gc=False):
    """What only some purchases tell."""

    checkout_ms: int = NEVER
    """Of the checkout; ``NEVER`` if not told."""
    due_at: int = NEVER
    """When payment is due; ``NEVER`` if not told."""
    units: int = NEVER
    """Of all items, in thousandths; ``NEVER`` if they are not told."""
    lines: tuple[tuple[str, str], ...] = ()
    """Product and category of each item; "" is no category."""
    best_margin: int = NO_MARGIN
    """The greatest share of an item's price that is no cost, in millionths; ``NO_MARGIN`` unless
    every item has told both."""
    discounted: bool = False
    """Whether something was taken off, or a coupon used."""


class Purchase(Struct, frozen=True, gc=False):
    """An order was placed. ``amount`` and ``cost`` are zero or more; ``cost`` may be unknown."""

    event_id: str
    customer_id: str
    occurred_at: int
    order_id: str
    amount: int
    cost: int | None
    surroundings: Surroundings | None = None
    details: Details | None = None
    type: ClassVar[str] = "purchase"
    family: ClassVar[int] = 0


class Refund(Struct, frozen=True, gc=False):
    """Money of an order went back. ``amount`` is above zero."""

    event_id: str
    customer_id: str
    occurred_at: int
    order_id: str
    amount: int
    units: int = 0
    """Of the items that went back, in thousandths."""
    type: ClassVar[str] = "refund"
    family: ClassVar[int] = 0


class Payment(Struct, frozen=True, gc=False):
    """Money came for an order: all of it, or a part. ``amount`` is zero or more."""

    event_id: str
    customer_id: str
    occurred_at: int
    order_id: str
    amount: int
    type: ClassVar[str] = "payment"
    family: ClassVar[int] = PAYMENTS


class Referral(Struct, frozen=True, gc=False):
    """``customer_id`` brought ``referred_customer_id``, who was invited or has joined."""

    event_id: str
    customer_id: str
    occurred_at: int
    referred_customer_id: str
    joined: bool
    type: ClassVar[str] = "referral"
    family: ClassVar[int] = 1


class AcquisitionCost(Struct, frozen=True, gc=False):
    """Winning the customer cost ``amount``, zero or more; ``channel`` is "" where not told."""

    event_id: str
    customer_id: str
    occurred_at: int
    amount: int
    channel: str
    type: ClassVar[str] = "acquisition_cost"
    family: ClassVar[int] = 2


class Rating(Struct, frozen=True, gc=False):
    """The customer rated an interaction: ``rating`` in millionths, 0 to 5,000,000.

    ``product_id`` and ``category`` are "" where not told.
    """

    event_id: str
    customer_id: str
    occurred_at: int
    rating: int
    product_id: str = ""
    category: str = ""
    type: ClassVar[str] = "rating"
    family: ClassVar[int] = 2


class Share(Struct, frozen=True, gc=False):
    """The customer shared the shop or a product on a network."""

    event_id: str
    customer_id: str
    occurred_at: int
    type: ClassVar[str] = "share"
    family: ClassVar[int] = 2


class Profile(Struct, frozen=True, gc=False):
    """What the shop knows of the customer: ``attributes`` by name, each as JSON."""

    event_id: str
    customer_id: str
    occurred_at: int
    attributes: dict[str, str]
    type: ClassVar[str] = "profile"
    family: ClassVar[int] = 2


class Exposure(Struct, frozen=True, gc=False):
    """The customer was put into an arm of an experiment."""

    event_id: str
    customer_id: str
    occurred_at: int
    experiment_id: str
    arm: str
    type: ClassVar[str] = "experiment"
    family: ClassVar[int] = 2


class Erasure(Struct, frozen=True, gc=False):
    """The customer is to be forgotten, with all that happened up to this instant."""

    event_id: str
    customer_id: str
    occurred_at: int
    type: ClassVar[str] = "erasure"
    family: ClassVar[int] = ERASURES


Standing = Annotated[int, Meta(ge=0, lt=2**53)]
"""Twice orders and generations of models, 1 more if lapsed: only rises. 0 tells nothing."""


class ReferralLink(Struct, frozen=True, gc=False, tag="link", tag_field="kind"):
    """Tells ``customer_id``'s row who brought that customer, and when."""

    event_id: Id
    customer_id: Id
    occurred_at: Instant
    referrer: Id
    joined: bool
    standing: Standing = 0
    """The referrer's, if it ever lapsed: see ``ReferrerStanding``."""
    since: InstantOrNever = NEVER
    """As of when it stands so."""
    type: ClassVar[str] = "referral_link"
    family: ClassVar[int] = INTERNAL


class ReferralCredit(Struct, frozen=True, gc=False, tag="credit", tag_field="kind"):
    """Tells the referrer ``customer_id`` what a brought customer's events are worth.

    ``revenue`` and ``orders`` may be negative (a refund; an earlier referrer turned up), and
    ``customers`` is 1 when the brought customer begins to count, -1 when the credit goes to
    another. ``occurred_at`` is the brought customer's latest purchase or refund, or the referral
    that brings the credit, if that is later. ``events``, above 0, is how many of the brought
    customer's events this credit stands for; 1 where it takes back, for that is one event too: sums
    may fall, what is counted by ``events`` must not.
    """

    event_id: Id
    customer_id: Id
    occurred_at: InstantOrNever
    referred_customer_id: Id
    revenue: Sum
    orders: Sum
    customers: Sum
    events: Annotated[int, Meta(ge=1, lt=TOTAL_LIMIT)]
    level: Annotated[int, Meta(ge=1, le=LEVELS)] = 1
    """1: the referrer brought that customer itself; 2: somebody it brought did; and so on."""
    referred_at: InstantOrNever = NEVER
    """When the referrer brought whom this credit comes from."""
    type: ClassVar[str] = "referral_credit"
    family: ClassVar[int] = INTERNAL


Links = Annotated[tuple[tuple[Id, Instant], ...], Meta(min_length=1, max_length=LEVELS)]
"""Customers and when they were brought, each by the next one."""


class ReferralProbe(Struct, frozen=True, gc=False, tag="probe", tag_field="kind"):
    """Goes up from who was brought to see whether the ``path`` comes back to its first."""

    event_id: Id
    customer_id: Id
    path: Links
    type: ClassVar[str] = "referral_probe"
    family: ClassVar[int] = INTERNAL

    @property
    def occurred_at(self) -> int:
        """Event time of the latest of the links."""
        return max(at for _, at in self.path)


class ReferralRing(Struct, frozen=True, gc=False, tag="ring", tag_field="kind"):
    """Goes once round ``members``, who brought each other, or, not ``closed``, no longer do."""

    event_id: Id
    customer_id: Id
    members: Links
    closed: bool
    type: ClassVar[str] = "referral_ring"
    family: ClassVar[int] = INTERNAL

    @property
    def occurred_at(self) -> int:
        """Event time of the latest of the links."""
        return max(at for _, at in self.members)


class ReferralLost(Struct, frozen=True, gc=False, tag="lost", tag_field="kind"):
    """Tells ``customer_id`` that another brought a customer earlier (1), or not after all (-1)."""

    event_id: Id
    customer_id: Id
    count: Annotated[int, Meta(ge=-1, le=1)]
    occurred_at: ClassVar[int] = NEVER
    type: ClassVar[str] = "referral_lost"
    family: ClassVar[int] = INTERNAL


class ReferrerStanding(Struct, frozen=True, gc=False, tag="standing", tag_field="kind"):
    """Tells ``customer_id`` that its referrer has lapsed, or is back.

    ``occurred_at`` is when silence took the referrer there, or that of its latest purchase, if that
    is later, or, if a new model says so, when that scored the referrer.
    """

    event_id: Id
    customer_id: Id
    occurred_at: Instant
    referrer: Id
    referred_at: Instant
    """When the referrer first named the customer."""
    standing: Standing
    anew: bool = False
    """Told in case the referrer was told to have lapsed: nothing new to others."""
    type: ClassVar[str] = "referrer_standing"
    family: ClassVar[int] = INTERNAL


class ReferrerErased(Struct, frozen=True, gc=False, tag="erased", tag_field="kind"):
    """Tells a partition's rows to forget that ``customer_id`` named them up to this instant."""

    event_id: Id
    customer_id: Id
    occurred_at: Instant
    type: ClassVar[str] = "referrer_erased"
    family: ClassVar[int] = ERASURES


CustomerEvent = (
    Purchase
    | Refund
    | Payment
    | Referral
    | AcquisitionCost
    | Rating
    | Share
    | Profile
    | Exposure
    | Erasure
)
InternalEvent = (
    ReferralLink
    | ReferralCredit
    | ReferralProbe
    | ReferralRing
    | ReferralLost
    | ReferrerStanding
    | ReferrerErased
)
Event = CustomerEvent | InternalEvent
