"""The fast source for benchmarks: purchases of many customers, ready as bytes."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np
from numpy.random import Generator

from streamer.simulate.draws import DAY_MS, Integers, stream
from streamer.simulate.parameters import require, require_positive
from streamer.simulate.shop import DEFAULT_START

CHUNK_EVENTS = 16_384
TEMPLATE = (
    b'{"event_id":"u%d-%09d","type":"purchase","customer_id":"c%07d",'
    b'"occurred_at":"%bZ","order_id":"o%09d","amount":"%d.%02d","currency":"USD"}'
)
"""About 170 bytes with its numbers."""

HUNDREDTHS_MAX = 20_000
Choice = Callable[[Generator, int], Integers]


def uniform_purchases(
    events: int,
    customers: int,
    seed: int,
    *,
    days: float = 365.0,
    start: datetime = DEFAULT_START,
    skew: float = 0.0,
) -> Iterator[bytes]:
    """Give purchases as wire values of about 170 bytes, in time order at even distances.

    Args:
        events: How many, 0 or more.
        customers: Among how many customers, 1 or more.
        seed: 0 or more.
        days: Event time from the first to behind the last, above 0.
        start: Event time of the first, with an offset.
        skew: Exponent of Zipf's law over the customers, from 0 (each as likely) up; the k-th
            customer buys in proportion to k to the power of −skew.

    Yields:
        Wire values.
    """
    require(events >= 0, "events", events, "0 or more")
    require(customers >= 1, "customers", customers, "1 or more")
    require(0 <= skew < float("inf"), "skew", skew, "0 or more")
    require_positive(days=days)
    choose = _zipf(customers, skew) if skew else _uniform(customers)
    generator = stream(seed, "load")
    start_ms = round(start.astimezone(UTC).timestamp() * 1000)
    step_ms = days * DAY_MS / max(events, 1)
    for first in range(0, events, CHUNK_EVENTS):
        numbers = np.arange(first, min(first + CHUNK_EVENTS, events))
        times = (start_ms + (numbers * step_ms).astype(np.int64)).astype("datetime64[ms]")
        yield from _chunk(seed, numbers, times, choose(generator, len(numbers)), generator)


def _chunk(
    seed: int,
    numbers: Integers,
    times: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    buyers: Integers,
    generator: Generator,
) -> Iterator[bytes]:
    units, cents = np.divmod(generator.integers(100, HUNDREDTHS_MAX, len(numbers)), 100)
    texts = np.datetime_as_string(times, unit="ms").astype("S")
    columns = (numbers, buyers, texts, units, cents)
    for number, buyer, text, unit, cent in zip(*(c.tolist() for c in columns), strict=True):
        yield TEMPLATE % (seed, number, buyer, text, number, unit, cent)


def _uniform(customers: int) -> Choice:
    return lambda generator, size: generator.integers(customers, size=size)


def _zipf(customers: int, skew: float) -> Choice:
    cumulated = np.cumsum(np.arange(1, customers + 1, dtype=np.float64) ** -skew)
    return lambda generator, size: np.searchsorted(
        cumulated, generator.random(size) * cumulated[-1], side="right"
    )
