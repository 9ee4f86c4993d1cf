"""The rolling row of one customer: sufficient statistics, bounded in size.

Apart from ``applied``, a row is a function of the *set* of its events: any order that keeps within
the lateness gives the same row. So each field is a sum, an extreme, or a set kept sorted.
New fields go to the end and have defaults: that is how old rows stay readable (see ``serdes``).
"""

from msgspec import Struct, field

from streamer.records.events import FAMILIES, NO_MARGIN
from streamer.records.instants import NEVER
from streamer.records.kafka import SOURCE_TOPICS
from streamer.state.engagement import Engagement

_NONE_APPLIED = [-1] * len(SOURCE_TOPICS)
_NO_EVENTS = [NEVER] * FAMILIES


class Row(Struct, array_like=True):
    """What is kept of a customer. Instants in microseconds since 1970, money in millionths."""

    applied: list[int] = field(default_factory=_NONE_APPLIED.copy)
    """Offset of the last record applied, by source topic: what comes again is known by it."""
    events_seen: int = 0
    """Events of this customer that counted (no duplicates, no dead letters)."""
    changes: int = 0
    """``events_seen`` and the brought customers' events: rises with whatever moves a score."""
    watermarks: list[int] = field(default_factory=_NO_EVENTS.copy)
    """Greatest event time by family of types: the measure of what is late."""
    recent: dict[int, int] = field(default_factory=dict)
    """Event times of the events within the lateness, by hash of ``event_id`` (see ``fold``)."""
    forgotten: int = NEVER
    """Events up to here may have left ``recent`` early: it is full. They count as late."""

    orders: int = 0
    refunds: int = 0
    revenue: int = 0
    refunded: int = 0
    costed_orders: int = 0
    costed_revenue: int = 0
    cost: int = 0
    first_purchase_at: int = NEVER
    last_purchase_at: int = NEVER
    previous_purchase_at: int = NEVER
    """The purchase before the last one."""
    occasions: int = 0
    """Days with at least one purchase; x, the repeat occasions, is one less."""
    first_day: int = NEVER
    first_day_revenue: int = 0
    """Revenue of the first occasion, which Gamma-Gamma leaves out."""
    log_gaps: int = 0
    """Sum of ln(days between occasions), in millionths."""
    days: list[int] = field(default_factory=list)
    """The last year and the lateness by day, oldest first, and the occasion before them: day since
    1970, orders, revenue, refunded, and so on, flat (see ``windows``)."""

    referrer: str = ""
    referred_at: int = NEVER
    joined: bool = False
    """Some referral said that this customer has joined."""
    referrals_sent: int = 0
    referred_customers: int = 0
    referred_orders: int = 0
    referred_revenue: int = 0
    """Net revenue of the customers this one brought."""
    credited_at: int = NEVER
    """Latest event time of what the brought customers did, and of the referrals of this one."""

    overtaken_until: int = NEVER
    """Greatest time of a log whose re-keyed events were overtaken (see ``fold``)."""

    generation: int = 0
    """Of the model in force when the row was last scored; 0 is the formula."""

    engagement: Engagement | None = None
    """How the customer was won and what it does besides buying; None where nothing is told."""
    loyalty_tier: str = ""
    """Told last; "" is none."""

    # Ease and speed of interaction (V5): see ``orders``.
    paid_at: int = NEVER
    """Greatest event time of a payment."""
    open_orders: list[int] = field(default_factory=list)
    """Purchases that payments may still come for, in the order of time: second since 1970, hash of
    the order's id, amount, second when it is due or ``NEVER``, and so on, flat."""
    settlements: list[int] = field(default_factory=list)
    """Payments and refunds of such orders: second, hash of the order's id, amount (below zero for
    a refund), and so on, flat."""
    orders_paid: int = 0
    """Paid in full, of those no longer open."""
    payment_seconds: int = 0
    """Sum of theirs from purchase to full payment."""
    orders_overdue: int = 0
    """Unpaid past due, of those no longer open."""
    due_orders: int = 0
    """Orders, open or not, that said when they are due."""
    checkouts: int = 0
    """Orders that said how long the checkout took."""
    checkout_ms: int = 0
    """Sum of theirs."""
    itemed_orders: int = 0
    """Orders that told their items."""
    units: int = 0
    """Of all items bought, less those given back; thousandths."""

    # What was bought, and how well it paid (V7, V12): see ``baskets``.
    products: list[int] = field(default_factory=list)
    """The least hashes of the products bought, rising."""
    categories: dict[str, list[int]] = field(default_factory=dict)
    """First and last day of each category bought."""
    discounted_orders: int = 0
    """Orders with a discount or a coupon."""
    margin_orders: int = 0
    """Orders whose own or whose items' margin is known."""
    best_margin: int = NO_MARGIN
    """The greatest of theirs, in millionths of the price."""

    # Referrals down the chain (V6): see ``referrals`` and ``cycles``.
    generations: list[int] = field(default_factory=list)
    """Of the customers brought directly, by those, and so on: customers, net revenue, events, which
    unlike the sums never fall, and the latest event time, by level, flat."""
    cycle: list[tuple[str, int]] = field(default_factory=list)
    """If this customer is one of some who brought each other: all of them and when they were
    brought, each by the next one; the least id first."""
    rivals: list[tuple[int, str]] = field(default_factory=list)
    """Who else named this customer, and when first: the earliest few, in the order of time."""
    referrals_lost: int = 0
    """Customers that this one named, and another had brought earlier."""

    erased_at: int = NEVER
    """What happened up to here is of somebody who was forgotten: it counts no more."""

    # The referrer's churn (V6): see ``standing``.
    brought: list[tuple[int, str]] = field(default_factory=list)
    """Whom this customer named first, and when: those are told when it lapses or is back."""
    referrer_standing: int = 0
    """The greatest that the present referrer has told; odd is lapsed, 0 nothing told."""

    @property
    def as_of(self) -> int:
        """The event time this row stands at: its latest own or credited event, or payment.

        ``NEVER`` before the customer's first own event: nothing is scored until then.
        """
        if not self.events_seen:
            return NEVER
        return max(*self.watermarks, self.credited_at, self.paid_at)
