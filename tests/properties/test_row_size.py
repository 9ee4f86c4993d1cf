"""No customer can grow a row past 64 KiB, whatever it does and however long it goes on."""

from collections.abc import Iterator
from typing import get_origin

import pytest
from msgspec.structs import fields

from streamer.records.dead_letters import Rejected
from streamer.records.events import (
    LEVELS,
    InternalEvent,
    ReferralCredit,
    ReferralLink,
    ReferralRing,
)
from streamer.records.instants import DAY
from streamer.records.money import TOTAL_LIMIT
from streamer.serdes.events import EventDecoder
from streamer.serdes.rows import decode_row, encode_row
from streamer.state.engagement import Engagement
from streamer.state.fold import admits, fold, seal
from streamer.state.row import Row
from tests.support.greedy import WIDE, greedy, value_of

ROW_BYTES_MAX = 64 * 1024
SEALED_EVERY = 50

FULL: dict[str, int] = {
    "applied": 5,
    "watermarks": 3,
    "recent": 1024,
    "days": 4 * (1 + 365 + 30),
    "referrer": 128,
    "loyalty_tier": 64,
    "open_orders": 4 * 128,
    "settlements": 3 * 128,
    "products": 129,
    "categories": 32,
    "attributes": 24,
    "experiments": 24,
    "channel_costs": 16,
    "opinions": 20,
    "channel": 2,
    "location": 2,
    "paid_channel": 2,
    "last_rating": 2,
    "generations": 4 * 4,
    "cycle": 4,
    "rivals": 4,
    "brought": 3,
}
"""Elements, or characters, at a lateness of 30 days. Whoever adds a field says here what bounds
it, and has ``greedy`` fill it."""

SHORT = {"days": 4 * 365, "recent": 1024 - 256 + 1}
"""A moment's fill, where something is dropped from time to time."""


def sizes(row: Row) -> dict[str, int]:
    """Return how much each string, list and map of a row holds."""
    assert row.engagement is not None
    return {
        field.name: len(value)
        for part in (row, row.engagement)
        for field in fields(part)
        if isinstance(value := getattr(part, field.name), str | list | dict | tuple)
    }


def named_by_many() -> Iterator[InternalEvent]:
    """Give what other rows tell one whose ids are as long as can be, in a full cycle."""
    names = [f"{number:04d}" + WIDE * 124 for number in range(6)]
    me, at = "c" * 128, 1_704_067_200_000_000
    for number, name in enumerate(names):
        yield ReferralLink("e", me, at + number, name, joined=True, standing=2**50)
    ring = ((me, at), *((name, at) for name in names[: LEVELS - 1]))
    yield ReferralRing("e", me, ring, closed=True)
    for level in range(1, LEVELS + 1):
        yield ReferralCredit("e", me, at, names[0], 1 - TOTAL_LIMIT, 1, 1, 2**50, level)


def grown(lateness_days: int, days: int) -> tuple[int, dict[str, int], int]:
    """Return the greatest bytes of a row that takes all it can, its fill at the end, refusals."""
    decoder, row, lateness = EventDecoder(), Row(), lateness_days * DAY
    for told in named_by_many():
        fold(row, told, lateness)
    row.loyalty_tier = WIDE * 64
    greatest = refused = 0
    for number, event in enumerate(greedy(days, busy_days=min(lateness_days, 20))):
        decoded = decoder.decode(value_of(event))
        try:
            if admits(row, decoded, lateness):
                fold(row, decoded, lateness)
        except Rejected:
            refused += 1
        if number % SEALED_EVERY == 0:
            seal(row, lateness)
            greatest = max(greatest, len(encode_row(row)))
    seal(row, lateness)
    assert decode_row(encode_row(row)) == row
    return greatest, sizes(row), refused


def test_a_row_that_takes_all_it_can_stays_below_its_limit() -> None:
    greatest, filled, refused = grown(lateness_days=30, days=430)
    assert refused == 0
    assert greatest < ROW_BYTES_MAX
    assert filled.keys() == FULL.keys()
    for name, length in filled.items():
        assert SHORT.get(name, FULL[name]) <= length <= FULL[name], (name, length)


@pytest.mark.parametrize("lateness_days", [0, 90, 365])
def test_so_it_does_whatever_the_lateness(lateness_days: int) -> None:
    greatest, _, _ = grown(lateness_days, days=380 + lateness_days)
    assert greatest < ROW_BYTES_MAX


def test_every_field_that_can_grow_is_listed() -> None:
    growing = {
        field.name
        for struct in (Row, Engagement)
        for field in fields(struct)
        if field.type is str or get_origin(field.type) in {list, dict, tuple}
    }
    assert growing == FULL.keys()
