"""What customers do besides buying: rules that follow their purchases."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from numpy.random import Generator

from streamer.simulate.draws import DAY_MS
from streamer.simulate.events import Event, Timed, common, instant, money
from streamer.simulate.parameters import require, require_share

RATING_SHARES = (0.05, 0.07, 0.13, 0.35, 0.4)
"""Of the ratings from 1 to 5."""

DELAY_DAYS = 3.0
"""Mean of the exponential time from an order to its rating or share."""

ERASED_DAYS = 60.0
"""Mean of the exponential time from a first order to an erasure."""

NETWORKS = ("mail", "mastodon", "messenger")
EXPERIMENT_ID = "free-shipping"
ARMS = ("control", "treated")


def is_first(purchase: Event) -> bool:
    """Return whether a purchase of `simulate` is its customer's first."""
    return str(purchase["order_id"]).endswith(f"{purchase['customer_id']}-1")


def _answer(kind: str, purchase: Event, start: datetime, at_ms: int) -> Event:
    event_id = f"{purchase['event_id']}-{kind}"
    return common(event_id, kind, purchase["customer_id"], instant(start, at_ms))


def _later(generator: Generator, at_ms: int) -> int:
    return at_ms + int(generator.exponential(DELAY_DAYS) * DAY_MS)


@dataclass(frozen=True, slots=True)
class AcquisitionCosts:
    """What winning each customer cost, told with the first purchase.

    Args:
        mean: Of the exponential cost in the purchase's currency, 0 or more; 0 tells of none.
    """

    mean: float

    def __post_init__(self) -> None:
        require(0 <= self.mean < float("inf"), "acquisition_cost", self.mean, "0 or more")

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Tell the cost of a first purchase's customer."""
        if self.mean and is_first(purchase):
            event = _answer("acquisition_cost", purchase, start, at_ms)
            event["amount"] = money(round(generator.exponential(self.mean) * 100))
            event["currency"] = purchase["currency"]
            if "channel" in purchase:
                event["channel"] = purchase["channel"]
            yield at_ms, event


@dataclass(frozen=True, slots=True)
class Ratings:
    """Ratings of deliveries, half of them on a scale to 10.

    Args:
        rate: Probability that an order is rated, from 0 to 1.
    """

    rate: float

    def __post_init__(self) -> None:
        require_share(rating_rate=self.rate)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Rate the purchase with the rule's probability."""
        if generator.random() < self.rate:
            later_ms = _later(generator, at_ms)
            event = _answer("rating", purchase, start, later_ms)
            event["rating"] = 1 + int(generator.choice(len(RATING_SHARES), p=RATING_SHARES))
            if generator.random() < 1 / 2:
                event |= {"rating": 2 * event["rating"], "scale": 10}
            yield later_ms, event | {"order_id": purchase["order_id"], "interaction": "delivery"}


@dataclass(frozen=True, slots=True)
class Shares:
    """Social shares.

    Args:
        rate: Probability that an order is shared, from 0 to 1.
    """

    rate: float

    def __post_init__(self) -> None:
        require_share(share_rate=self.rate)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Share the purchase with the rule's probability."""
        if generator.random() < self.rate:
            later_ms = _later(generator, at_ms)
            event = _answer("share", purchase, start, later_ms)
            yield later_ms, event | {"network": NETWORKS[int(generator.integers(len(NETWORKS)))]}


@dataclass(frozen=True, slots=True)
class Profiles:
    """What customers say of themselves with their first purchase.

    Args:
        rate: Probability that a customer does, from 0 to 1.
    """

    rate: float

    def __post_init__(self) -> None:
        require_share(profile_rate=self.rate)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Tell of a first purchase's customer with the rule's probability."""
        if is_first(purchase) and generator.random() < self.rate:
            born, asked = int(generator.integers(1940, 2008)), bool(generator.random() < 1 / 2)
            event = _answer("profile", purchase, start, at_ms)
            yield at_ms, event | {"attributes": {"birth_year": born, "newsletter": asked}}


@dataclass(frozen=True, slots=True)
class Erasures:
    """Customers who ask to be forgotten; they may buy again later.

    Args:
        rate: Probability that a customer does, from 0 to 1.
    """

    rate: float

    def __post_init__(self) -> None:
        require_share(erasure_rate=self.rate)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Have a first purchase's customer erased some time after it, by the rule's probability."""
        if is_first(purchase) and generator.random() < self.rate:
            later_ms = at_ms + int(generator.exponential(ERASED_DAYS) * DAY_MS)
            event = _answer("erasure", purchase, start, later_ms)
            yield later_ms, event | {"reason": "the customer asked for it"}


@dataclass(frozen=True, slots=True)
class Experiments:
    """An experiment of two equal arms that does nothing: what is found in it is chance.

    Args:
        rate: Probability that a customer is in it from the first purchase on, from 0 to 1.
    """

    rate: float

    def __post_init__(self) -> None:
        require_share(experiment_rate=self.rate)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Put a first purchase's customer into an arm with the rule's probability."""
        if is_first(purchase) and generator.random() < self.rate:
            arm = ARMS[int(generator.integers(len(ARMS)))]
            event = _answer("experiment", purchase, start, at_ms)
            yield at_ms, event | {"experiment_id": EXPERIMENT_ID, "arm": arm}
