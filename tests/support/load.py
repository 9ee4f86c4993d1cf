"""A busy little shop: seeded wire events, as good and careless producers send them, at a pace."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

Event = dict[str, Any]
Headers = tuple[tuple[str, bytes | None], ...]
"""Kafka allows a header to be null."""
TICK_SECONDS = 0.02
TOPIC_OF_TYPE = {"purchase": "purchases", "refund": "purchases", "referral": "referrals"}
EAST = timezone(timedelta(hours=2))


def java_partition(key: bytes, partitions: int) -> int:
    """Return where Java's default partitioner puts a key."""
    return int(murmur2(key) & 0x7FFFFFFF) % partitions


@dataclass(frozen=True, slots=True)
class Wire:
    """A record to be sent. `event` is what it means; None for what no reader can understand.

    `partition` None leaves the choice to the key, as Java makes it.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    event: Event | None = None
    partition: int | None = None
    headers: Headers = ()
    timestamp_ms: int | None = None
    reason: str = ""
    """Of the dead letter that it must become."""


@dataclass(slots=True)
class BusyShop:
    """Events without end: purchases, refunds, rival referrals, repeats, wrong keys, poison.

    Event time runs from `start` over `span` while `events` are made and then stands still. One
    event in five occurred up to `delay_max` before that. All of it follows from `seed`.
    """

    seed: int
    start: datetime
    span: timedelta
    events: int
    customers: int = 300
    partitions: int = 4
    delay_max: timedelta = timedelta(days=2)
    _random: Random = field(init=False)
    _recent: deque[Wire] = field(init=False, default_factory=lambda: deque(maxlen=500))
    _number: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def __iter__(self) -> Iterator[Wire]:
        makers = (self._purchase, self._refund, self._referral, self._repeat, self._broken)
        while True:
            (maker,) = self._random.choices(makers, weights=(75, 10, 9, 5, 1))
            yield self._carelessly(maker())
            self._number += 1

    def _customer(self) -> str:
        return f"c{self._random.randrange(self.customers):05d}"

    def _common(self, kind: str, customer_id: str) -> Event:
        passed = min(self._number / self.events, 1.0)
        moment = self.start + self.span * passed
        if self._random.random() < 0.2:
            moment -= self.delay_max * self._random.random()
        moment = moment.astimezone(self._random.choice((UTC, EAST)))
        return {
            "event_id": f"e{self.seed}-{self._number}",
            "type": kind,
            "schema_version": 1,
            "customer_id": customer_id,
            "occurred_at": moment.isoformat(),
        }

    def _wire(self, event: Event) -> Wire:
        wire = wire_of(event)
        self._recent.append(wire)
        return wire

    def _purchase(self) -> Wire:
        event = self._common("purchase", self._customer())
        decimals = self._random.choice((0, 2, 2, 2, 6))
        event |= {
            "order_id": f"o{self._number}",
            "amount": f"{self._random.uniform(1, 300):.{decimals}f}",
            "currency": "USD",
        }
        if self._random.random() < 0.5:
            event["cost"] = round(self._random.uniform(0, 100), 2)  # a JSON number
        return self._wire(event)

    def _refund(self) -> Wire:
        event = self._common("refund", self._customer())
        event |= {
            "refund_id": f"r{self._number}",
            "order_id": f"o{self._random.randrange(self._number + 1)}",
            "amount": f"{self._random.uniform(0.01, 50):.2f}",
            "currency": "USD",
        }
        return self._wire(event)

    def _referral(self) -> Wire:
        referrer, referred = (self._customer() for _ in range(2))
        if referrer == referred:
            return self._purchase()
        event = self._common("referral", referrer)
        event |= {
            "referred_customer_id": referred,
            "status": self._random.choice(("invited", "joined")),
        }
        return self._wire(event)

    def _repeat(self) -> Wire:
        return self._random.choice(self._recent) if self._recent else self._purchase()

    def _broken(self) -> Wire:
        event = self._common("purchase", self._customer())
        value = json.dumps(event | {"amount": "1.00"}).encode()[:-9]
        key = event["customer_id"].encode()
        return Wire("purchases", key, value, reason="malformed")

    def _carelessly(self, wire: Wire) -> Wire:
        """Give one good record in fifty no key, another's key or another partition."""
        if wire.event is None or self._random.random() >= 0.02:
            return wire
        key = self._random.choice((None, self._customer().encode(), wire.key))
        return Wire(
            wire.topic,
            key,
            wire.value,
            wire.event,
            self._random.randrange(self.partitions),
        )


def wire_of(event: Event) -> Wire:
    """Return an event as a good producer sends it."""
    return Wire(
        TOPIC_OF_TYPE.get(event["type"], "interactions"),
        event["customer_id"].encode(),
        json.dumps(event).encode(),
        event,
    )


class Load:
    """Sends wires in their order at a pace; each is handed to `on_sent` beforehand.

    Idempotent, so that nothing but what `wires` repeats is sent twice.
    """

    def __init__(
        self,
        bootstrap: str,
        wires: Iterable[Wire],
        per_second: float,
        on_sent: Callable[[Wire], None],
        prefix: str = "",
    ) -> None:
        self.sent = 0
        self._wires = iter(wires)
        self._per_second = per_second
        self._on_sent = on_sent
        self._prefix = prefix
        self._finish = asyncio.Event()
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, linger_ms=5
        )

    def finish(self) -> None:
        """Let `run` flush and return, though there is more."""
        self._finish.set()

    async def run(self) -> None:
        """Send until the wires or the time are over; returns when all is acknowledged."""
        async with self._producer:
            began, over = time.monotonic(), False
            while not over and not self._finish.is_set():
                due = int((time.monotonic() - began) * self._per_second) - self.sent
                over = not await self._send(due)
                await asyncio.sleep(TICK_SECONDS)
            await self._producer.flush()

    async def _send(self, count: int) -> bool:
        for _ in range(count):
            wire = next(self._wires, None)
            if wire is None:
                return False
            self._on_sent(wire)
            self.sent += 1
            await self._producer.send(
                self._prefix + wire.topic,
                key=wire.key,
                value=wire.value,
                partition=wire.partition,
                headers=list(wire.headers),
                timestamp_ms=wire.timestamp_ms,
            )
        return True


async def send_all(bootstrap: str, wires: Iterable[Wire], prefix: str = "") -> list[Any]:
    """Send wires as fast as the broker takes them; return where each now stands, in order."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_request_size=11_000_000
    ) as producer:
        futures = [await _send_at_once(producer, prefix, wire) for wire in wires]
        return list(await asyncio.gather(*futures))


async def _send_at_once(producer: AIOKafkaProducer, prefix: str, wire: Wire) -> Any:
    if wire.key is None and wire.value is None:  # aiokafka's `send` refuses it, Kafka does not
        batch = producer.create_batch()
        batch.append(timestamp=None, key=None, value=None)
        return await producer.send_batch(batch, prefix + wire.topic, partition=wire.partition or 0)
    return await producer.send(
        prefix + wire.topic,
        key=wire.key,
        value=wire.value,
        partition=wire.partition,
        headers=list(wire.headers),
        timestamp_ms=wire.timestamp_ms,
    )
