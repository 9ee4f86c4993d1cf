"""``streamer dlq list``: the newest dead letters, and how many there are of each reason."""

import asyncio
from collections import Counter
from heapq import heappush, heappushpop
from itertools import count
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from streamer.cli.dlq.choosing import (
    ALL,
    Choice,
    Reason,
    Since,
    chosen,
    failed_at_of,
    place_of,
    readable,
    told_by_reason,
)
from streamer.cli.reading import partitions_of, ranges, read, reading
from streamer.cli.showing import print_json, shown_text
from streamer.records.kafka import DEAD_LETTERS
from streamer.serdes.dead_letters import ReadableDeadLetter
from streamer.settings import Settings, load_settings


class DeadLetters:
    """The dead letters that match: all of them counted, the newest kept.

    Args:
        choice: which match.
        limit: how many are kept.
    """

    def __init__(self, choice: Choice = ALL, limit: int = 20) -> None:
        self._choice, self._limit = choice, limit
        self._newest: list[tuple[int, int, ReadableDeadLetter]] = []
        self._number = count()
        self.by_reason: Counter[str] = Counter()

    def add(self, letter: ReadableDeadLetter) -> None:
        """Count and keep ``letter`` if it matches."""
        if not self._choice.takes(letter):
            return
        self.by_reason[letter.reason] += 1
        entry = failed_at_of(letter), next(self._number), letter
        if len(self._newest) < self._limit:
            heappush(self._newest, entry)
        else:
            heappushpop(self._newest, entry)

    @property
    def newest(self) -> list[ReadableDeadLetter]:
        """The newest ones, the newest of all last."""
        return [letter for _, _, letter in sorted(self._newest)]


def list_(
    *,
    reason: Reason = None,
    since: Since = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of the newest to list.")] = 20,
    json: Annotated[bool, typer.Option("--json", help="Print them whole, as JSON.")] = False,
) -> None:
    """List the newest dead letters, and count all of them by reason.

    Example: streamer dlq list --reason invalid --since 2026-01-31T00:00:00Z
    """
    letters = DeadLetters(chosen(reason, since), limit)
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
        print_table(letters, Console())


async def _collect(settings: Settings, letters: DeadLetters) -> None:
    async with reading(settings, DEAD_LETTERS) as consumer:
        partitions = partitions_of(settings, DEAD_LETTERS)
        async for records in read(consumer, *await ranges(consumer, partitions)):
            for record in records:
                letters.add(readable(record))


def print_table(letters: DeadLetters, console: Console) -> None:
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
        key = "no key" if letter.key is None else f"key {letter.key}"
        attempt = f", attempt {letter.attempt}" if letter.attempt > 1 else ""
        table.add_row(
            letter.failed_at[:19].replace("T", " "),
            shown_text(letter.reason),
            f"{shown_text(what)}\n[dim]{shown_text(f'{place_of(letter)}, {key}{attempt}')}[/]",
        )
    console.print(table)
    if total > len(newest):
        console.print(f"[dim]the newest {len(newest)} of them; --limit lists more[/]")
    console.print(told_by_reason(letters.by_reason), highlight=False)
