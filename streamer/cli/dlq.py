"""``streamer dlq list``: the dead letters."""

import asyncio
from collections import Counter
from datetime import datetime
from heapq import heappush, heappushpop
from itertools import count
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.reading import partitions_of, ranges, read, reading
from streamer.cli.showing import counted, instant_of_option, print_json, shown_text
from streamer.errors import StreamerError
from streamer.records.dead_letters import REASONS
from streamer.records.instants import NEVER, from_datetime
from streamer.records.kafka import DEAD_LETTERS
from streamer.serdes.dead_letters import ReadableDeadLetter, readable_dead_letter
from streamer.settings import Settings, load_settings

dlq = typer.Typer(help="Look at the dead letters: events that were refused, with the reason.")


class UnknownReasonError(StreamerError):
    """There is no such reason."""


class DeadLetters:
    """The dead letters that match: all of them counted, the newest kept.

    Args:
        reason: only this one; None takes all.
        since: refused at this instant or later.
        limit: how many are kept.
    """

    def __init__(self, reason: str | None = None, since: int = NEVER, limit: int = 20) -> None:
        self._reason, self._since, self._limit = reason, since, limit
        self._newest: list[tuple[int, int, ReadableDeadLetter]] = []
        self._number = count()
        self.by_reason: Counter[str] = Counter()

    def add(self, letter: ReadableDeadLetter) -> None:
        """Count and keep ``letter`` if it matches."""
        failed_at = _instant(letter.failed_at)
        if (self._reason and letter.reason != self._reason) or failed_at < self._since:
            return
        self.by_reason[letter.reason] += 1
        entry = failed_at, next(self._number), letter
        if len(self._newest) < self._limit:
            heappush(self._newest, entry)
        else:
            heappushpop(self._newest, entry)

    @property
    def newest(self) -> list[ReadableDeadLetter]:
        """The newest ones, the newest of all last."""
        return [letter for _, _, letter in sorted(self._newest)]


def _instant(text: str) -> int:
    try:
        return from_datetime(datetime.fromisoformat(text))
    except (ValueError, TypeError):  # somebody else's record
        return NEVER


@dlq.command("list")
def list_(
    *,
    reason: Annotated[str | None, typer.Option(help="Only those refused for this reason.")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="INSTANT", help="Only those refused since this time.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest to list.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print them whole, as JSON.")] = False,
) -> None:
    """List the newest dead letters, and count all of them by reason.

    Example: streamer dlq list --reason invalid --since 2026-01-31T00:00:00Z
    """
    if reason is not None and reason not in REASONS:
        raise UnknownReasonError(f"{reason!r} is no reason: give one of {', '.join(REASONS)}.")
    since_instant = NEVER if since is None else instant_of_option("--since", since)
    letters = DeadLetters(reason, since_instant, limit)
    asyncio.run(_collect(load_settings(), letters))
    if json:
        print_json(
            {
                "total": letters.by_reason.total(),
                "by_reason": dict(letters.by_reason.most_common()),
                "dead_letters": letters.newest,
            }
        )
    else:
        show(letters, Console())


async def _collect(settings: Settings, letters: DeadLetters) -> None:
    partitions = partitions_of(settings, DEAD_LETTERS)
    async with reading(settings, DEAD_LETTERS) as consumer:
        async for records in read(consumer, *await ranges(consumer, partitions)):
            for record in records:
                letters.add(
                    readable_dead_letter(record.key, record.value, record.headers, record.timestamp)
                )


def show(letters: DeadLetters, console: Console) -> None:
    """Print those kept as a table, and the counts of all."""
    newest, total = letters.newest, letters.by_reason.total()
    if not total:
        console.print("no dead letters")
        return
    table = Table(
        "refused at", "reason", "what, where", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for letter in newest:
        what = f"{letter.field}: {letter.message}" if letter.field else letter.message
        where = f"{letter.topic}/{letter.partition}/{letter.offset}"
        key = "no key" if letter.key is None else f"key {letter.key}"
        attempt = f", attempt {letter.attempt}" if letter.attempt > 1 else ""
        table.add_row(
            letter.failed_at[:19].replace("T", " "),
            shown_text(letter.reason),
            f"{shown_text(what)}\n[dim]{shown_text(f'{where}, {key}{attempt}')}[/]",
        )
    console.print(table)
    if total > len(newest):
        console.print(f"[dim]the newest {len(newest)} of them; --limit lists more[/]")
    by_reason = ", ".join(
        f"{number:,} {shown_text(reason)}" for reason, number in letters.by_reason.most_common()
    )
    console.print(f"{counted(total, 'dead letter')}: {by_reason}", highlight=False)
