"""What the topics say in the end: the last updates of each customer, and the dead letters."""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from heapq import nlargest
from typing import TypeVar

import msgspec
from aiokafka import AIOKafkaConsumer
from msgspec import Struct

from streamer.cli.reading import partitions_of, ranges, read, reading
from streamer.records.kafka import CHURN_RISK_UPDATES, DEAD_LETTERS, LTV_UPDATES
from streamer.serdes.dead_letters import readable_dead_letter
from streamer.settings import Settings

SHOWN = 5
"""Customers in each list."""

AT_RISK = ("medium", "high")
"""Not lapsed yet, so there is still a date to win them back by."""


class Value(Struct, frozen=True):
    """What is shown of an LTV update."""

    customer_id: str
    historic_clv: Decimal
    predicted_clv: Decimal | None
    predicted_clv_low: Decimal | None
    predicted_clv_high: Decimal | None
    orders: int
    referred_customers: int | None
    referral_value: Decimal | None


class Risk(Struct, frozen=True):
    """What is shown of a churn risk update."""

    customer_id: str
    as_of: str
    risk_band: str | None
    churn_probability: float | None
    expected_date_of_next_order: str | None
    win_back_by: str | None


class Customer(Struct, frozen=True):
    """A customer's last updates."""

    value: Value
    risk: Risk


class Refused(Struct, frozen=True):
    """A dead letter."""

    source: str
    """Who sent it: for a line of a table, FILE:LINE."""
    reason: str
    field: str
    message: str


class Outcome(Struct, frozen=True):
    """What a subscriber knows when all has been read."""

    as_of: str
    """The latest day of which anything was said."""
    customers: int
    worth: Decimal
    """Historic value of all customers."""
    expected: Decimal
    """Predicted value of all customers, within the horizon."""
    horizon_days: float
    dead_letters: dict[str, int]
    """By reason."""
    refused: list[Refused]
    """The first dead letters of each partition."""
    most_valuable: list[Customer]
    at_risk: list[Customer]
    """By the money at stake."""
    referrers: list[Customer]


async def outcome_of(settings: Settings) -> Outcome:
    """Read the output topics to their ends."""
    async with reading(settings, LTV_UPDATES, CHURN_RISK_UPDATES, DEAD_LETTERS) as consumer:
        values = await _last(settings, consumer, LTV_UPDATES, msgspec.json.Decoder(Value).decode)
        risks = await _last(
            settings, consumer, CHURN_RISK_UPDATES, msgspec.json.Decoder(Risk).decode
        )
        reasons, refused = await _refused(settings, consumer)
    customers = [Customer(value, risks[key]) for key, value in values.items()]
    in_time = (customer for customer in customers if customer.risk.risk_band in AT_RISK)
    referrers = (customer for customer in customers if customer.value.referred_customers)
    return Outcome(
        as_of=max((customer.risk.as_of[:10] for customer in customers), default=""),
        customers=len(customers),
        worth=sum((customer.value.historic_clv for customer in customers), Decimal(0)),
        expected=sum((one.value.predicted_clv or Decimal(0) for one in customers), Decimal(0)),
        horizon_days=settings.horizon_days,
        dead_letters=dict(reasons.most_common()),
        refused=refused,
        most_valuable=nlargest(SHOWN, customers, key=_worth),
        at_risk=nlargest(SHOWN, in_time, key=_worth),
        referrers=nlargest(SHOWN, referrers, key=_brought),
    )


def _worth(customer: Customer) -> Decimal:
    return customer.value.historic_clv


def _brought(customer: Customer) -> Decimal:
    return customer.value.referral_value or Decimal(0)


T = TypeVar("T")


async def _last(
    settings: Settings, consumer: AIOKafkaConsumer, topic: str, decode: Callable[[bytes], T]
) -> dict[bytes, T]:
    """Return the last record of each key of ``topic``."""
    last: dict[bytes, bytes] = {}
    starts, ends = await ranges(consumer, partitions_of(settings, topic))
    async for records in read(consumer, starts, ends):
        last.update((record.key, record.value) for record in records)
    return {key: decode(value) for key, value in last.items()}


async def _refused(
    settings: Settings, consumer: AIOKafkaConsumer
) -> tuple[Counter[str], list[Refused]]:
    """Return how many dead letters there are by reason, and a few of them."""
    reasons: Counter[str] = Counter()
    shown: list[Refused] = []
    starts, ends = await ranges(consumer, partitions_of(settings, DEAD_LETTERS))
    async for records in read(consumer, starts, ends):
        for record in records:
            letter = readable_dead_letter(
                record.key, record.value, record.headers, record.timestamp
            )
            reasons[letter.reason] += 1
            if len(shown) < SHOWN:
                source = _source(record.value)
                shown.append(Refused(source, letter.reason, letter.field, letter.message))
    return reasons, shown


class _Source(Struct):
    source: str = ""


def _source(value: bytes | None) -> str:
    try:
        return msgspec.json.decode(value or b"", type=_Source).source
    except msgspec.DecodeError:
        return ""
