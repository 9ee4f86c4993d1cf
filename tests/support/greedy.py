"""A customer who fills its row: all event types, fields as long and as different as allowed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from streamer.records.instants import DAY
from streamer.serdes.events import EventDecoder
from streamer.serdes.rows import encode_row
from streamer.state.fold import fold
from streamer.state.row import Row

START = datetime(2024, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
WIDE = "\U0001f600"
"""Four bytes in UTF-8, the most a character takes."""

MONEY = "9876.543219"
"""In millionths more than 32 bits hold."""


def text(number: int, chars: int) -> str:
    """Return a text of so many characters, no two alike; of even numbers as many bytes as can be.

    What is bounded in bytes is filled by those of odd numbers, and must refuse the others.
    """
    mark = f"{number:06d}"
    return mark + ("x" if number % 2 else WIDE) * (chars - len(mark))


def greedy(days: int, busy_days: int, seed: int = 0) -> Iterator[dict[str, Any]]:
    """Give events over so many days, in the order of time, the last ones close together."""
    random = Random(seed)
    for day in range(days):
        rounds = 40 if day >= days - busy_days else 2
        for turn in range(rounds):
            number = day * 100 + turn
            at = START + timedelta(days=day, seconds=turn * 60 + random.randrange(60))
            for place, fields in enumerate(_events(number)):
                yield {
                    "event_id": f"{number}-{place}" + "y" * 100,
                    "customer_id": "c" * 128,
                    "occurred_at": (at + timedelta(microseconds=place)).isoformat(),
                    **fields,
                }


def _events(number: int) -> Iterator[dict[str, Any]]:
    money = {"amount": MONEY, "currency": "USD"}
    order = f"o{number}"
    yield {
        "type": "purchase",
        "order_id": order,
        **money,
        "cost": MONEY,
        "channel": text(number, 128),
        "location": text(number, 128),
        "coupon": "c",
        "checkout_seconds": 12.345,
        "due_at": (START + timedelta(days=900)).isoformat(),
        "experiment": {
            "id": text(number, 128),
            "arm": text(number, 128),
        },
        "items": [
            {
                "product_id": text(number + 10_000 * item, 128),
                "category": text(2 * (number + 10_000 * item), 256),
                "quantity": 999_999.999,
                "price": MONEY,
                "cost": "0.000001",
            }
            for item in range(4)
        ],
    }
    yield {
        "type": "refund",
        "refund_id": order,
        "order_id": order,
        **money,
        "amount": "4321.987654",
    }
    yield {"type": "payment", "order_id": order, **money}
    yield {"type": "acquisition_cost", **money, "channel": text(number, 128)}
    yield {
        "type": "rating",
        "rating": 4.999999,
        "product_id": text(number, 128),
        "category": text(number, 128),
    }
    yield {"type": "share", "network": text(number, 256)}
    yield {
        "type": "profile",
        "attributes": {text(number + 10_000 * one, 64): text(number, 126) for one in range(8)},
    }
    yield {
        "type": "experiment",
        "experiment_id": text(number, 128),
        "arm": text(number, 128),
    }
    yield {
        "type": "referral",
        "referred_customer_id": text(number, 128),
        "status": "joined",
    }


def value_of(event: dict[str, Any]) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode()


def greedy_row(days: int) -> bytes:
    """Return the encoded row after so many days."""
    decoder, row = EventDecoder(), Row()
    for event in greedy(days, busy_days=0):
        fold(row, decoder.decode(value_of(event)), DAY)
    return encode_row(row)
