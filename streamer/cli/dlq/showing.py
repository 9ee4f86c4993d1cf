"""``streamer dlq show``: one dead letter, explained."""

import asyncio
from typing import Annotated

import msgspec
import typer
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from rich.console import Console
from rich.table import Table

from streamer.cli.dlq.choosing import Place, parsed_place, place_of, readable
from streamer.cli.dlq.explaining import explained
from streamer.cli.dlq.marking import marked_payload
from streamer.cli.reading import ranges, read, reading
from streamer.cli.showing import print_json, shown_text
from streamer.errors import StreamerError
from streamer.records.kafka import DEAD_LETTERS
from streamer.serdes.dead_letters import ReadableDeadLetter
from streamer.settings import Settings, load_settings


class NoDeadLetterError(StreamerError):
    """Nothing that was refused stands in that place."""


def show(
    place: Annotated[
        str, typer.Argument(metavar="PLACE", help="TOPIC/PARTITION/OFFSET, as `dlq list` shows it.")
    ],
    *,
    json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Explain one dead letter: what is wrong with it, where, and what to do.

    Example: streamer dlq show purchases/2/1041
    """
    settings = load_settings()
    letter = readable(asyncio.run(found_letter(settings, parsed_place(settings, place))))
    explanation = explained(letter.reason, place_of(letter))
    if json:
        print_json({**msgspec.structs.asdict(letter), **explanation._asdict()})
    else:
        print_letter(letter, Console())


async def found_letter(settings: Settings, place: Place) -> ConsumerRecord:
    """Return the dead letter of the record that stands in ``place``.

    Raises:
        NoDeadLetterError: there is none.
        TopicError: there is no topic of dead letters.
        KafkaError: Kafka is out of reach.
    """
    async with reading(settings, DEAD_LETTERS) as consumer:
        record = await _find(settings, consumer, place)
    if record is None:
        raise NoDeadLetterError(
            f"there is no dead letter {'/'.join(map(str, place))}: see `streamer dlq list`."
        )
    return record


async def _find(
    settings: Settings, consumer: AIOKafkaConsumer, place: Place
) -> ConsumerRecord | None:
    if place.partition >= settings.partitions:
        return None
    # A worker refuses a record into the partition of the same number.
    tp = TopicPartition(settings.topics[DEAD_LETTERS], place.partition)
    async for records in read(consumer, *await ranges(consumer, [tp])):
        for record in records:
            letter = readable(record)
            if (letter.topic, letter.partition, letter.offset) == place:
                return record
    return None


def print_letter(letter: ReadableDeadLetter, console: Console) -> None:
    """Print what is known of ``letter``, its payload with the fault marked, and what to do."""
    explanation = explained(letter.reason, place_of(letter))
    console.print(f"[bold red]{shown_text(letter.reason)}[/]  {explanation.words}", highlight=False)
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim")
    key = "none" if letter.key is None else letter.key
    lines = {
        "message": letter.message,
        "field": letter.field,
        "record": place_of(letter),
        "key": key if letter.key_encoding == "utf-8" else f"{key} (base64: no UTF-8)",
        "refused at": f"{letter.failed_at}, attempt {letter.attempt}, version {letter.version}",
        **{
            f"header {name}": "null" if text is None else text
            for name, text in letter.headers.items()
        },
    }
    for name, text in lines.items():
        if text:
            table.add_row(shown_text(name), shown_text(text))
    console.print(table, highlight=False)
    console.print()
    _print_payload(letter, console)
    console.print()
    console.print(f"[bold]→[/] {shown_text(explanation.remedy)}", highlight=False)


def _print_payload(letter: ReadableDeadLetter, console: Console) -> None:
    if letter.value is None:
        console.print("[dim]no value[/]")
        return
    if letter.value_encoding == "base64":
        console.print("[dim]no UTF-8; in base64:[/]")
        console.print(shown_text(letter.value[:1000]), highlight=False)
        return
    missing = letter.reason == "invalid" and "missing" in letter.message
    for line in marked_payload(letter.value, letter.field, missing=missing):
        mark, style = ("→", "bold red") if line.marked else (" ", "none")
        console.print(f"[{style}]{mark} {shown_text(line.text)}[/]", highlight=False)
