"""A shop and the events of its customers, in the order of their times."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import merge
from operator import itemgetter

import numpy as np

from streamer.simulate.draws import DAY_MS, Integers, amounts, purchase_times, stream
from streamer.simulate.events import Event, Timed, common, customer_id, instant, money
from streamer.simulate.followups import FollowUp, followed
from streamer.simulate.parameters import (
    Basket,
    PurchaseProcess,
    Spend,
    require,
    require_positive,
    require_share,
)
from streamer.simulate.referrals import referral, referral_tree

DEFAULT_START = datetime(2025, 1, 1, tzinfo=UTC)
PRODUCTS_PER_CATEGORY = 10
LAST_YEAR = 9999


@dataclass(frozen=True, slots=True)
class Shop:
    """All that decides a shop's events, the seed aside.

    Args:
        customers: How many make a first purchase, 1 or more.
        start: Beginning of the period, with an offset.
        days: Length of the period in days, above 0.
        acquisition_days: First purchases are uniform over this many days from the start; the
            whole period where that is shorter.
        process: When customers buy.
        spend: What they pay.
        basket: What they buy.
        referral_rate: Probability that a customer was brought by an earlier one, from 0 to 1.
        channels: Number of channels that customers are won through; 0 leaves them out.
        locations: Number of places where customers live; 0 leaves them out.
        follow_ups: What purchases bring about, at most one rule of a class.
    """

    customers: int = 1000
    start: datetime = DEFAULT_START
    days: float = 365.0
    acquisition_days: float = 84.0
    process: PurchaseProcess = field(default_factory=PurchaseProcess)
    spend: Spend = field(default_factory=Spend)
    basket: Basket = field(default_factory=Basket)
    referral_rate: float = 0.0
    channels: int = 0
    locations: int = 0
    follow_ups: tuple[FollowUp, ...] = ()

    def __post_init__(self) -> None:
        require(self.customers >= 1, "customers", self.customers, "1 or more")
        require_positive(days=self.days, acquisition_days=self.acquisition_days)
        require_share(referral_rate=self.referral_rate)
        require(self.channels >= 0, "channels", self.channels, "0 or more")
        require(self.locations >= 0, "locations", self.locations, "0 or more")
        require(self.start.tzinfo is not None, "start", self.start, "given with its offset")
        years = self.start.year + self.days / 365
        require(years < LAST_YEAR, "days", self.days, f"few enough to end before {LAST_YEAR}")

    @property
    def start_utc(self) -> datetime:
        """The start in UTC."""
        return self.start.astimezone(UTC)

    @property
    def end_ms(self) -> int:
        """The first millisecond after the period, from its start."""
        return timedelta(days=self.days) // timedelta(milliseconds=1)


def simulate(shop: Shop, seed: int) -> Iterator[Event]:
    """Give the shop's wire events in the order of their times.

    Customers are numbered in the order of their first purchases. The times and amounts of all
    purchases are drawn beforehand (some 20 bytes a purchase); events are made as they are asked
    for.

    Args:
        shop: Parameters.
        seed: 0 or more; the same one gives the same events. Ids contain it.

    Yields:
        JSON-ready events; equal times are in the order referral, purchase, follow-up.
    """
    span = min(shop.acquisition_days, shop.days)
    first_days = np.sort(stream(seed, "acquisition").random(shop.customers)) * span
    days, buyers = purchase_times(shop.process, first_days, shop.days, stream(seed, "purchases"))
    times_ms = (days * DAY_MS).astype(np.int64)
    buyers, times_ms = buyers[times_ms < shop.end_ms], times_ms[times_ms < shop.end_ms]
    purchases = _purchases(shop, seed, times_ms, buyers)
    woven = followed(purchases, shop.follow_ups, seed, shop.start_utc, shop.end_ms)
    referrals = _referrals(shop, seed, (first_days * DAY_MS).astype(np.int64))
    for _, event in merge(referrals, woven, key=itemgetter(0)):
        yield event


def _purchases(shop: Shop, seed: int, times_ms: Integers, buyers: Integers) -> Iterator[Timed]:
    paid = amounts(shop.spend, buyers, shop.customers, stream(seed, "amounts"))
    basket, circumstances = stream(seed, "basket"), stream(seed, "circumstances")
    discounts = stream(seed, "discounts")
    homes = _homes(shop, seed)
    made = [0] * shop.customers
    for at_ms, buyer, hundredths in zip(
        times_ms.tolist(), buyers.tolist(), paid.tolist(), strict=True
    ):
        customer = customer_id(buyer)
        made[buyer] += 1
        order_id = f"s{seed}-{customer}-{made[buyer]}"
        event = common(order_id, "purchase", customer, instant(shop.start_utc, at_ms))
        event["order_id"] = order_id
        event["amount"] = money(hundredths)
        event["currency"] = shop.spend.currency
        event |= _contents(shop.basket, hundredths, basket) | homes[buyer]
        event |= _discount(shop.basket, hundredths, discounts)
        yield at_ms, event | _circumstances(shop, at_ms, circumstances)


def _homes(shop: Shop, seed: int) -> list[Event]:
    """Return what each customer's purchases say of where they come from, evenly drawn."""
    homes: list[Event] = [{} for _ in range(shop.customers)]
    for name, count in (("channel", shop.channels), ("location", shop.locations)):
        if count:
            drawn = stream(seed, name).integers(count, size=shop.customers)
            for home, number in zip(homes, drawn.tolist(), strict=True):
                home[name] = f"{name}-{number}"
    return homes


def _contents(basket: Basket, hundredths: int, generator: np.random.Generator) -> Event:
    contents: Event = {}
    if basket.cost_share is not None:
        share = basket.cost_share * generator.uniform(0.8, 1.2)
        contents["cost"] = money(round(hundredths * min(share, 1.0)))
    if basket.categories:
        category, product = divmod(
            int(generator.integers(basket.categories * PRODUCTS_PER_CATEGORY)),
            PRODUCTS_PER_CATEGORY,
        )
        item: Event = {"product_id": f"p{category}-{product}", "category": f"category-{category}"}
        contents["items"] = [item | {"quantity": 1, "price": money(hundredths)}]
    return contents


def _discount(basket: Basket, hundredths: int, generator: np.random.Generator) -> Event:
    if generator.random() >= basket.discount_rate:
        return {}
    share = generator.uniform(0.05, 0.3)
    return {"discount": money(max(1, round(hundredths * share / (1 - share))))}


def _circumstances(shop: Shop, at_ms: int, generator: np.random.Generator) -> Event:
    basket, told = shop.basket, Event()
    if basket.due_days:
        told["due_at"] = instant(shop.start_utc, at_ms + int(basket.due_days * DAY_MS))
    if basket.checkout_seconds:
        told["checkout_seconds"] = round(generator.exponential(basket.checkout_seconds), 1)
    if generator.random() < basket.coupon_rate:
        told["coupon"] = "SAVE10"
    return told


def _referrals(shop: Shop, seed: int, first_ms: Integers) -> Iterator[Timed]:
    tree = referral_tree(first_ms, shop.referral_rate, stream(seed, "referrals"))
    for at_ms, referrer, referee in zip(*(column.tolist() for column in tree), strict=True):
        names = customer_id(referrer), customer_id(referee)
        event_id = f"s{seed}-{names[1]}-referral"
        yield at_ms, referral(event_id, instant(shop.start_utc, at_ms), *names)
