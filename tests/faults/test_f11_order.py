"""F11: duplicates, shuffles and late arrivals across partitions end in the same rows."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from streamer.broker import EmbeddedKafka
from streamer.state.referrals import LEVEL_FIELDS
from streamer.state.row import Row
from tests.support.audit import auditing
from tests.support.load import BusyShop, Event, Wire, send_all, wire_of
from tests.support.oracle import count, moment
from tests.support.scenario import SPAN
from tests.support.stage import stage

SEED = 11
EVENTS = 1_200
CUSTOMERS = 60
PARTITIONS = 4
PORTION = 400
"""So many are consumed before the next are sent: what is late then is late indeed."""

Rows = dict[str, dict[str, Any]]
"""Fields of the rows, by customer."""

OFFSETS = "applied"
"""The field of a row that tells of the way."""

DISPUTED = ("changes", "credited_at")
"""Those that stay higher where a brought customer was lost to an earlier referral that came later:
see ARCHITECTURE.md, "Replay equals live"."""


LEVELS = "generations"


def in_order(events: list[Event]) -> list[Wire]:
    """As careful producers send them, each when it happens."""
    return [wire_of(event) for event in sorted(events, key=moment)]


def the_last_first(events: list[Event]) -> list[Wire]:
    """Every event late but the first."""
    return [wire_of(event) for event in sorted(events, key=moment, reverse=True)]


def anyhow(events: list[Event]) -> list[Wire]:
    """Each up to three times, in any order, with any key, in any partition."""
    random = Random(SEED)
    wires = [
        replace(
            wire,
            key=random.choice((None, b"", wire.key, random.choice(events)["event_id"].encode())),
            partition=random.randrange(PARTITIONS),
        )
        for wire in map(wire_of, events)
        for _ in range(random.randint(1, 3))
    ]
    random.shuffle(wires)
    return wires


async def test_the_way_does_not_show_in_the_rows(
    kafka: EmbeddedKafka, tmp_path: Path, summary: Callable[..., None]
) -> None:
    events = list(islice(good_events(), EVENTS))
    ways = {way.__name__: way(events) for way in (in_order, the_last_first, anyhow)}
    ends = await asyncio.gather(  # each has its own topics and its own worker
        *(final_rows(kafka, tmp_path / name, wires) for name, wires in ways.items())
    )
    sent = sum(map(len, ways.values()))
    summary("F11 order", events=EVENTS, sent=sent, rows=len(ends[0]))
    disputing = rivals(events)
    for end in ends[1:]:
        assert not differences(end, ends[0], disputing)


def good_events() -> Iterator[Event]:
    shop = BusyShop(SEED, datetime.now(UTC) - SPAN, SPAN, EVENTS, CUSTOMERS)
    return (wire.event for wire in shop if wire.event is not None)


async def final_rows(kafka: EmbeddedKafka, folder: Path, wires: list[Wire]) -> Rows:
    """Return the rows that a worker makes of them; they are also what the oracle counts."""
    folder.mkdir()
    with (
        stage(kafka.bootstrap, folder, partitions=PARTITIONS) as corner,
        corner.worker("worker") as worker,
    ):
        async with auditing(corner) as audit:
            for begin in range(0, len(wires), PORTION):
                portion = wires[begin : begin + PORTION]
                await send_all(corner.bootstrap, portion, corner.prefix)
                await audit.consumed()
            assert await worker.stop() == 0, worker.told("did not end well")
            await audit.read()
    audit.check(count(wire.event for wire in wires))
    return {name: fields(row) for name, row in audit.rows.items()}


def rivals(events: list[Event]) -> set[str]:
    """Return those who referred somebody whom others referred too, and who brought these."""
    by: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        if event["type"] == "referral":
            by[event["referred_customer_id"]].add(event["customer_id"])
    found: set[str] = set()
    above = {one for referrers in by.values() if len(referrers) > 1 for one in referrers}
    while above - found:
        found |= above
        above = {referrer for one in above for referrer in by[one]}
    return found


def differences(found: Rows, expected: Rows, disputing: set[str]) -> Counter[str]:
    """Return how many customers' rows differ in which field."""
    assert found.keys() == expected.keys()
    return Counter(
        name
        for customer, row in found.items()
        for name, value in row.items()
        if not (customer in disputing and name in DISPUTED)
        and value != expected[customer][name]
        and not (
            customer in disputing
            and name == LEVELS
            and worth(value) == worth(expected[customer][name])
        )
    )


def worth(levels: list[int]) -> dict[int, tuple[int, ...]]:
    """Return customers and revenue of each level that has any; the rest of it is disputed."""
    places = range(0, len(levels), LEVEL_FIELDS)
    figures = {begin: tuple(levels[begin : begin + 2]) for begin in places}
    return {begin: some for begin, some in figures.items() if any(some)}


def fields(row: Row) -> dict[str, Any]:
    named = msgspec.structs.asdict(row)
    return {name: msgspec.to_builtins(value) for name, value in named.items() if name != OFFSETS}
