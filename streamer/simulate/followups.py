"""What follows a purchase later on. To add a kind of event, add a class with `follow`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Protocol

from numpy.random import Generator

from streamer.simulate.draws import DAY_MS, stream
from streamer.simulate.events import Event, Timed, common, hundredths, instant, money
from streamer.simulate.parameters import require_positive, require_share


class FollowUp(Protocol):
    """A rule that may answer a purchase with later events."""

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterable[Timed]:
        """Give the events that this purchase brings about.

        Args:
            generator: The rule's own stream.
            start: The shop's start, UTC.
            at_ms: When the purchase was made.
            purchase: The wire event; not to be changed.

        Returns:
            Events with times at or after the purchase's.
        """


@dataclass(frozen=True, slots=True)
class Refunds:
    """Money back: half of the refunds give back all, the others a uniform share.

    Args:
        rate: Probability that a purchase is refunded, from 0 to 1.
        delay_days: Mean of the exponential delay, above 0.
    """

    rate: float
    delay_days: float = 7.0

    def __post_init__(self) -> None:
        require_share(refund_rate=self.rate)
        require_positive(delay_days=self.delay_days)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Refund the purchase with the rule's probability."""
        if generator.random() >= self.rate:
            return
        later_ms = at_ms + int(generator.exponential(self.delay_days) * DAY_MS)
        share = min(1.0, 2 * generator.random())
        paid = hundredths(purchase["amount"])
        event_id = f"{purchase['event_id']}-refund"
        refund = common(event_id, "refund", purchase["customer_id"], instant(start, later_ms))
        refund["refund_id"] = event_id
        refund["order_id"] = purchase["order_id"]
        refund["amount"] = money(max(1, round(paid * share)))
        refund["currency"] = purchase["currency"]
        yield later_ms, refund


@dataclass(frozen=True, slots=True)
class Payments:
    """Orders paid later: half of them at once, the others in two parts.

    Args:
        rate: Probability that a purchase is paid at all, from 0 to 1.
        delay_days: Mean of the exponential delay of a payment, above 0; a second part comes so
            much later again.
    """

    rate: float
    delay_days: float = 10.0

    def __post_init__(self) -> None:
        require_share(payment_rate=self.rate)
        require_positive(payment_delay_days=self.delay_days)

    def follow(
        self, generator: Generator, start: datetime, at_ms: int, purchase: Event
    ) -> Iterator[Timed]:
        """Pay for the purchase with the rule's probability."""
        if generator.random() >= self.rate:
            return
        owed = hundredths(purchase["amount"])
        first = owed if generator.random() < 0.5 else owed - owed // 2  # noqa: PLR2004 - half
        for number, part in enumerate(filter(None, (first, owed - first)), start=1):
            at_ms += int(generator.exponential(self.delay_days) * DAY_MS)
            event_id = f"{purchase['event_id']}-payment-{number}"
            paid = common(event_id, "payment", purchase["customer_id"], instant(start, at_ms))
            paid["order_id"] = purchase["order_id"]
            paid["amount"] = money(part)
            paid["currency"] = purchase["currency"]
            yield at_ms, paid


def followed(
    purchases: Iterable[Timed], rules: Iterable[FollowUp], seed: int, start: datetime, end_ms: int
) -> Iterator[Timed]:
    """Weave what follows the purchases into them, in time order.

    Only follow-ups not yet due are held in memory. At equal times a follow-up comes after the
    purchases, and follow-ups come in the order of their purchases.

    Args:
        purchases: In time order.
        rules: Each draws from a stream named after its class.
        seed: The simulation's.
        start: The shop's start, UTC.
        end_ms: What would happen at or after it is left out.
    """
    streams = [(rule, stream(seed, type(rule).__name__)) for rule in rules]
    pending: list[tuple[int, int, Event]] = []
    number = count()
    for at_ms, purchase in purchases:
        while pending and pending[0][0] < at_ms:
            due_ms, _, event = heappop(pending)
            yield due_ms, event
        yield at_ms, purchase
        for rule, generator in streams:
            for due_ms, event in rule.follow(generator, start, at_ms, purchase):
                if due_ms < end_ms:
                    heappush(pending, (due_ms, next(number), event))
    while pending:
        due_ms, _, event = heappop(pending)
        yield due_ms, event
