"""``streamer dlq replay``: dead letters, sent once more to the topics they came from.

Only the newest attempt of a record is sent, so that what goes on failing does not multiply; what
was applied meanwhile is a duplicate to the workers, who go by its ``event_id``.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated

import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streamer.cli.dlq.choosing import (
    Choice,
    Reason,
    Since,
    chosen,
    parsed_place,
    place_of,
    readable,
    told_by_reason,
)
from streamer.cli.dlq.correcting import corrected, edited, payload_of
from streamer.cli.dlq.resending import Resending, Summary, refused_record
from streamer.cli.dlq.showing import found_letter
from streamer.cli.reading import Offsets, partitions_of, ranges, read, reading
from streamer.cli.showing import UsageError, counted, print_json
from streamer.records.kafka import DEAD_LETTERS, FileRecord
from streamer.serdes.dead_letters import REPLAY_OF
from streamer.settings import Settings, load_settings

Newest = dict[str, tuple[int, int, int]]
"""By the place where a replayed record stood first: its newest attempt, and where that lies."""


def replay(
    place: Annotated[
        str | None,
        typer.Argument(
            metavar="[PLACE]", help="Only this one: TOPIC/PARTITION/OFFSET, as `dlq list` shows it."
        ),
    ] = None,
    *,
    reason: Reason = None,
    since: Since = None,
    payload: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Send this corrected payload in place of PLACE's own."),
    ] = None,
    edit: Annotated[
        bool, typer.Option("--edit", help="Correct the payload of PLACE in $EDITOR.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Send nothing; say what would become of them.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Send dead letters once more to the topics they came from: all of them, or those chosen.

    An event counts once however often it is sent. What is refused again is a dead letter again, its
    attempt counted up.

    Example: streamer dlq replay --reason unknown_currency --dry-run

    Example: streamer dlq replay purchases/2/1041 --edit
    """
    if place is None and (payload is not None or edit):
        raise UsageError("a corrected payload needs PLACE, the dead letter that it stands for.")
    if place is not None and (reason is not None or since is not None):
        raise UsageError("give PLACE for one dead letter, or --reason and --since for many.")
    settings = load_settings()
    if place is None:
        summary = asyncio.run(_replay_chosen(settings, chosen(reason, since), dry_run=dry_run))
    else:
        record = asyncio.run(found_letter(settings, parsed_place(settings, place)))
        own = record.value if payload is None else payload_of(payload)
        value = edited(own) if edit else own
        new = None
        if payload is not None or edit:
            new = corrected(settings, refused_record(record), value or b"")
        summary = asyncio.run(_replay_one(settings, record, new, dry_run=dry_run))
    if json:
        print_json(summary.as_dict())
    else:
        _show(summary, Console())


async def _replay_one(
    settings: Settings, record: ConsumerRecord, new: FileRecord | None, *, dry_run: bool
) -> Summary:
    async with Resending(settings, dry_run=dry_run) as resending:
        await resending.send(record, new)
    return resending.summary


async def _replay_chosen(settings: Settings, choice: Choice, *, dry_run: bool) -> Summary:
    columns = SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn()
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as progress:
        task = progress.add_task("looking for those replayed before")
        async with (
            reading(settings, DEAD_LETTERS) as consumer,
            Resending(settings, dry_run=dry_run) as resending,
        ):
            # What is refused again meanwhile lies behind these ends, and is not sent again.
            starts, ends = await ranges(consumer, partitions_of(settings, DEAD_LETTERS))
            newest = await newest_attempts(consumer, starts, ends)
            async for record in _chosen(consumer, starts, ends, choice, newest):
                await resending.send(record)
                progress.update(task, description=f"{resending.summary.matched:,} dead letters")
    return resending.summary


async def newest_attempts(consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets) -> Newest:
    """Return the newest attempt of each record that has been replayed and refused again."""
    newest: Newest = {}
    async for records in read(consumer, starts, ends):
        for record in records:
            first = first_place(record)
            if first is not None:
                newest[first] = max(newest.get(first, (0, 0, 0)), _attempt(record))
    return newest


async def _chosen(
    consumer: AIOKafkaConsumer, starts: Offsets, ends: Offsets, choice: Choice, newest: Newest
) -> AsyncIterator[ConsumerRecord]:
    async for records in read(consumer, starts, ends):
        for record in records:
            letter = readable(record)
            first = first_place(record) or place_of(letter)
            superseded = first in newest and newest[first] != _attempt(record)
            if not superseded and choice.takes(letter):
                yield record


def first_place(record: ConsumerRecord) -> str | None:
    """Return where the record stood when it was refused first; None if it is for the first time."""
    raw = dict(record.headers).get(REPLAY_OF)
    return None if raw is None else raw.decode(errors="replace")


def _attempt(record: ConsumerRecord) -> tuple[int, int, int]:
    return readable(record).attempt, record.offset, record.partition


def _show(summary: Summary, console: Console) -> None:
    if not summary.matched:
        console.print("no dead letters")
        return
    console.print(told_by_reason(summary.by_reason), highlight=False)
    if summary.foreign:
        console.print(
            f"{counted(summary.foreign, 'record')} of no topic that workers read: not sent"
        )
    if summary.still_refused:
        again = ", ".join(f"{number:,} {name}" for name, number in _most(summary.still_refused))
        console.print(f"by these settings, refused again: {again}", highlight=False)
    if summary.dry_run:
        console.print(f"{summary.readable:,} would be read; nothing was sent (--dry-run)")
    else:
        console.print(f"{summary.sent:,} sent; `streamer dlq list` shows what is refused again")


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return counts.most_common()
