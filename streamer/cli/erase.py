"""``streamer erase``: forget a customer, and see that it is done."""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import uuid4

import msgspec
import typer
from aiokafka import AIOKafkaConsumer, TopicPartition
from rich.console import Console

from streamer.cli.reading import last_of_key, ranges, reading
from streamer.cli.showing import UsageError, print_json, shown_text
from streamer.engine.sending import send
from streamer.errors import StreamerError
from streamer.records.kafka import (
    CHANGELOG,
    DEAD_LETTERS,
    EVENT_TOPICS,
    REFERRAL_CREDITS,
    REKEYED,
    SCORE_TOPICS,
)
from streamer.records.partitioning import partition_of
from streamer.serdes.rows import told_key
from streamer.serdes.wire import Id
from streamer.settings import Settings, load_settings

SECONDS_MAX = 60.0
POLL_MS = 200

REMAINING = {
    **dict.fromkeys(EVENT_TOPICS, "the events as they were sent"),
    REKEYED: "events that came to another partition",
    REFERRAL_CREDITS: "messages about who brought whom",
    DEAD_LETTERS: "events that were refused",
}
"""Topics of which Kafka deletes nothing by key: only the shop can decide what may go from them."""

Places = dict[TopicPartition, set[bytes]]
"""Where a customer is kept, and under which keys."""


class NotErasedError(StreamerError):
    """No worker has taken the erasure in the time given."""


def erase(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="As in the events.")],
    *,
    reason: Annotated[
        str | None, typer.Option(help="Kept in the event, for the shop; no personal data.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    seconds: Annotated[
        float, typer.Option(min=1, help="How long to wait until it is done.")
    ] = SECONDS_MAX,
    json: Annotated[bool, typer.Option("--json", help="Print what was done as JSON.")] = False,
) -> None:
    """Erase a customer: row, scores and referral links, for good; see docs/erasure.md.

    Publishes an erasure and waits until a worker has done it.

    Example: streamer erase 00001 --reason "request 4711" --yes
    """
    _check(customer_id)
    settings = load_settings()
    if not yes:
        _ask(customer_id)
    done = asyncio.run(_erase(settings, customer_id, reason, seconds, json=json))
    if json:
        print_json(done)
    else:
        _show(done, Console())


def _check(customer_id: str) -> None:
    """Refuse an id that no event can have: a worker would make a dead letter of the erasure."""
    try:
        msgspec.convert(customer_id, Id)
        customer_id.encode()
    except ValueError:  # a UnicodeEncodeError too: of bytes in the command line that are no UTF-8
        raise UsageError(
            "ids of customers have 1 to 128 characters of Unicode: give ID as it is in the events."
        ) from None


def _ask(customer_id: str) -> None:
    if not sys.stdin.isatty():
        raise UsageError("nobody can be asked here: give --yes to erase without a question.")
    typer.confirm(f"Erase customer {customer_id!r} for good?", abort=True)


async def _erase(
    settings: Settings, customer_id: str, reason: str | None, seconds: float, *, json: bool
) -> dict[str, Any]:
    """Publish the erasure, wait until it is done, and return what there is to say of it.

    Raises:
        NotErasedError: it is not done in time.
        TopicError: a topic is missing.
        KafkaError: Kafka is out of reach.
    """
    event = _event(customer_id, reason)
    places = _places(settings, customer_id)
    started = time.monotonic()
    async with reading(settings, CHANGELOG, *SCORE_TOPICS) as consumer:
        _, ends = await ranges(consumer, list(places))
        removed = await _present(settings, consumer, places)
        await send(settings, [msgspec.json.encode(event)], lambda _: None)
        console = Console(stderr=True, quiet=json)
        with console.status("published; waiting for a worker") as status:
            left = await _await_nulls(
                consumer, places, ends, seconds, lambda n: status.update(f"{n} keys to go")
            )
    if left:
        raise NotErasedError(
            f"the erasure is published (event {event['event_id']}), but in {seconds:g} s no worker "
            "has done it: start `streamer worker`, or see `streamer doctor`; it is not lost, and "
            "`streamer erase` may be called again."
        )
    return {
        "customer_id": customer_id,
        "event_id": event["event_id"],
        "erased_at": event["occurred_at"],
        "seconds": round(time.monotonic() - started, 3),
        "removed": removed,
        "remaining": {settings.topics[name]: what for name, what in REMAINING.items()},
    }


def _event(customer_id: str, reason: str | None) -> dict[str, Any]:
    event = {
        "event_id": str(uuid4()),
        "type": "erasure",
        "customer_id": customer_id,
        "occurred_at": datetime.now(UTC).isoformat(),
    }
    return event if reason is None else event | {"reason": reason}


def _places(settings: Settings, customer_id: str) -> Places:
    key = customer_id.encode()
    number = partition_of(key, settings.partitions)
    places = {TopicPartition(settings.topics[name], number): {key} for name in SCORE_TOPICS}
    changelog = TopicPartition(settings.topics[CHANGELOG], number)
    return places | {changelog: {key, told_key(customer_id)}}


async def _present(
    settings: Settings, consumer: AIOKafkaConsumer, places: Places
) -> dict[str, bool]:
    """Return by topic whether anything is kept of the customer."""
    found = {}
    for tp, keys in places.items():
        records = [await last_of_key(consumer, tp, key) for key in keys]
        found[tp.topic.removeprefix(settings.topic_prefix)] = any(
            record is not None and record.value is not None for record in records
        )
    return found


async def _await_nulls(
    consumer: AIOKafkaConsumer,
    places: Places,
    starts: dict[TopicPartition, int],
    seconds: float,
    progress: Callable[[int], None],
) -> int:
    """Read on from ``starts`` until each key has its null value; return how many have not."""
    left = {(tp, key) for tp, keys in places.items() for key in keys}
    consumer.assign(list(places))
    for tp, offset in starts.items():
        consumer.seek(tp, offset)
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        progress(len(left))
        for tp, records in (await consumer.getmany(timeout_ms=POLL_MS)).items():
            left -= {(tp, record.key) for record in records if record.value is None}
    return len(left)


def _show(done: dict[str, Any], console: Console) -> None:
    removed = [name for name, was_there in done["removed"].items() if was_there]
    console.print(
        f"customer {shown_text(done['customer_id'])} is erased: "
        + (f"removed from {', '.join(removed)}" if removed else "nothing was known")
    )
    console.print("\nFor the shop to delete, or to let expire (docs/erasure.md):")
    for topic, what in done["remaining"].items():
        console.print(f"  {topic}: {what}", highlight=False)
