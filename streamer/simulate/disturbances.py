"""What networks and careless producers do to events: repeat them, mix their order, break some."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count

import msgspec
from numpy.random import Generator

from streamer.records.dead_letters import Reason
from streamer.simulate.draws import DAY_MS, stream
from streamer.simulate.events import Event
from streamer.simulate.parameters import require, require_share

encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class WireValue:
    """A value as it would stand on Kafka, and what only the simulator knows of it.

    Attributes:
        value: The bytes.
        customer_id: The key that its producer gives it.
        type: Of the event; that of the event it was made from where it is broken.
        reason: Why it has to become a dead letter; None for a good one.
        is_repeat: Whether the same event was given before.
    """

    value: bytes
    customer_id: str
    type: str
    reason: Reason | None = None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class Disturbances:
    """How much goes wrong.

    Args:
        duplicate_rate: Probability that an event is sent a second time, from 0 to 1.
        poison_rate: Probability that a broken event, with an id of its own, follows a good one.
        shuffle_days: An event arrives up to this many days after its time, uniformly, so it
            is overtaken by those up to this much later; 0 leaves the order.
    """

    duplicate_rate: float = 0.0
    poison_rate: float = 0.0
    shuffle_days: float = 0.0

    def __post_init__(self) -> None:
        require_share(duplicate_rate=self.duplicate_rate, poison_rate=self.poison_rate)
        days = self.shuffle_days
        require(0 <= days < float("inf"), "shuffle_days", days, "0 or more")


def disturb(events: Iterable[Event], disturbances: Disturbances, seed: int) -> Iterator[WireValue]:
    """Disturb events on their way to Kafka.

    The good events are all there, unchanged; broken ones are added to them.

    Args:
        events: In the order of their times.
        disturbances: How much goes wrong.
        seed: The simulation's, 0 or more.

    Yields:
        Values in the order in which they arrive. Memory holds one shuffle window.
    """
    generator = stream(seed, "shuffle")
    window_ms = disturbances.shuffle_days * DAY_MS
    arriving: list[tuple[float, int, WireValue]] = []
    number = count()
    for at_ms, value in _sent(events, disturbances, seed):
        while arriving and arriving[0][0] <= at_ms:
            yield heappop(arriving)[2]
        delay_ms = generator.random() * window_ms if window_ms else 0.0
        heappush(arriving, (at_ms + delay_ms, next(number), value))
    while arriving:
        yield heappop(arriving)[2]


def _sent(
    events: Iterable[Event], disturbances: Disturbances, seed: int
) -> Iterator[tuple[float, WireValue]]:
    repeats, poison = stream(seed, "duplicates"), stream(seed, "poison")
    for event in events:
        at_ms = datetime.fromisoformat(event["occurred_at"]).timestamp() * 1000
        value, names = encode(event), (event["customer_id"], event["type"])
        yield at_ms, WireValue(value, *names)
        if repeats.random() < disturbances.duplicate_rate:
            yield at_ms, WireValue(value, *names, is_repeat=True)
        if poison.random() < disturbances.poison_rate:
            broken, reason = _break(event, poison)
            yield at_ms, WireValue(broken, *names, reason=reason)


def _break(event: Event, generator: Generator) -> tuple[bytes, Reason]:
    """Break a copy of the event in one of the ways that fit its type."""
    ways = [way for way in WAYS if way[0] in event]
    field, reason, spoil = ways[int(generator.integers(len(ways)))]
    copy = event | {"event_id": f"{event['event_id']}-broken"}
    return spoil(copy, field), reason


def _without(event: Event, field: str) -> bytes:
    return encode({name: value for name, value in event.items() if name != field})


def _with(value: object) -> Callable[[Event, str], bytes]:
    return lambda event, field: encode(event | {field: value})


def _cut_short(event: Event, _: str) -> bytes:
    return encode(event)[:-9]


def _in_latin_1(event: Event, field: str) -> bytes:
    marked = encode(event | {field: "caf\u00e9"}).decode()
    return marked.encode("latin-1")


def _naming_twice(event: Event, field: str) -> bytes:
    return encode(event)[:-1] + b',"' + field.encode() + b'":"x"}'


def _in_a_list(event: Event, _: str) -> bytes:
    return encode([event])


WAYS: tuple[tuple[str, Reason, Callable[[Event, str], bytes]], ...] = (
    ("event_id", "malformed", _cut_short),
    ("customer_id", "malformed", _in_latin_1),
    ("customer_id", "malformed", _naming_twice),
    ("event_id", "invalid", _in_a_list),
    ("event_id", "invalid", _without),
    ("customer_id", "invalid", _with("")),
    ("event_id", "invalid", _with("e" * 129)),
    ("schema_version", "invalid", _with(99)),
    ("occurred_at", "invalid", _without),
    ("occurred_at", "invalid", _with("2025-01-01 12:00")),
    ("occurred_at", "out_of_range", _with("1969-12-31T23:59:59Z")),
    ("type", "unknown_type", _with("purchased")),
    ("order_id", "invalid", _without),
    ("amount", "invalid", _with("-1.00")),
    ("amount", "invalid", _with("12,50")),
    ("currency", "unknown_currency", _with("XTS")),
    ("currency", "invalid", _with("dollars")),
    (
        "referred_customer_id",
        "self_referral",
        lambda event, field: encode(event | {field: event["customer_id"]}),
    ),
)
"""Field that the event must have, reason of the dead letter, and how to break it."""
